"""An installation that is told things: letters that were sent, pages and a mailbox that listen, on either database."""

import contextlib
import functools
import hashlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.supervisor.launch import wrapped
from config.supervisor.ports import free_port
from tests.faults import databases
from tests.faults.databases import Database
from tests.web.hooks import senders
from tests.worker.processes import ROOT, environment, manage, python

Figures = Mapping[str, Any]
COUNTED = "letters_arrivaltally"  # the one table that forged events may change
INSTANCE = "5e" * 16  # each scenario has a copy, which must not be taken for one
_STARTS_WITHIN = 60.0  # seconds
_WRITE = """
import json
from datetime import timedelta
from unittest import mock
from django.utils import timezone
from letters import tokens
from letters.models import Delivery, Notice
from tests import cast
from tests.letters import deeds
def target(number):
    domain = "d%d.offices.example" % number
    return {{"name": "Office %d" % number, "country": "DE", "language": "en", "email": "office@" + domain}}
cast.TARGETS = tuple(target(number) for number in range({targets}))
with mock.patch("worker.doorbell.ring"), mock.patch.dict(cast.a_list.__kwdefaults__, targets=None):
    ask = cast.the_ask(cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice"), now=timezone.now()))
    def write(number):
        return deeds.a_confirmed_letter(ask, email="s%d@supporters.example" % number, now=timezone.now())
    for number in range({letters}):
        write(number)
    while Delivery.objects.exclude(state="sent").exists():
        deeds.attempt(deeds.TAKEN)
    for number in range({waiting}):
        write({letters} + number)
Delivery.objects.filter(state="sent").update(sent_at=timezone.now() - timedelta(hours=1))
Notice.objects.all().delete()
rows = Delivery.objects.filter(state="sent").order_by("pk").values_list("pk", "letter", "address__value")
print(json.dumps([[pk, tokens.reference(pk), letter, address] for pk, letter, address in rows]))
"""


@dataclass(frozen=True)
class Sent:
    """A delivery that the mail server took an hour ago."""

    pk: int
    reference: str
    letter: int
    address: str


class Installation:
    """A data directory, a database and what was sent from it."""

    def __init__(self, data: Path, database: Database, sent: Sequence[Sent]) -> None:
        self.data, self.database, self.sent = data, database, sent

    def env(self, **more: str) -> dict[str, str]:
        """Return the environment of its processes."""
        usual = {"DATABASE_URL": self.database.url, "BASE_URL": senders.BASE_URL, "INSTANCE_ID": INSTANCE}
        return environment(self.data, **{**usual, **more})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.database.rows(query)

    def tables(self) -> list[str]:
        """Return the names of its tables, without the one that counts what came in."""
        found = (
            self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            if self.database.kind == "sqlite"
            else self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        )
        return [name for (name,) in found if name != COUNTED]

    def digests(self) -> dict[str, str]:
        """Return the digest of each table's whole content: equal ones mean that nothing at all was changed."""
        return {
            name: hashlib.sha256(repr(sorted(map(repr, self.rows(f'SELECT * FROM "{name}"')))).encode()).hexdigest()
            for name in self.tables()
        }

    def sizes(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {name: self.rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in self.tables()}

    def counted(self) -> dict[str, int]:
        """Return what came in, by what was made of it."""
        return {what: int(n) for what, n in self.rows(f"SELECT what, sum(count) FROM {COUNTED} GROUP BY what")}

    def feedback(self) -> list[tuple[int, str, int]]:
        """Return every delivery with its state and feedback."""
        return self.rows("SELECT id, state, feedback FROM letters_delivery ORDER BY id")

    def reports(self) -> list[tuple[int, int]]:
        """Return the delivery and kind of each report."""
        return self.rows("SELECT delivery_id, kind FROM letters_report ORDER BY delivery_id, kind")

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a management command that must succeed; return what it printed."""
        done = manage(*arguments, env=self.env(**more), seconds=300)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def installation(kind: str, *, letters: int, targets: int, waiting: int = 0) -> Iterator[Installation]:
    """Have an installation from which so many letters were sent to so many targets each, and some wait; then none."""
    with tempfile.TemporaryDirectory(prefix="pb-hearing-", ignore_cleanup_errors=True) as place:
        data = Path(place) / "data"
        with databases.making(kind):
            stock, database, sent = _stock(databases.store().place, kind, letters, targets, waiting)
            shutil.copytree(stock, data)
            copy = databases.copied(database, data)
        try:
            yield Installation(data, copy, sent)
        finally:
            copy.drop()


@functools.cache
def _stock(within: Path, kind: str, letters: int, targets: int, waiting: int) -> tuple[Path, Database, Sequence[Sent]]:
    """Return an installation that is made once, in a directory that lasts: its own directory, its database."""
    place = Path(tempfile.mkdtemp(dir=within))
    database = databases.empty(kind, place)
    env = environment(place, DATABASE_URL=database.url, INSTANCE_ID=INSTANCE)
    said = python(_WRITE.format(letters=letters, targets=targets, waiting=waiting), env=env)
    database.settle()
    return place, database, tuple(Sent(*row) for row in json.loads(said))


# ── its processes ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Process:
    """A process that listens, and where it says what it has to say."""

    ports: tuple[int, ...]
    log: Path


@contextlib.contextmanager
def pages(here: Installation) -> Iterator[Process]:
    """Serve its pages as `./run` does, every hook open, until the end of `with`."""
    certificate = here.data / "sns.pem"
    certificate.write_bytes(senders.certificate())
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", "tests.faults.hooked:application", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--log-level", "warning",
        "--no-control-socket",
    ]  # fmt: skip
    env = here.env(
        HOOKS=" ".join(senders.ESPS), HOOKS_SECRET=senders.SECRET, HOOKS_KEYS=senders.keys(), LOG_LEVEL="DEBUG",
        SNS_CERTIFICATE=str(certificate),
    )  # fmt: skip
    with _listening(command, (port,), env, here.data / "pages.log") as process:
        yield process


@contextlib.contextmanager
def mailbox(here: Installation) -> Iterator[Process]:
    """Take its mail, by SMTP at the first port and by LMTP at the second, until the end of `with`."""
    ports = (free_port(), free_port())
    env = here.env(INBOUND_PORT=str(ports[0]), INBOUND_LMTP_PORT=str(ports[1]), LOG_LEVEL="DEBUG")
    with _listening([sys.executable, "manage.py", "receive"], ports, env, here.data / "mailbox.log") as process:
        yield process


@contextlib.contextmanager
def _listening(
    command: Sequence[str], ports: tuple[int, ...], env: Mapping[str, str], log: Path
) -> Iterator[Process]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            wrapped(command), cwd=ROOT, env=dict(env), stdout=file, stderr=file, start_new_session=True
        )
    try:
        until = time.monotonic() + _STARTS_WITHIN
        while not all(_takes(port) for port in ports):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield Process(ports, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _takes(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    return sorted(values)[max(0, min(len(values) - 1, int(len(values) * share)))]


def silent_about(log: Path, words: Sequence[str]) -> None:
    """Check that a log says none of these words and tells of no defect."""
    said = log.read_text(errors="replace")
    found = [word for word in words if word in said]
    assert not found, f"the log shows {found[:3]}"
    assert "Traceback" not in said, said[-3000:]

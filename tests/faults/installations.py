"""Whole installations that are backed up and restored as operators do it: SQLite by file, PostgreSQL by dump."""

import contextlib
import json
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests import servers
from tests.worker.faulty_server import Act, FaultyServer, Moment, says
from tests.worker.processes import environment, manage, python, started

ANSWERS_AFTER = 0.1  # seconds for each letter: a backup is made in the middle of sending
LEASE = 3  # seconds
_WRITE = """
import sys, uuid
from unittest import mock
from campaigns.models import Campaign
from letters.models import Notice
from tests import cast
from tests.letters import deeds
campaign = Campaign.objects.first() or cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice"))
with mock.patch("worker.doorbell.ring"):
    for number in range({letters}):
        deeds.{deed}(cast.the_ask(campaign), email=f"dana.{{uuid.uuid4().hex}}@mail.example"{now})
if {forgets}:
    Notice.objects.all().delete()
"""
_LEDGER = """
import json
from letters.models import Delivery
from letters import tokens
print(json.dumps([[pk, tokens.reference(pk), state, reason, ambiguous] for pk, state, reason, ambiguous
                  in Delivery.objects.order_by("pk").values_list("pk", "state", "reason", "ambiguous")]))
"""


@dataclass(frozen=True)
class Line:
    """One delivery as the ledger has it; `reference` is its public name."""

    pk: int
    reference: str
    state: str
    reason: str
    ambiguous: int


class Database(Protocol):
    """A database that can be backed up while it is used."""

    @property
    def url(self) -> str:
        """Return its DATABASE_URL."""

    def dump(self, to: Path) -> None:
        """Back it up."""

    def restore(self, backup: Path) -> None:
        """Put a backup back while nobody uses the database."""

    def restore_underfoot(self, backup: Path) -> None:
        """Put a backup back while workers use it."""

    def all(self, query: str) -> list[Any]:
        """Return the first value of each row."""

    def execute(self, statement: str) -> None:
        """Change something behind the product's back."""


@dataclass(frozen=True)
class Sqlite:
    """A file."""

    path: Path

    @property
    def url(self) -> str:
        """Return its DATABASE_URL."""
        return f"sqlite:///{self.path}"

    def dump(self, to: Path) -> None:
        """Copy it page by page, as `sqlite3 file ".backup to"` does."""
        with closing(sqlite3.connect(self.path, timeout=30)) as here, closing(sqlite3.connect(to)) as there:
            here.backup(there)

    def restore(self, backup: Path) -> None:
        """Copy the file back; what the last process left beside the old one belongs to the old one."""
        for end in ("-wal", "-shm"):
            Path(f"{self.path}{end}").unlink(missing_ok=True)
        shutil.copyfile(backup, self.path)

    def restore_underfoot(self, backup: Path) -> None:
        """Write the backup's pages over the present ones, as `.restore` does."""
        with closing(sqlite3.connect(backup)) as there, closing(sqlite3.connect(self.path, timeout=60)) as here:
            there.backup(here)

    def all(self, query: str) -> list[Any]:
        """Return the first value of each row."""
        with closing(sqlite3.connect(self.path, timeout=30)) as here:
            return [row[0] for row in here.execute(query)]

    def execute(self, statement: str) -> None:
        """Execute and commit."""
        with closing(sqlite3.connect(self.path, timeout=30)) as here, here:
            here.execute(statement)


@dataclass(frozen=True)
class Postgresql:
    """A database of a cluster; `cluster` is the address of another one in it."""

    cluster: str
    name: str

    @property
    def url(self) -> str:
        """Return its DATABASE_URL."""
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/{self.name}"))

    def create(self) -> None:
        """Make it, empty, as soon as the cluster has started."""
        until = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.cluster).close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        with psycopg.connect(self.cluster, autocommit=True) as line:
            line.execute(f'CREATE DATABASE "{self.name}"')

    def dump(self, to: Path) -> None:
        """Run pg_dump."""
        _run("pg_dump", "--format=custom", f"--file={to}", self.url)

    def restore(self, backup: Path) -> None:
        """Drop the database, make it again, fill it."""
        with psycopg.connect(self.cluster, autocommit=True) as line:
            line.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        self.create()
        _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={self.url}", str(backup))

    def restore_underfoot(self, backup: Path) -> None:
        """Make all tables anew in one transaction."""
        _run("pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", f"--dbname={self.url}",
             str(backup))  # fmt: skip

    def all(self, query: str) -> list[Any]:
        """Return the first value of each row."""
        with psycopg.connect(self.url, autocommit=True) as line:
            return [row[0] for row in line.execute(query)]

    def execute(self, statement: str) -> None:
        """Execute and commit."""
        with psycopg.connect(self.url, autocommit=True) as line:
            line.execute(statement)


@dataclass
class Installation:
    """A data directory, a database, a mail server, and any number of workers."""

    data: Path
    database: Database
    server: FaultyServer
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of its processes."""
        return environment(
            self.data, DATABASE_URL=self.database.url, EMAIL_URL=f"smtp://127.0.0.1:{self.server.port}",
            LEASE_SECONDS=str(LEASE), BACKOFF_PERCENT="1", CONNECTIONS="4", **self.settings,
        )  # fmt: skip

    @property
    def log(self) -> Path:
        """Return where its workers say what they have to say."""
        return self.data / "workers.log"

    def begin(self) -> None:
        """Bring the database up to date."""
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str) -> str:
        """Run a management command that must succeed; return what it printed."""
        done = manage(*arguments, env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, letters: int) -> None:
        """Let supporters write and confirm; nobody asks them for confirmation any more."""
        python(_WRITE.format(letters=letters, deed="a_confirmed_letter", now="", forgets=True), env=self.env)

    def ask_for_confirmation(self) -> None:
        """Let a supporter ask now to send a letter: a mail must go out before it can be confirmed."""
        now = ", now=__import__('django.utils.timezone').utils.timezone.now()"
        python(_WRITE.format(letters=1, deed="an_awaiting_letter", now=now, forgets=False), env=self.env)

    def ledger(self) -> list[Line]:
        """Return every delivery."""
        return [Line(*line) for line in json.loads(python(_LEDGER, env=self.env))]

    def hurry(self) -> None:
        """Let everything that waits be due."""
        self.database.execute("UPDATE letters_delivery SET due_at = CURRENT_TIMESTAMP WHERE state = 'queued'")

    def count(self, where: str = "1 = 1") -> int:
        """Return how many deliveries fit."""
        return int(self.database.all(f"SELECT count(*) FROM letters_delivery WHERE {where}")[0])

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run one worker process; ended with SIGTERM, unless it was killed."""
        with started("deliver", env=self.env, log=self.log) as process:
            yield process

    def copies(self) -> dict[str, int]:
        """Return how many copies of each delivery its mail server has taken."""
        return {reference: n for reference, n in self.server.copies().items() if reference}

    def confirmations(self) -> int:
        """Return how many mails to supporters its mail server has taken."""
        return self.server.copies().get("", 0)


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A directory of a scenario's own."""
    with tempfile.TemporaryDirectory(prefix="pb-restore-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextlib.contextmanager
def mail_server() -> Iterator[FaultyServer]:
    """A mail server that takes everything, a little slowly, and remembers what it took."""

    def slow_yes(moment: Moment) -> Act | None:
        return says("250 taken", after=ANSWERS_AFTER) if moment.point == "dot" else None

    with FaultyServer(slow_yes) as server:
        yield server


@contextlib.contextmanager
def on_sqlite() -> Iterator[Installation]:
    """An installation whose files are all in one directory, on SQLite."""
    with place() as directory, mail_server() as server:
        data = directory / "data"
        data.mkdir()
        made = Installation(data, Sqlite(data / "postbag.sqlite3"), server)
        made.begin()
        yield made


@contextlib.contextmanager
def on_postgresql() -> Iterator[Installation]:
    """An installation on a cluster of its own, every commit forced to the disk."""
    with servers.postgresql() as cluster, place() as directory, mail_server() as server:
        database = Postgresql(cluster, f"postbag_{secrets.token_hex(4)}")
        database.create()
        made = Installation(directory / "data", database, server)
        made.data.mkdir()
        made.begin()
        yield made


def never(happens: Any, *, seconds: float) -> None:
    """Watch for so long that something does not happen."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert not happens()
        time.sleep(0.1)


def _run(program: str, *arguments: str) -> None:
    path = servers.postgresql_program(program)
    if path is None:
        raise servers.ServerMissing(f"{program} is not installed. On Debian: apt-get install postgresql")
    done = subprocess.run([str(path), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

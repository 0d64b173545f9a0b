"""A rig: an installation full of letters, workers that can be killed, a faulty mail server, and who watches."""

import contextlib
import os
import random
import re
import secrets
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from tests.faults import databases, invariants, journal, ledger
from tests.faults.conduct import Conduct
from tests.faults.databases import Cluster, Database
from tests.faults.invariants import Evidence
from tests.faults.ledger import Ledger
from tests.faults.machines import Broker, MailServer
from tests.faults.oracle import Oracle
from tests.faults.population import Population
from tests.faults.workers import LOG, Workers, wait_until
from tests.worker.processes import environment

LEASE = 3  # seconds
LINES = 4  # C
PROCESSES = 4
ON_SQLITE = 2  # as an installation has: more, without a pause, keep each other from its one lock for a whole lease
PATIENCE_PERCENT = 5  # of the time-outs: half a minute for an answer to the dot
LOOK_EVERY = 0.5  # seconds between looks at the ledger
Figures = Mapping[str, Any]
_AWAY = (psycopg.Error, sqlite3.Error)


class Rig:
    """Everything that one scenario needs; ended by `with`."""

    def __init__(
        self,
        kind: str,
        population: Population,
        conduct: Conduct | None = None,
        *,
        seed: int = 0,
        cluster: Cluster | None = None,
        broker: bool = False,
        command: str = "deliver",
        mail_url: str = "smtp://127.0.0.1:{port}",
        settings: Mapping[str, str] | None = None,
        disk: Path | None = None,
    ) -> None:
        """Make it. `disk`: where an SQLite database stands, and the workers' log, if not where everything is."""
        self.drawn = random.Random(seed)  # noqa: S311  the same each time
        self.seed = seed
        self.crashes_beside = self.restarts = self.cuts = 0
        self.expected_errors = ""  # a pattern: what the workers may say where a fault of ours is the cause
        self._settings, self._mail_url = settings or {}, mail_url
        self._at_the_end = contextlib.ExitStack()
        made = tempfile.TemporaryDirectory(prefix="pb-rig-", ignore_cleanup_errors=True)
        self.place = Path(self._at_the_end.enter_context(made))
        try:
            self.cluster = cluster
            self.database, self.found = databases.filled(
                kind, population, place=disk or self.place, cluster=cluster.url if cluster else ""
            )
            self._at_the_end.callback(self.database.drop)
            self.mail = MailServer(self.place, conduct or Conduct(seed=seed))
            self._at_the_end.callback(self.mail.close)
            self.broker = Broker(self.place) if broker else None
            if self.broker:
                self._at_the_end.callback(self.broker.close)
            self.workers = Workers(self.place, self.env, command=command, log=(disk or self.place) / LOG)
            self._at_the_end.callback(self.workers.close)
            # While supporters confirm, what is created grows; afterwards it is counted like the rest.
            self.watch = Watch(self.database, created=None if population.awaiting else self.found.deliveries)
        except BaseException:
            self._at_the_end.close()
            raise

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_facts: object) -> None:
        self.watch.stop()
        if kind is not None:
            keep(self.place)
        self._at_the_end.close()

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of the installation's processes."""
        usual = {
            "SSL_CERT_FILE": str(self.place / "localhost.pem"),  # a rig trusts its own mail server and nobody else
            "DATABASE_URL": self.database.url,
            "EMAIL_URL": self._mail_url.format(port=self.mail.port),
            "LEASE_SECONDS": str(LEASE),
            "BACKOFF_PERCENT": "1",
            "MAIL_PATIENCE_PERCENT": str(PATIENCE_PERCENT),
            "CONNECTIONS": str(LINES),
            "CONNECTIONS_PER_DOMAIN": str(LINES),
            "WORKERS": "1",  # of which each process thinks that it has all lines
            "LOG_LEVEL": "WARNING",
        }
        if self.broker:
            usual["REDIS_URL"] = self.broker.url
        return environment(self.place, **{**usual, **self._settings})

    @property
    def oracle(self) -> Oracle:
        """Return the mail server's log, read up to now."""
        return self.mail.oracle.look()

    def ledger(self) -> Ledger:
        """Return what the database says."""
        return ledger.read(self.database)

    def waiting(self) -> int:
        """Return how many deliveries have not come to an end."""
        return ledger.snapshot(self.database).waiting

    def count(self, where: str) -> int:
        """Return how many deliveries fit a condition."""
        return int(self.database.rows(f"SELECT count(*) FROM letters_delivery WHERE {where}")[0][0])

    def due(self, ids: str = "1 = 1") -> int:
        """Let deliveries that wait be due now, those that fit a condition; return how many."""
        change = f"UPDATE letters_delivery SET due_at = {self._now} WHERE state = 'queued' AND ({ids})"
        return self.database.execute(change)

    @property
    def _now(self) -> str:
        return "clock_timestamp()" if self.database.kind == "postgresql" else "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def park(self, ids: str = "1 = 1") -> int:
        """Let deliveries that wait be due in some years, those that fit a condition."""
        return self.database.execute(
            f"UPDATE letters_delivery SET due_at = '2100-01-01 00:00:00+00:00' WHERE state = 'queued' AND ({ids})"
        )

    def drain(self, *, seconds: float, hurries: bool = False) -> float:
        """Wait for the end of every delivery; return how long it took. `hurries`: what waits is due at once."""

        def is_over() -> bool:
            with contextlib.suppress(*_AWAY):
                if hurries:  # only what must wait: a row that is changed again and again is one that workers skip
                    self.due(f"due_at IS NULL OR due_at > {self._now}")
                return self.waiting() == 0
            return False

        return wait_until(is_over, seconds=seconds, every=0.1, what="the end of every delivery")

    def evidence(self, confirmed: Mapping[int, int] | None = None) -> Evidence:
        """Return all that is known now, for the invariants; `confirmed`: letters that pages said this of."""
        logs = invariants.texts([self.workers.log, self.place / "web.log"])
        if self.broker:
            with contextlib.suppress(OSError):
                logs.append(("the broker", self.broker.holds().decode("latin-1")))
        return Evidence(
            ledger=self.ledger(), oracle=self.oracle, notes=journal.read(self.workers.journal),
            created=self.found.deliveries + sum((confirmed or {}).values()), lines=int(self.env["CONNECTIONS"]),
            processes=PROCESSES, crashes=self.workers.kills + self.crashes_beside, pauses=self.workers.pauses,
            restarts=self.restarts, cuts=self.cuts, confirmed=confirmed or {}, texts=logs,
        )  # fmt: skip

    def judge(self, confirmed: Mapping[int, int] | None = None) -> Evidence:
        """Check every invariant; return the evidence. Raises AssertionError with every violation and the seed."""
        self.watch.stop()
        evidence = self.evidence(confirmed)
        found = [*invariants.violations(evidence), *self.watch.violations]
        if by_themselves := self.workers.ended_by_themselves():
            found.append(f"workers ended by themselves: {by_themselves}")
        told = databases.lines_of(self.workers.log, r"^Traceback|\bERROR\b|\bCRITICAL\b")
        if defects := [line for line in told if not (self.expected_errors and re.search(self.expected_errors, line))]:
            found.append(f"the workers' log holds defects: {defects[:5]}")
        assert not found, "\n".join([f"seed {self.seed}:", *found])
        return evidence

    def figures(self, evidence: Evidence, **more: object) -> dict[str, object]:
        """Return what is worth telling of a run."""
        return {
            "seed": self.seed, **dict(sorted(evidence.ledger.states().items())),
            "extra": evidence.oracle.extra(), "A": evidence.ledger.ambiguous(), **more,
        }  # fmt: skip


class Watch:
    """Looks at the ledger again and again, while others write (I1, I7)."""

    def __init__(self, database: Database, *, created: int | None) -> None:
        self.created = created
        self._found: dict[str, str] = {}
        self.looks = 0
        self.judges_leases = True  # not where clocks are shifted, or nobody may reap
        self._database = database
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @property
    def violations(self) -> list[str]:
        """Return what did not hold at some time."""
        return list(self._found.values())

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            try:
                seen = ledger.snapshot(self._database)
            except _AWAY:  # it was restarted
                continue
            self.looks += 1
            found = invariants.of_snapshot(seen, created=self.created, judges_leases=self.judges_leases)
            self._found |= {re.sub(r"\d+", "…", one): one for one in found}  # each kind once, as it was at last


@contextlib.contextmanager
def beside(deed: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something again and again in a thread until the end of `with`; its failure fails the test."""
    over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            deed(over)
        except BaseException as error:  # noqa: BLE001  told to the one who waits
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)
    if failures:
        raise failures[0]


def keep(place: Path) -> None:
    """Keep what a failed scenario left behind, where POSTBAG_FAULTS_KEEP names a directory."""
    wanted = os.environ.get("POSTBAG_FAULTS_KEEP")
    if wanted:
        import shutil  # noqa: PLC0415  only then

        kept = Path(wanted) / f"{int(time.time())}-{secrets.token_hex(2)}"
        shutil.copytree(place, kept, ignore_dangling_symlinks=True, symlinks=True)

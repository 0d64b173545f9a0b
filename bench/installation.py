"""Postbag itself as a contender: real installations full of waiting letters, drained by real worker processes."""

import contextlib
import json
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import processes, work
from bench.figures import Sample
from bench.processes import Failed, Watch
from bench.stage import Stage

LONGEST_RUN = 1800.0  # seconds
_SLOWEST = 40.0  # deliveries a second, below which something is wrong
POSTGRESQL, SQLITE = "postgresql", "sqlite"


@dataclass
class Installations:
    """Full installations by size, made once and copied for each run."""

    stage: Stage
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    identity: str = field(default_factory=lambda: secrets.token_hex(16))
    _made: dict[tuple[str, int], str] = field(default_factory=dict)
    _runs: int = 0
    _bytes_each: int = 0

    def environment(self, data: Path, database: str, *, port: int, connections: int = 0) -> dict[str, str]:
        """Return the settings of an installation: as it comes, but for where things are.

        `database` "" is the embedded SQLite; `port` is the receiving mail server's; `connections` 0 the usual number.
        """
        more = {"CONNECTIONS": str(connections)} if connections else {}
        return processes.environment(
            DJANGO_SETTINGS_MODULE="config.settings", POSTBAG_DATA=str(data), DATABASE_URL=database,
            EMAIL_URL=f"smtp://127.0.0.1:{port}", SECRET_KEY=self.secret, INSTANCE_ID=self.identity,
            BASE_URL="http://localhost:8000", **more,
        )  # fmt: skip

    def prepare(self, kind: str, deliveries: int) -> int:
        """Make a full installation of this size, where there is none; return how many deliveries it really has."""
        letters = max(round(deliveries / work.TARGETS), 1)
        if (kind, letters) not in self._made:
            self._made[kind, letters] = self._fill(kind, letters)
        return letters * work.TARGETS

    def bytes_each(self) -> int:
        """Return what a letter of the work has on the wire, as Postbag writes it: text, its encoding, headers."""
        if not self._bytes_each:
            self.prepare(POSTGRESQL, work.TARGETS)
        return self._bytes_each

    def _fill(self, kind: str, letters: int) -> str:
        """Fill an empty installation; return the name or path of its database."""
        if (kind, 0) not in self._made:
            data, url, made = self._new(kind, "empty")
            env = self.environment(data, url, port=self.stage.sink_port)
            processes.said([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=env)
            self._made[kind, 0] = made
        data, url, made = self._new(kind, f"full_{letters}", like=self._made[kind, 0])
        env = self.environment(data, url, port=self.stage.sink_port)
        told = json.loads(processes.said([sys.executable, "-m", "bench.filling", str(letters)], env=env))
        self._bytes_each = told["bytes_each"]
        if kind == POSTGRESQL:
            self.stage.settle(made)
        return made

    def _new(self, kind: str, name: str, *, like: str = "") -> tuple[Path, str, str]:
        """Return a directory, the URL of a database ("": SQLite there), and that database's name or path."""
        data = self.stage.place(name)
        if kind == POSTGRESQL:
            return data, self.stage.create(name, template=like), name
        file = data / "postbag.sqlite3"
        if like:
            shutil.copyfile(like, file)
        return data, "", str(file)

    @contextlib.contextmanager
    def copy(self, kind: str, deliveries: int) -> Iterator[tuple[Path, str]]:
        """Copy a full installation for one run; yields its directory and the URL of its database ("": SQLite there)."""
        self._runs += 1
        data, url, made = self._new(kind, f"run_{self._runs}", like=self._made[kind, deliveries // work.TARGETS])
        try:
            yield data, url
        finally:
            if kind == POSTGRESQL:
                self.stage.drop(made)
            shutil.rmtree(data, ignore_errors=True)

    def forget(self, kind: str, deliveries: int) -> None:
        """Remove a full installation that no run needs any more."""
        made = self._made.pop((kind, deliveries // work.TARGETS))
        if kind == SQLITE:
            shutil.rmtree(Path(made).parent, ignore_errors=True)
        else:
            self.stage.drop(made)


@dataclass(frozen=True)
class Postbag:
    """So many worker processes on one of the two databases."""

    installations: Installations
    workers: int = 2
    kind: str = POSTGRESQL
    connections: int = 0  # of each worker; 0: as it comes
    port: int = 0  # of the receiving mail server; 0: the stage's
    name: str = ""

    def prepare(self, deliveries: int) -> int:
        """Make what a run of this size needs; return the size it will have."""
        return self.installations.prepare(self.kind, deliveries)

    def run(self, deliveries: int) -> Sample:
        """Drain a copy of the full installation, the guarantee on. Raises Failed where a delivery was not sent once."""
        with self.installations.copy(self.kind, deliveries) as (data, url):
            return self.drain(data, url, deliveries, port=self.port or self.installations.stage.sink_port)

    def drain(self, data: Path, url: str, deliveries: int, *, port: int) -> Sample:
        """Drain into the mail server at `port`; measured from the first claim to the last record, by the rows."""
        stage = self.installations.stage
        env = self.installations.environment(data, url, port=port, connections=self.connections)
        log = data / "workers.log"
        command = [sys.executable, "manage.py", "deliver", "--once"]
        with contextlib.ExitStack() as stack:
            workers = [
                stack.enter_context(processes.started(command, env=env, log=log, guardian=stage.guardian))
                for _ in range(self.workers)
            ]
            roles = {"processes": [worker.pid for worker in workers]}
            if self.kind == POSTGRESQL:
                roles["database"] = [stage.cluster_pid]
            watch = stack.enter_context(Watch(roles))
            seconds = min(60 + deliveries / _SLOWEST, LONGEST_RUN)
            processes.wait_until_ended(workers, seconds=seconds, log=log)
        told: dict[str, Any] = json.loads(processes.said([sys.executable, "-m", "bench.ledger"], env=env))
        if told["states"] != {"sent": deliveries} or told["tries"]:
            words = log.read_text("utf-8", "replace")[-2000:]
            raise Failed(f"{deliveries} deliveries ended as {told['states']}, {told['tries']} not at once. {words}")
        return Sample(
            self.name, deliveries, told["ended"] - told["began"],
            cpu=watch.cpu(began=told["began"], ended=told["ended"]), peaks=watch.peaks("processes"),
            together=watch.together("processes"),
        )  # fmt: skip

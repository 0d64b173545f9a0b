"""The two databases of a rig, and installations full of letters that are made once and copied."""

import contextlib
import functools
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg

from config.supervisor.ports import free_port
from tests import servers
from tests.faults import machines
from tests.faults.population import Found, Population
from tests.worker.processes import ROOT, environment, manage

Row = tuple[Any, ...]
_PASSWORD = secrets.token_hex(16)  # of the clusters that this process starts
_making = {"sqlite": threading.RLock(), "postgresql": threading.RLock()}  # scenarios run side by side
# What workers say of a database that is away: a pattern.
AWAY = r"(sweep|release|remind|expire|a turn of the delivery loop) failed: \w+"


class Database(Protocol):
    """An installation's database, seen past the product."""

    kind: str

    @property
    def url(self) -> str:
        """Return its DATABASE_URL."""

    def rows(self, query: str) -> list[Row]:
        """Return what a query finds, at one moment."""

    def execute(self, statement: str) -> int:
        """Execute and commit; return how many rows it changed."""

    def leave(self) -> None:
        """Close this thread's connection: the next one begins anew."""

    def settle(self) -> None:
        """Be ready to be copied: nothing is written any more."""

    def drop(self) -> None:
        """Let it go."""


class Sqlite:
    """A file."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        """See Database."""
        return f"sqlite:///{self.path}"

    def rows(self, query: str) -> list[Row]:
        """See Database."""
        with closing(sqlite3.connect(self.path, timeout=30)) as line:
            return list(line.execute(query))

    def execute(self, statement: str) -> int:
        """See Database."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as line:
            return line.execute(statement).rowcount

    def leave(self) -> None:
        """See Database: there is none to keep."""

    def settle(self) -> None:
        """See Database: all is in the one file."""
        with closing(sqlite3.connect(self.path)) as line:
            line.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def drop(self) -> None:
        """See Database."""
        for end in ("", "-wal", "-shm"):
            Path(f"{self.path}{end}").unlink(missing_ok=True)


class Postgresql:
    """A database of a cluster; `cluster` is the address of another one in it."""

    kind = "postgresql"

    def __init__(self, cluster: str, name: str) -> None:
        self.cluster, self.name = cluster, name
        self._kept = threading.local()  # a connection for each thread: looks are many
        self._lines: list[psycopg.Connection[Row]] = []  # all of them

    @property
    def url(self) -> str:
        """See Database."""
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/{self.name}"))

    def rows(self, query: str) -> list[Row]:
        """See Database."""
        return self._said(query).fetchall()

    def execute(self, statement: str) -> int:
        """See Database."""
        return self._said(statement).rowcount

    def _said(self, statement: str) -> "psycopg.Cursor[Row]":
        """Execute; once more on a new connection where the old one was broken, as all do who look past a restart."""
        line: psycopg.Connection[Row] | None = getattr(self._kept, "line", None)
        if line is not None and not line.closed:
            with contextlib.suppress(psycopg.OperationalError):
                return line.execute(statement)
            line.close()
        self._kept.line = line = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
        self._lines.append(line)
        return line.execute(statement)

    def create(self, template: str = "template0") -> None:
        """Make it, as a copy of another one."""
        with psycopg.connect(self.cluster, autocommit=True) as line:
            line.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{template}"')

    def leave(self) -> None:
        """See Database."""
        if (line := getattr(self._kept, "line", None)) is not None:
            line.close()

    def settle(self) -> None:
        """See Database: nobody may be connected to a template."""
        for line in self._lines:
            line.close()

    def drop(self) -> None:
        """See Database."""
        for line in self._lines:
            line.close()
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.cluster, autocommit=True) as line:
            line.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


class Cluster:
    """A PostgreSQL of a rig's own, every commit forced to the disk, that can be killed, stopped and started again."""

    def __init__(self, place: Path, *, settings: Sequence[str] = ()) -> None:
        self._user = servers._unprivileged()
        self.place, self.port = place, free_port()
        self.url = f"postgres://postbag:{_PASSWORD}@127.0.0.1:{self.port}/postgres"
        self.data, self.log = place / "cluster", place / "postgresql.log"
        with _making["postgresql"]:
            shutil.copytree(_initialised(), self.data, symlinks=True)
        self._own_all()
        self._command = [
            str(_program("postgres")), "-D", str(self.data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={place}", "-c", "fsync=on", "-c", "max_connections=300",
            *(word for setting in settings for word in ("-c", setting)),
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self._process = machines.started(
            servers._as(self._user, self._command), log=self.log, env=servers._environment(), ending=signal.SIGINT
        )
        machines.wait_until_it_takes(self.port, self._process, self.log)
        for _ in range(1000):
            if servers._accepts(self.port):
                with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url):
                    return
            threading.Event().wait(0.02)
        raise servers.ServerMissing(f"PostgreSQL does not answer: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends transactions first, SIGQUIT is an immediate shutdown."""
        machines.ended(self._process, how)

    def restart(self) -> None:
        """Stop at once, without a word to anybody, and start again: pg_ctl restart -m immediate."""
        self.stop(signal.SIGQUIT)
        self.start()

    def kill(self) -> None:
        """Kill every process of it, as a power cut would."""
        for pid in [self._process.pid, *machines.children_of(self._process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def move_to_copy(self) -> None:
        """Go on from a copy of the data directory, made while nothing runs."""
        copy = self.data.with_name("copy")
        shutil.copytree(self.data, copy)
        shutil.rmtree(self.data)
        copy.rename(self.data)
        self._own_all()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _own_all(self) -> None:
        _own(self._user, self.place, self.data)
        _own(self._user, *[Path(at) / name for at, below, files in os.walk(self.data) for name in [*below, *files]])


@contextlib.contextmanager
def cluster(*, place: Path | None = None, settings: Sequence[str] = ()) -> Iterator[Cluster]:
    """Run a cluster of one's own until the end of `with`."""
    with contextlib.ExitStack() as at_the_end:
        if place is None:
            made = tempfile.TemporaryDirectory(prefix="pb-faults-", ignore_cleanup_errors=True)
            place = Path(at_the_end.enter_context(made))
        running = Cluster(place, settings=settings)
        at_the_end.callback(running.stop)
        yield running


# ── what is made once ────────────────────────────────────────────────────────────────────────────────────


class _Store:
    """What this process has made once: directories and a cluster, gone with it."""

    def __init__(self) -> None:
        self.at_the_end = contextlib.ExitStack()
        made = tempfile.TemporaryDirectory(prefix="pb-faults-", ignore_cleanup_errors=True)
        self.place = Path(self.at_the_end.enter_context(made))
        self.cluster = ""

    def shared_cluster(self) -> str:
        """Return the address of the cluster that scenarios share which leave it alone."""
        with _making["postgresql"]:
            if not self.cluster:
                self.cluster = self.at_the_end.enter_context(cluster()).url
            return self.cluster


def _program(name: str) -> Path:
    found = servers.postgresql_program(name)
    if found is None:
        raise servers.ServerMissing(f"PostgreSQL's {name} is not installed. On Debian: apt-get install postgresql")
    return found


def _own(user: str | None, *paths: Path) -> None:
    if user:
        for path in paths:
            shutil.chown(path, user, None)


@functools.cache
def _initialised() -> Path:
    """Return the data directory of a new cluster, made once: each cluster of a rig is a copy of it."""
    place, user = Path(tempfile.mkdtemp(dir=store().place)), servers._unprivileged()
    (place / "password").write_text(_PASSWORD, encoding="ascii")
    store().place.chmod(0o711)
    _own(user, place, place / "password")
    command = [
        str(_program("initdb")), "-D", str(place / "cluster"), "-U", "postbag", "-A", "scram-sha-256", "--pwfile",
        str(place / "password"), "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    _run(user, *command)
    return place / "cluster"


def _run(user: str | None, *command: str) -> None:
    done = subprocess.run(
        servers._as(user, command), cwd="/", env=servers._environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise servers.ServerMissing(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


_store: _Store | None = None


def store() -> _Store:
    """Return what this process has made once; `clear` lets it go."""
    global _store  # noqa: PLW0603  one for each process
    if _store is None:
        _store = _Store()
    return _store


def empty_sqlite(directory: Path) -> Path:
    """Put an SQLite database that is up to date and empty into a directory; return its file."""
    with _making["sqlite"]:
        return Path(shutil.copyfile(_migrated(""), directory / "postbag.sqlite3"))


def clear() -> None:
    """Let go what was made once."""
    global _store  # noqa: PLW0603
    if _store is not None:
        _store.at_the_end.close()
    _store = None
    for made_once in (_stock, _migrated, _initialised):
        made_once.cache_clear()


def making(kind: str) -> threading.RLock:
    """Return what is held while something is made once, or copied from what was."""
    return _making[kind]


def empty(kind: str, place: Path) -> Database:
    """Return a database that is up to date and empty; a file is put into that directory."""
    with _making[kind]:
        if kind == "sqlite":
            return Sqlite(empty_sqlite(place))
        made = Postgresql(store().shared_cluster(), f"empty_{secrets.token_hex(4)}")
        made.create(_migrated(made.cluster))
        return made


def copied(stock: Database, place: Path, *, cluster: str = "") -> Database:
    """Return a copy of a database that has settled: a file in that directory, or within its or another cluster."""
    if not isinstance(stock, Postgresql):
        return Sqlite(Path(shutil.copyfile(_path(stock), place / "postbag.sqlite3")))
    copy = Postgresql(cluster or stock.cluster, f"postbag_{secrets.token_hex(4)}")
    copy.create("template0" if cluster else stock.name)
    if cluster:
        _run(None, str(_program("pg_dump")), "--format=custom", f"--file={place / 'stock'}", stock.url)
        _run(None, str(_program("pg_restore")), "--no-owner", f"--dbname={copy.url}", str(place / "stock"))
    return copy


def filled(kind: str, population: Population, *, place: Path, cluster: str = "") -> tuple[Database, Found]:
    """Return a database with this population: a copy of one that was made before, where there is one."""
    with _making[kind]:
        stock, found = _stock(kind, population)
        return copied(stock, place, cluster=cluster), found


@functools.cache
def _stock(kind: str, population: Population) -> tuple[Database, Found]:
    place = Path(tempfile.mkdtemp(dir=store().place))
    made = empty(kind, place)
    command = [sys.executable, "-m", "tests.faults.population", population.as_json()]
    env = environment(place, DATABASE_URL=made.url, LOG_LEVEL="ERROR")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    made.settle()
    return made, Found(**{**values, "links": tuple(values["links"])})


@functools.cache
def _migrated(cluster: str) -> str:
    """Return the name or path of an empty database that is up to date."""
    place = Path(tempfile.mkdtemp(dir=store().place))
    made: Sqlite | Postgresql
    if cluster:
        made = Postgresql(cluster, f"empty_{secrets.token_hex(4)}")
        made.create()
    else:
        made = Sqlite(place / "empty.sqlite3")
    done = manage("migrate", "--verbosity", "0", env=environment(place, DATABASE_URL=made.url))
    assert done.returncode == 0, done.stderr
    made.settle()
    return made.name if isinstance(made, Postgresql) else str(made.path)


def _path(database: Database) -> Path:
    assert isinstance(database, Sqlite)
    return database.path


def lines_of(log: Path, pattern: str) -> list[str]:
    """Return the lines of a log that hold a pattern."""
    if not log.exists():
        return []
    return [line for line in log.read_text(errors="replace").splitlines() if re.search(pattern, line)]

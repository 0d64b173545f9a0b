"""Where it all takes place: a PostgreSQL cluster, a broker and a receiving mail server, all private and on loopback."""

import contextlib
import os
import pwd
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from bench import processes, programs
from bench.processes import Failed, Guardian
from config.supervisor.ports import free_port
from tests import servers

CLUSTER = {"shared_buffers": "256MB", "max_wal_size": "4GB"}  # fsync and all else as PostgreSQL comes
_SINK_TAKES = "1000"  # connections at once, and as many waiting
_LISTENING_WITHIN = 10.0  # seconds
_EMPTY = {"tmpfs", "ramfs"}  # file systems on which a commit costs nothing


@dataclass
class Stage:
    """What contenders run on."""

    directory: Path
    guardian: Guardian
    cluster: str = ""  # URL of its first database
    cluster_pid: int = 0
    broker: str = ""
    broker_pid: int = 0
    sink_port: int = 0
    _number: int = field(default=0, repr=False)

    def place(self, name: str) -> Path:
        """Return a new directory."""
        self._number += 1
        made = self.directory / f"{name}-{self._number}"
        made.mkdir()
        return made

    def database(self, name: str) -> str:
        """Return the URL of a database of the cluster."""
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/{name}"))

    def create(self, name: str, *, template: str = "") -> str:
        """Create a database, empty or as a copy of another; return its URL."""
        with psycopg.connect(self.cluster, autocommit=True) as line:
            if template:
                # Copied file by file: what was copied is on the disk before the clock starts.
                how = sql.SQL(" STRATEGY FILE_COPY" if line.info.server_version >= 150000 else "")  # else the only way
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
                line.execute(copy + how)
            else:
                line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.database(name)

    def drop(self, name: str) -> None:
        """Drop a database where it is."""
        with psycopg.connect(self.cluster, autocommit=True) as line:
            line.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self, name: str) -> None:
        """Do what PostgreSQL would do by itself soon after a database was filled, so that nobody's run pays for it."""
        with psycopg.connect(self.database(name), autocommit=True) as line:
            line.execute("VACUUM ANALYZE")
            line.execute("CHECKPOINT")


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Set the stage; everything is gone at the end. Raises Failed, servers.ServerMissing."""
    with contextlib.ExitStack() as stack:
        guardian = Guardian()
        stack.callback(guardian.close)
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-bench-", ignore_cleanup_errors=True))
        directory = Path(made)
        directory.chmod(0o711)  # the receiving server is not root
        here = Stage(directory, guardian)
        settings = [word for name, value in CLUSTER.items() for word in ("-c", f"{name}={value}")]
        here.cluster = stack.enter_context(servers.postgresql(*settings))
        here.cluster_pid = _server_of(here.cluster)
        here.broker = stack.enter_context(servers.redis())
        with redis.Redis.from_url(here.broker) as broker:
            here.broker_pid = int(broker.info("server")["process_id"])
        here.sink_port = stack.enter_context(sink(here))
        yield here


@contextlib.contextmanager
def sink(here: Stage) -> Iterator[int]:
    """Run Postfix's smtp-sink, which takes every letter and keeps none; yields its port."""
    port = free_port()
    command = [programs.path_of("smtp-sink"), "-m", _SINK_TAKES, f"127.0.0.1:{port}", _SINK_TAKES]
    log = here.directory / "sink.log"
    with processes.started(
        as_nobody(command), env=processes.environment(), log=log, guardian=here.guardian, cwd=here.directory
    ):
        wait_until_listening(port, log)
        yield port


def as_nobody(command: list[str]) -> list[str]:
    """Return a command that does not run as root: smtp-sink refuses to."""
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Failed("setpriv is missing. As root: apt-get install util-linux")
    nobody = pwd.getpwnam("nobody")
    return [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--", *command]


def wait_until_listening(port: int, log: Path) -> None:
    """Wait for a server of ours on loopback. Raises Failed."""
    until = time.monotonic() + _LISTENING_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise Failed(f"A receiving server did not start: {log.read_text('utf-8', 'replace')}") from None
            time.sleep(0.02)
        else:
            return


def disk_of(directory: Path) -> str:
    """Return the kind of file system that a directory is on; "" where the system does not tell."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    whole = str(directory.resolve())
    fitting = [(len(at), kind) for _, at, kind, *_ in mounts if at == "/" or f"{whole}/".startswith(f"{at}/")]
    return max(fitting)[1] if fitting else ""


def require_disk(directory: Path) -> None:
    """Raise Failed where commits would cost nothing: the figures would mean nothing either."""
    if disk_of(directory) in _EMPTY:
        raise Failed(f"{directory} is memory, where commits cost nothing. Set TMPDIR to a directory on a disk.")


def _server_of(cluster: str) -> int:
    """Return the process from which all of a cluster's come, as soon as the cluster takes connections."""
    until = time.monotonic() + _LISTENING_WITHIN
    while True:
        try:
            with psycopg.connect(cluster) as line:
                own = Path(f"/proc/{line.info.backend_pid}/stat").read_text("ascii", "replace")
                return int(own.rpartition(")")[2].split()[1])
        except psycopg.OperationalError:  # it is starting up
            if time.monotonic() > until:
                raise
            time.sleep(0.05)

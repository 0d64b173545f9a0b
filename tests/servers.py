"""Private PostgreSQL and Redis servers for tests: on free ports, gone when the test run ends."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config.supervisor.launch import wrapped
from config.supervisor.ports import free_port

_STARTING_FOR = 30.0  # seconds
_ENDING_FOR = 20.0


class ServerMissing(Exception):
    """A server's program is not installed."""

    code = "server_missing"


def postgresql_program(name: str) -> Path | None:
    """Return PostgreSQL's program `name`, the newest version's; None where it is not installed."""
    debian = Path("/usr/lib/postgresql")
    found = [path for path in debian.glob(f"*/bin/{name}") if path.parts[-3].isdigit()]
    if found:
        return max(found, key=lambda path: int(path.parts[-3]))
    on_path = shutil.which(name)
    return Path(on_path) if on_path else None


@contextlib.contextmanager
def postgresql(*options: str) -> Iterator[str]:
    """Run a new cluster, every commit forced to the disk as in production; yields its DATABASE_URL.

    PostgreSQL refuses to run as root: then it runs as the system user `postgres`. `options` are the server's own, such
    as "-c", "max_wal_size=4GB". Raises ServerMissing.
    """
    initdb, server = postgresql_program("initdb"), postgresql_program("postgres")
    if initdb is None or server is None:
        raise ServerMissing("PostgreSQL is not installed. On Debian: apt-get install postgresql")
    user = _unprivileged()
    with _directory(user) as directory:
        password, port = secrets.token_hex(16), free_port()
        kept = directory / "password"
        kept.write_text(password, encoding="ascii")
        if user:
            shutil.chown(kept, user, None)
        cluster = directory / "cluster"
        made = subprocess.run(
            _as(user, [
                str(initdb), "-D", str(cluster), "-U", "postbag", "-A", "scram-sha-256",
                "--pwfile", str(kept), "--encoding", "UTF8", "--locale", "C.UTF-8",
            ]),
            cwd=directory, env=_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise ServerMissing(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        command = [
            str(server), "-D", str(cluster), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={directory}", "-c", "fsync=on", "-c", "max_connections=60",
            *options,
        ]  # fmt: skip
        with _running(_as(user, command), directory, signal.SIGINT, lambda: _accepts(port)):
            yield f"postgres://postbag:{password}@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run an empty Redis that keeps nothing; yields its REDIS_URL. Raises ServerMissing."""
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        raise ServerMissing("Redis is not installed. On Debian: apt-get install redis-server")
    with _directory(None) as directory:
        port = free_port()
        command = [
            server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", "",
            "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning",
        ]  # fmt: skip
        with _running(command, directory, signal.SIGTERM, lambda: _pongs(port)):
            yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def _running(
    command: Sequence[str], directory: Path, ending: signal.Signals, is_ready: Callable[[], bool]
) -> Iterator[None]:
    # The leash ends the server even where this process is killed.
    with (directory / "log").open("w+b") as log, subprocess.Popen(
        wrapped(command, ending=ending), cwd=directory, env=_environment(),
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + _STARTING_FOR
            while not is_ready():
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    reason = log.read().decode(errors="replace").strip()
                    raise ServerMissing(f"A server for the tests did not start: {reason}")
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(ending)
            try:
                process.wait(_ENDING_FOR)
            except subprocess.TimeoutExpired:
                process.kill()


def _as(user: str | None, command: Sequence[str]) -> list[str]:
    if user is None:
        return list(command)
    # Changing the user takes the leash off, so it is put on again here.
    setpriv = [shutil.which("setpriv") or "", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return [*setpriv, "--pdeathsig=INT", "--", *command]


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            if shutil.which("setpriv"):
                return pwd.getpwnam(name).pw_name
    raise ServerMissing("PostgreSQL does not run as root. Run ./check as somebody else.")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@contextlib.contextmanager
def _directory(user: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pb-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, user, None)
        yield Path(name)


def _accepts(port: int) -> bool:
    # PostgreSQL answers an SSLRequest with one letter only once it takes connections.
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
            return line.recv(1) in {b"S", b"N"}
    except OSError:
        return False


def _pongs(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False

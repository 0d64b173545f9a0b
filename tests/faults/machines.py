"""The mail server and the broker of a rig, as processes that end with this one."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.supervisor.launch import wrapped
from config.supervisor.ports import free_port
from tests import servers
from tests.faults.conduct import Conduct
from tests.faults.oracle import Oracle

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 30.0  # seconds
ENDS_WITHIN = 20.0


def wait_until_it_takes(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a process listens on this port of this machine."""
    until = time.monotonic() + STARTS_WITHIN
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise servers.ServerMissing(f"A server did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


def started(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], talks: bool = False,
    ending: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":  # fmt: skip
    """Start a process that ends with this one; `talks`: through pipes to its standard input and output."""
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    with log.open("ab") as file:
        return subprocess.Popen(
            wrapped(command, ending=ending), cwd=ROOT, env=dict(env), stdin=pipe,
            stdout=subprocess.PIPE if talks else file, stderr=file, start_new_session=True,
        )  # fmt: skip


def ended(process: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM) -> int:
    """End a process; return its status."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        status = process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait(5)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    return status


class MailServer:
    """The faulty mail server, seen from the rig."""

    def __init__(self, place: Path, conduct: Conduct | None = None, *, name: str = "mail") -> None:
        self.oracle = Oracle(place / f"{name}.log")
        self._errors = place / f"{name}-errors.log"
        self._start(conduct or Conduct(), 0)

    def _start(self, conduct: Conduct, port: int) -> None:
        command = [sys.executable, "-m", "tests.faults.server", str(self.oracle.path), str(port)]
        self._process = started(command, log=self._errors, env=_environment(), talks=True)
        self.obey(conduct)

    def obey(self, conduct: Conduct) -> None:
        """Behave like this from now on."""
        self.conduct = conduct
        self._tell(conduct.as_json())

    def cut(self) -> None:
        """Reset every connection."""
        self._tell("cut")

    def stop(self) -> None:
        """Be away: nobody listens."""
        ended(self._process, signal.SIGKILL)

    def restart(self) -> None:
        """Be back, on the same port."""
        self._start(self.conduct, self.port)

    def close(self) -> None:
        """End it; it must not have failed."""
        if self._process.poll() is None:
            ended(self._process)
        said = self._errors.read_text(errors="replace")
        assert "Traceback" not in said, said

    def _tell(self, order: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._errors.read_text(errors="replace")
        self.port = int(answer)


class Broker:
    """Redis that keeps nothing."""

    def __init__(self, place: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise servers.ServerMissing("Redis is not installed. On Debian: apt-get install redis-server")
        self._place, self.port = place, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(place), "--save", "",
            "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning",
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        log = self._place / "broker.log"
        self._process = started(self._command, log=log, env=_environment())
        wait_until_it_takes(self.port, self._process, log)

    def kill(self) -> None:
        """End it at once."""
        ended(self._process, signal.SIGKILL)

    def close(self) -> None:
        """End it."""
        ended(self._process)

    def say(self, *words: str) -> bytes:
        """Send one command; return the raw answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            sent = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
            line.sendall(b"*%d\r\n%s" % (len(words), sent))
            line.settimeout(5)
            return line.recv(1 << 20)

    def holds(self) -> bytes:
        """Return all that it keeps, as one heap of bytes: names and values."""
        heap = b""
        for name in _bulks(self.say("KEYS", "*")):
            heap += name + b"\n" + self.say("DUMP", name.decode("latin-1")) + b"\n"
            heap += self.say("HGETALL", name.decode("latin-1")) + b"\n"
        return heap


def _bulks(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if line and line[:1] not in {b"*", b"$"}]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def memory_of(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in said.split()]


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it is no corpse."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def open_files_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def as_json(value: object) -> str:
    """Return a value as one line of JSON."""
    return json.dumps(value, separators=(",", ":"), default=str)

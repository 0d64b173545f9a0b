"""One kept process: started with a leash, listened to, started again with growing patience, ended."""

import contextlib
import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from config.supervisor.launch import wrapped
from config.supervisor.programs import ROOT, Program

OnLine = Callable[[str, str], None]  # (the program's name, one line without its end)
_LONGEST_LINE = 4_000
_EXPLAINING_FOR = 1.0  # of the seconds that a program gets to end


@dataclass(frozen=True)
class BackOff:
    """How long to wait before a start: 1, 2, 4 … `most` seconds; 1 again after a life of `steady` seconds."""

    first: float = 1.0
    most: float = 30.0
    steady: float = 60.0

    def next(self, last: float, lived: float) -> float:
        """Return the seconds to wait, given the wait before (0 for none) and how long the process lived."""
        if last <= 0 or lived >= self.steady:
            return self.first
        return min(last * 2, self.most)


@dataclass
class Child:
    """A program and its present process. Only the supervisor's own thread starts, looks after and ends it."""

    program: Program
    on_line: OnLine
    back_off: BackOff
    inherited: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    ready: bool = False
    due_at: float = 0.0
    _began_at: float = 0.0
    _waited: float = 0.0
    _kills_at: float = field(default=float("inf"))
    _asks_why_at: float = field(default=float("inf"))

    @property
    def pid(self) -> int | None:
        """The process's id; None while it waits for its next start."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor only."""
        try:
            if self.program.prepare:
                self.program.prepare()
            self.process = subprocess.Popen(
                wrapped(self.program.command),
                cwd=ROOT,
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=tuple(self.inherited),
            )
        except OSError as error:
            self.on_line(self.program.name, f"cannot be started: {error}")
            self._wait_again(0)
            return
        self.starts += 1
        self._began_at = time.monotonic()
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()

    def look(self, now: float) -> int | None:
        """Notice readiness; where the process has ended, say so, set its next start, return its old id."""
        if self.process is None:
            return None
        status = self.process.poll()
        if status is None:
            if not self.ready:
                self.ready = self.program.is_ready is None or self.program.is_ready()
            return None
        pid, self.process, self.ready = self.process.pid, None, False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGTERM)  # what it had started itself
        self._wait_again(now - self._began_at)
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self.on_line(self.program.name, f"{how}; starts again in {self._waited:g} s")
        return pid

    def ask_to_end(self, now: float) -> None:
        """Send SIGTERM; after `finishing_for` seconds `has_ended` sends SIGKILL."""
        self._kills_at = now + self.program.finishing_for
        self._asks_why_at = self._kills_at - _EXPLAINING_FOR if self.program.explains else float("inf")
        self._signal(signal.SIGTERM)

    def has_ended(self, now: float) -> bool:
        """Say whether the process is gone, killing it once its time is up."""
        if self.process is None or self.process.poll() is not None:
            return True
        if now >= self._asks_why_at:
            self._asks_why_at = float("inf")
            self._signal(signal.SIGUSR1)
        if now >= self._kills_at:
            self._kills_at = float("inf")
            self.on_line(self.program.name, "did not end in time and is killed")
            self.kill()
        return False

    def kill(self) -> None:
        """Send SIGKILL to the process and its group."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    def _wait_again(self, lived: float) -> None:
        self._waited = self.back_off.next(self._waited, lived)
        self.due_at = time.monotonic() + self._waited

    def _listen(self, stream: BinaryIO) -> None:
        unheard = self.program.announces
        with io.TextIOWrapper(stream, encoding="utf-8", errors="replace") as text:
            while line := text.readline(_LONGEST_LINE):
                quiet = unheard or any(word in line for word in self.program.quiet_about)
                if line.strip() and not quiet:
                    self.on_line(self.program.name, line.rstrip())
                unheard = False

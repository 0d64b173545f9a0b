"""Keeps programs running until told to stop, and leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from config.supervisor import guardian, report
from config.supervisor.children import BackOff, Child, OnLine
from config.supervisor.programs import FINISHING_FOR, Program

_LOOK_EVERY = 0.1  # seconds
_STARTING_FOR = 20.0  # seconds that programs needed first may take before the others start anyway


class NotReady(Exception):
    """A program did not become ready in time."""

    code = "not_ready"

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        super().__init__(
            f"Not ready after {seconds:g} seconds: {', '.join(names)}. The lines above say why; set it right "
            "and start again."
        )
        self.names = list(names)


class Supervisor:
    """Starts programs, starts again what dies, ends them all: `with Supervisor(programs) as running: …`.

    One thread of its own owns all processes. `inherited` are file descriptors that every process keeps open.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        on_line: OnLine = report.line,
        back_off: BackOff = BackOff(),  # noqa: B008  frozen
        inherited: Sequence[int] = (),
    ) -> None:
        if len({program.name for program in programs}) != len(programs):
            raise ValueError("Two programs have the same name.")
        self._children = [Child(program, on_line, back_off, inherited) for program in programs]
        self._inherited = tuple(inherited)
        self._thread: threading.Thread | None = None
        self._stopping, self._hurrying = threading.Event(), threading.Event()
        self._guardian: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin to start everything; returns at once."""
        if self._thread is not None:
            raise RuntimeError("The supervisor has been started before.")
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self._thread.start()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once every program is ready, or when asked to stop. Raises NotReady after `timeout` s."""
        until = time.monotonic() + timeout
        while not self._stopping.is_set():
            waiting = [child.program.name for child in self._children if not child.ready]
            if not waiting:
                return
            if time.monotonic() >= until:
                raise NotReady(waiting, timeout)
            self._stopping.wait(_LOOK_EVERY / 2)

    def pids(self) -> dict[str, int]:
        """Return name → process id of what runs at this moment."""
        return {child.program.name: pid for child in self._children if (pid := child.pid) is not None}

    def starts(self) -> dict[str, int]:
        """Return name → how often it was started; more than 1 means that it died."""
        return {child.program.name: child.starts for child in self._children}

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    @contextlib.contextmanager
    def obeying_signals(self) -> Iterator[None]:
        """End all on Ctrl-C, SIGTERM or a closed terminal; at once when asked twice. Main thread only."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means: stay
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._obey) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run_forever(self) -> None:
        """Return when asked to stop and everything has ended."""
        while not self._stopping.wait(3600):
            pass
        self.stop()

    def stop(self) -> None:
        """End all, dependants first; 30 s to finish, then SIGKILL. Does nothing the second time."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def _obey(self, *_: object) -> None:
        if self._stopping.is_set():
            self._hurrying.set()
        self._stopping.set()

    def _run(self) -> None:
        first = [child for child in self._children if child.program.needed_first]
        rest = [child for child in self._children if not child.program.needed_first]
        try:
            self._keep(first, until_ready_for=_STARTING_FOR)
            self._keep(first + rest)
        finally:
            self._stopping.set()
            self._end(rest)
            self._end(first)
            self._dismiss_guardian()

    def _keep(self, children: Sequence[Child], until_ready_for: float | None = None) -> None:
        begun_at = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            self._keep_guardian()
            for child in children:
                gone = child.look(now)
                if gone is not None:
                    self._tell_guardian(f"-{gone}")
                if child.process is None and now >= child.due_at:
                    child.start()
                    if child.pid is not None:
                        self._tell_guardian(f"+{child.pid}")
            if until_ready_for is not None and (
                all(child.ready for child in children) or now - begun_at > until_ready_for
            ):
                return
            self._stopping.wait(_LOOK_EVERY if until_ready_for is None else _LOOK_EVERY / 5)

    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_end(time.monotonic())
        while left := [child for child in children if not child.has_ended(time.monotonic())]:
            if self._hurrying.is_set():
                for child in left:
                    child.kill()
            time.sleep(_LOOK_EVERY / 5)
        for child in children:
            if child.pid is not None:
                self._tell_guardian(f"-{child.pid}")
            child.process, child.ready = None, False

    def _keep_guardian(self) -> None:
        if self._guardian is not None and self._guardian.poll() is None:
            return
        self._dismiss_guardian()
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guardian.__file__)), str(FINISHING_FOR)],
            cwd=os.sep,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=self._inherited,
        )
        for child in self._children:
            if child.pid is not None:
                self._tell_guardian(f"+{child.pid}")

    def _tell_guardian(self, line: str) -> None:
        # A guardian that has just died is replaced at the next look and told everything then.
        with contextlib.suppress(OSError):
            if self._guardian is not None and self._guardian.stdin is not None:
                self._guardian.stdin.write(f"{line}\n")
                self._guardian.stdin.flush()

    def _dismiss_guardian(self) -> None:
        if self._guardian is None:
            return
        with contextlib.suppress(OSError):
            if self._guardian.stdin is not None:
                self._guardian.stdin.close()
        self._guardian.wait()
        self._guardian = None

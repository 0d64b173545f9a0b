"""The workers of a rig, seen from the rig: started, killed, paused, asked to end."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.faults import machines

LOG = "workers.log"
JOURNAL = "journal.log"
SWEEP_EVERY = 1.0  # seconds


def wait_until(holds: Callable[[], object], *, seconds: float, every: float = 0.02, what: str = "it") -> float:
    """Wait until something holds; return how long it took. Fails when it does not."""
    began_at = time.monotonic()
    while not holds():
        assert time.monotonic() - began_at < seconds, f"{what} did not come true within {seconds:.0f} s"
        time.sleep(every)
    return time.monotonic() - began_at


class Workers:
    """Forks of one warm parent, in the environment of one installation."""

    def __init__(self, place: Path, env: Mapping[str, str], *, log: Path, command: str = "deliver") -> None:
        self.log = log
        self.journal = place / JOURNAL
        self.kills = self.pauses = 0
        self.alive: list[int] = []
        self.statuses: dict[int, int] = {}
        self._doomed: set[int] = set()
        self._command = command
        self._parent = machines.started(
            [sys.executable, "-m", "tests.faults.worker", str(self.log)], log=self.log, env=env, talks=True
        )
        self._parent_pid = 0

    def start(self, count: int = 1, *, tricks: Iterable[str] = (), command: str = "") -> list[int]:
        """Start workers; return their process ids."""
        if not self._parent_pid:
            self._parent_pid = self._heard()["ready"]
        given = ["pid", f"sweep:{SWEEP_EVERY}", f"journal:{self.journal}", *tricks]
        made = [self._ask({"run": [command or self._command], "tricks": given})["pid"] for _ in range(count)]
        self.alive += made
        return made

    def kill(self, pid: int) -> None:
        """Kill a worker."""
        self._doomed.add(pid)
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        self.wait(pid)

    def wait(self, pid: int, *, seconds: float = 30.0) -> int:
        """Wait until a worker has ended; return its status, or minus the signal that ended it."""
        wait_until(lambda: self.has_ended(pid), seconds=seconds, every=0.005, what=f"the end of worker {pid}")
        return self.statuses[pid]

    def has_ended(self, pid: int) -> bool:
        """Return whether a worker has ended."""
        if pid not in self.statuses:
            for ended, status in self._ask({"ended": True})["ended"]:
                self.statuses[ended] = status
                self.alive.remove(ended)
        return pid in self.statuses

    def expect_end(self, pid: int) -> None:
        """Say that a worker may end by itself, by a trick or the mail server's hand: that counts as a kill."""
        self._doomed.add(pid)
        self.kills += 1

    def pause(self, pid: int) -> None:
        """Stop a worker as a debugger would."""
        os.kill(pid, signal.SIGSTOP)
        self.pauses += 1

    def is_paused(self, pid: int) -> bool:
        """Return whether a worker is stopped, by us or by itself."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"T", "t"}
        return False

    def resume(self, pid: int) -> None:
        """Let a stopped worker go on."""
        os.kill(pid, signal.SIGCONT)

    def ask_to_end(self, pid: int) -> None:
        """Send SIGTERM."""
        self._doomed.add(pid)
        os.kill(pid, signal.SIGTERM)

    def end(self, pids: Iterable[int] = (), *, seconds: float = 30.0) -> float:
        """Ask workers to end, all where none are named; return how long the last took. They must end well."""
        chosen = list(pids) or list(self.alive)
        began_at = time.monotonic()
        for pid in chosen:
            self.ask_to_end(pid)
        for pid in chosen:
            assert self.wait(pid, seconds=seconds) == 0, f"worker {pid} ended with {self.statuses[pid]}; {self.log}"
        return time.monotonic() - began_at

    def ended_by_themselves(self) -> dict[int, int]:
        """Return workers that ended though nobody wanted it, and how."""
        if self._parent_pid:
            self.has_ended(0)
        return {pid: status for pid, status in self.statuses.items() if pid not in self._doomed}

    def close(self) -> None:
        """End the parent, and what it has started."""
        for pid in list(self.alive):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        machines.ended(self._parent)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._parent.stdin is not None
        self._parent.stdin.write(machines.as_json(order).encode() + b"\n")
        self._parent.stdin.flush()
        return self._heard()

    def _heard(self) -> Any:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        assert line, f"the workers' parent has ended: {self.log.read_text(errors='replace')[-3000:]}"
        return json.loads(line)

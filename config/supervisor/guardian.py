"""Ends what a killed supervisor left running. Reads `+PID` and `-PID` lines until the supervisor is gone.

Run by path, without the project or site packages: `python -I -S guardian.py SECONDS`. When its standard
input closes, whatever the reason, every process group still listed gets SIGTERM and, SECONDS later, SIGKILL.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

_LOOK_EVERY = 0.1  # seconds


def guard(lines: Iterable[str], finishing_for: float) -> None:
    """Follow `lines` to their end, then end what is left, waiting at most `finishing_for` seconds."""
    running: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        if line.startswith("+"):
            running.add(pid)
        else:
            running.discard(pid)
    until = time.monotonic() + finishing_for
    for pid in running:
        _signal(pid, signal.SIGTERM)
    while running and time.monotonic() < until:
        running = {pid for pid in running if _signal(pid, 0)}
        time.sleep(_LOOK_EVERY)
    for pid in running:
        _signal(pid, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guard(sys.stdin, float(sys.argv[1]))

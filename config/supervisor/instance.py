"""One Postbag per data directory, and none before the last one's processes have ended."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_LOOK_EVERY = 0.2  # seconds


class AlreadyRunning(Exception):
    """Another supervisor works on this data directory, or what it left does not end."""

    code = "already_running"


@contextlib.contextmanager
def only_one(directory: Path, say: Callable[[str], None], leftovers_for: float) -> Iterator[int]:
    """Hold the directory; yields a descriptor for every process to inherit.

    Locks of the kernel end with their holders, so nothing stale can be left. One is the supervisor's alone;
    the other is held by all its processes: those of a killed one are waited for `leftovers_for` seconds.
    Raises AlreadyRunning.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _opened(directory / "supervisor.lock") as ours, _opened(directory / "processes.lock") as theirs:
        if not _locked(ours):
            number = ours.read().strip() or "unknown"
            raise AlreadyRunning(
                f"Postbag is already running on {directory} (process {number}). Use that one, end it, "
                "or give this one a directory of its own: POSTBAG_DATA=/another/place PORT=8001 ./run"
            )
        ours.truncate(0)
        ours.write(f"{os.getpid()}\n")
        ours.flush()
        _wait_for(theirs, directory, say, leftovers_for)
        yield theirs.fileno()


def _wait_for(lock: IO[str], directory: Path, say: Callable[[str], None], seconds: float) -> None:
    until = time.monotonic() + seconds
    said = False
    while not _locked(lock):
        if time.monotonic() >= until:
            raise AlreadyRunning(
                f"Processes of an earlier run still use {directory} and do not end. End them, then try again."
            )
        if not said:
            say("An earlier run is still ending; waiting for it.")
            said = True
        time.sleep(_LOOK_EVERY)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii")

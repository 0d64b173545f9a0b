"""What the rig's workers write down of themselves: each claim, fence and result, after its commit (I8)."""

import os
import time
from pathlib import Path
from typing import NamedTuple


class Note(NamedTuple):
    """One line: a worker committed this `deed` (claim, fence, record) for these deliveries, under this token.

    `late`: a result that came when the token counted no more, so that nothing was written.
    """

    at: float  # time.time()
    pid: int
    deed: str
    token: str
    ids: tuple[int, ...]


class Diary:
    """Appends notes, from any process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, deed: str, token: str, ids: frozenset[int]) -> None:
        """Append one note, unless there is nothing to note."""
        if ids:
            listed = ",".join(map(str, sorted(ids)))
            os.write(self._file, f"{time.time():.6f} {os.getpid()} {deed} {token} {listed}\n".encode())


def read(path: Path) -> list[Note]:
    """Return all notes, in their order."""
    if not path.exists():
        return []
    notes = []
    for line in path.read_text().splitlines():
        at, pid, deed, token, ids = line.split(" ")
        notes.append(Note(float(at), int(pid), deed, token, tuple(map(int, ids.split(",")))))
    return notes

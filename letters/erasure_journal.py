"""Which addresses were erased and when, outside the database: a restored backup must not bring anybody back.

`erasures.jsonl` in the data directory holds one line for each: a keyed hash and a time, nothing else. Every line
reaches the disk before the page says "Deleted".
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

NAME = "erasures.jsonl"
_HASH_BYTES = 32


class Line(NamedTuple):
    """An address that was erased: its keyed hash, and when."""

    address_hash: bytes
    at: datetime


def append(directory: Path, lines: Iterable[Line]) -> None:
    """Add lines to the journal. Raises OSError where they cannot reach the disk."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = "\n" + "".join(_written(line) for line in lines)  # should a crash have cut the line before
    opened = os.open(directory / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(opened, text.encode("ascii"))
        os.fsync(opened)
    finally:
        os.close(opened)


def read(directory: Path) -> list[Line]:
    """Return the journal's lines, each once; a line that a crash cut short says nothing."""
    try:
        text = (directory / NAME).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(line for line in map(_read, text.splitlines()) if line is not None))


def keep(directory: Path, *, since: datetime) -> None:
    """Leave out the lines older than a time; the file is replaced whole or not at all."""
    lines = read(directory)
    kept = [line for line in lines if line.at > since]
    if len(kept) == len(lines):
        return
    fresh = directory / f"{NAME}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.writelines(_written(line) for line in kept)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(directory / NAME)


def _written(line: Line) -> str:
    return json.dumps({"hash": line.address_hash.hex(), "at": line.at.isoformat()}) + "\n"


def _read(text: str) -> Line | None:
    try:
        said = json.loads(text)
        line = Line(bytes.fromhex(said["hash"]), datetime.fromisoformat(said["at"]))
    except (ValueError, TypeError, KeyError):
        return None
    return line if len(line.address_hash) == _HASH_BYTES and line.at.tzinfo is not None else None

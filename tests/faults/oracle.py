"""The judge: what the mail server wrote down before it answered."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

NOTHING = "-"


class Entry(NamedTuple):
    """One line: what happened (`verb`) to which delivery (0: none of ours, such as mail to a supporter)."""

    verb: str  # connected greeted secured began accepted refused dropped killed closed
    delivery: int
    digest: str
    at: float  # time.time() there
    connection: int
    pid: int  # of the worker, from its EHLO
    to: str
    message_id: str
    detail: str

    @property
    def is_unclear(self) -> bool:
        """Return whether the other side could not learn from the answer what became of the letter."""
        return self.detail.startswith("unclear")


class Pen:
    """Appends entries; each is in the file before the next byte is answered, whoever is killed then."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(
        self, verb: str, *, reference: str = "", digest: str = "", connection: int = 0, pid: int = 0, to: str = "",
        message_id: str = "", detail: str = "",
    ) -> None:  # fmt: skip
        """Append one line."""
        words = (verb, reference, digest, f"{time.time():.6f}", str(connection), str(pid), to, message_id, detail)
        os.write(self._file, " ".join(word.replace(" ", "_") or NOTHING for word in words).encode() + b"\n")


@dataclass
class Oracle:
    """Reads the log, again and again."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    _read_to: int = 0

    def look(self) -> "Oracle":
        """Read what is new."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read_to)
                whole, _, _ = file.read().rpartition(b"\n")
            if whole:
                self._read_to += len(whole) + 1
                self.entries += map(_entry, whole.decode().split("\n"))
        return self

    def of(self, *verbs: str) -> Iterator[Entry]:
        """Yield the entries with one of these verbs."""
        return (entry for entry in self.entries if entry.verb in verbs)

    def taken(self) -> dict[int, list[Entry]]:
        """Return the copies taken of each delivery."""
        return grouped(entry for entry in self.of("accepted") if entry.delivery)

    def copies(self) -> Counter[int]:
        """Return how many copies of each delivery were taken."""
        return Counter(entry.delivery for entry in self.of("accepted") if entry.delivery)

    def extra(self) -> int:
        """Return how many copies were taken beyond the first of each delivery."""
        copies = self.copies()
        return copies.total() - len(copies)

    def unclear(self) -> int:
        """Return to how many dots no clear answer was given."""
        return sum(entry.is_unclear for entry in self.of("accepted", "dropped"))


def grouped(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    """Return entries by delivery, in their order."""
    found: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.delivery].append(entry)
    return dict(found)


def delivery_of(reference: str) -> int:
    """Return the number of the delivery that has this public name; 0 where it is none."""
    try:
        return int(reference.partition("-")[0], 16)
    except ValueError:
        return 0


def _entry(line: str) -> Entry:
    verb, reference, digest, at, connection, pid, *words = ("" if word == NOTHING else word for word in line.split(" "))
    return Entry(verb, delivery_of(reference), digest, float(at), int(connection), int(pid), *words)

"""What the postbox keeps: one SQLite file, written by the server and read by anybody on this machine."""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from postbox.reading import Headings, ReadableLetter, headings, name_of, printable, read

__all__ = ["Arrival", "Entry", "Mailbox", "ReadableLetter", "Store", "Summary", "read"]

_VERSION = 1
_WAIT_FOR_LOCK = 15.0  # seconds; a writer commits in milliseconds, forgetting in steps of hundreds
_STEP = 500  # rows read or deleted at a time, so that nobody holds a lock or a snapshot for long

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    envelope_from TEXT NOT NULL,
    envelope_to TEXT NOT NULL COLLATE NOCASE,
    header_to TEXT NOT NULL,
    header_from TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    delivery TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    raw BLOB NOT NULL
);
-- mailboxes(), from the index alone; letters_in(), newest first
CREATE INDEX IF NOT EXISTS entry_mailbox ON entry (envelope_to, id, received_at, header_to);
-- summary(): distinct message ids
CREATE INDEX IF NOT EXISTS entry_message_id ON entry (message_id);
-- summary(): deliveries and their digests; iter_letters()
CREATE INDEX IF NOT EXISTS entry_delivery ON entry (delivery, sha256) WHERE delivery <> '';
-- forget()
CREATE INDEX IF NOT EXISTS entry_received_at ON entry (received_at);
PRAGMA user_version = {_VERSION};
"""

# Statements are put together from these constants; every value is bound.
_NARROW = (
    "id, received_at, envelope_from, envelope_to, "
    "header_to, header_from, subject, message_id, delivery, sha256"
)


class Arrival(NamedTuple):
    """One accepted transaction for one envelope address; `received_at` is aware, or None for now."""

    envelope_from: str
    envelope_to: str
    raw: bytes
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a letter or other mail as one envelope address got it. `raw` is b'' in lists."""

    id: int
    received_at: datetime
    envelope_from: str
    envelope_to: str
    header_to: str
    header_from: str
    subject: str
    message_id: str
    delivery: str
    sha256: str
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One envelope address, the To header of its latest mail, how much came, and whether a letter is among it."""

    address: str
    header_to: str
    count: int
    last_received_at: datetime
    has_letters: bool

    @property
    def name(self) -> str:
        """The name its latest mail gave it, '' if none; read only when asked for, as lists are long."""
        return name_of(self.address, self.header_to)


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over the whole store. `letters` carry a delivery header; the other numbers count all mail.

    Exactly once means: letters == distinct_deliveries and distinct_digests_per_delivery_max <= 1.
    """

    received: int
    letters: int
    distinct_message_ids: int
    distinct_deliveries: int
    distinct_digests_per_delivery_max: int


class Store:
    """The kept mail in the file at `path`. Reading works before the file exists and finds nothing."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._writer: sqlite3.Connection | None = None
        self._writing = threading.Lock()

    def add(
        self, envelope_from: str, envelope_to: str, raw: bytes, *, received_at: datetime | None = None
    ) -> int:
        """Keep one mail as one address got it; returns its id once it is committed."""
        return self.add_many([Arrival(envelope_from, envelope_to, raw, received_at)])[0]

    def add_many(self, arrivals: Iterable[Arrival]) -> list[int]:
        """Keep all of them in one transaction, or none; returns their ids in order once committed."""
        rows = list(_rows(arrivals))
        ids: list[int] = []
        with self._writing, _transaction(self._writable()) as connection:
            for row in rows:
                cursor = connection.execute(
                    f"INSERT INTO entry ({_NARROW}, raw) VALUES (NULL,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
                    row,
                )
                ids.append(cursor.lastrowid or 0)
        return ids

    def mailboxes(self, *, query: str = "") -> list[Mailbox]:
        """Envelope addresses with mail, the latest first; `query` is looked for in addresses and To headers."""
        wanted = "%" + query.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        found = self._select(
            # A bare column beside MAX() comes from the row that holds the maximum: a rule of SQLite.
            # The index is named because the one of deliveries looks inviting and costs a hundred times more.
            "SELECT envelope_to, header_to, many, received_at, EXISTS (SELECT 1 FROM entry AS one INDEXED BY "
            "entry_mailbox WHERE one.envelope_to = box.envelope_to AND one.delivery <> '') FROM ("
            "SELECT envelope_to, header_to, received_at, COUNT(*) AS many, MAX(id) AS latest FROM entry "
            "GROUP BY envelope_to HAVING :wanted = '%%' "
            r"OR envelope_to LIKE :wanted ESCAPE '\' OR header_to LIKE :wanted ESCAPE '\'"
            ") AS box ORDER BY latest DESC",
            {"wanted": wanted},
        )
        return [
            Mailbox(address, header_to, count, datetime.fromisoformat(last), bool(has_letters))
            for address, header_to, count, last, has_letters in found
        ]

    def totals(self) -> tuple[int, int]:
        """How many mails were received, and how many of them are letters: they carry a delivery header."""
        found = self._select("SELECT COUNT(*), (SELECT COUNT(*) FROM entry WHERE delivery <> '') FROM entry", {})
        return (found[0][0], found[0][1]) if found else (0, 0)

    def count_in(self, address: str) -> int:
        """How many mails came for one envelope address (upper or lower case)."""
        found = self._select("SELECT COUNT(*) FROM entry WHERE envelope_to = :address", {"address": printable(address)})
        return int(found[0][0]) if found else 0

    def letters_in(self, address: str, *, limit: int = 50, offset: int = 0) -> list[Entry]:
        """What came for one envelope address (upper or lower case), the latest first, without bytes."""
        found = self._select(
            f"SELECT {_NARROW} FROM entry WHERE envelope_to = :address "  # noqa: S608
            "ORDER BY id DESC LIMIT :limit OFFSET :offset",
            {"address": printable(address), "limit": limit, "offset": offset},
        )
        return [_entry(row) for row in found]

    def get(self, id: int) -> Entry | None:  # noqa: A002 – the column's own name reads best at the call
        """One row with its bytes, or None."""
        if abs(id) >= 2**63:  # larger than SQLite's integers: nobody can have it
            return None
        found = self._select(f"SELECT {_NARROW}, raw FROM entry WHERE id = :id", {"id": id})  # noqa: S608
        return _entry(found[0]) if found else None

    def summary(self) -> Summary:
        """Count everything; mail without a message id is not among `distinct_message_ids`."""
        found = self._select(
            "SELECT (SELECT COUNT(*) FROM entry), "
            "(SELECT COUNT(*) FROM entry WHERE delivery <> ''), "
            "(SELECT COUNT(DISTINCT message_id) FROM entry WHERE message_id <> ''), "
            "COUNT(*), COALESCE(MAX(digests), 0) FROM (SELECT COUNT(DISTINCT sha256) AS digests FROM entry "
            "WHERE delivery <> '' GROUP BY delivery)",
            {},
        )
        return Summary(*found[0]) if found else Summary(0, 0, 0, 0, 0)

    def iter_letters(self) -> Iterator[Entry]:
        """All rows that carry a delivery header, oldest first, with their bytes; memory stays small."""
        last = 0
        while found := self._select(
            f"SELECT {_NARROW}, raw FROM entry NOT INDEXED WHERE id > :last AND delivery <> '' "  # noqa: S608
            "ORDER BY id LIMIT :step",
            {"last": last, "step": _STEP},
        ):
            yield from map(_entry, found)
            last = found[-1][0]

    def forget(self, older_than: datetime) -> int:
        """Delete what was received before the aware time `older_than`; returns how many rows went."""
        return self._delete("received_at < :before", {"before": _stamp(older_than)})

    def clear(self) -> int:
        """Delete everything; ids are not used again. Returns how many rows went."""
        return self._delete("TRUE", {})

    def close(self) -> None:
        """Let go of the file; the next write opens it again."""
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _delete(self, which: str, values: dict[str, str]) -> int:
        if not self.path.exists():
            return 0
        gone = 0
        while True:
            with self._writing, _transaction(self._writable()) as connection:
                step = connection.execute(
                    f"DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE {which} LIMIT {_STEP})",  # noqa: S608
                    values,
                ).rowcount
            gone += step
            if step < _STEP:
                break
        with self._writing:
            # Without this the old pages would stay readable in the log until somebody happens to write again.
            self._writable().execute("PRAGMA incremental_vacuum").fetchall()
            self._writable().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def _select(self, sql: str, values: dict[str, int | str]) -> list[tuple[Any, ...]]:
        # A connection for each question: safe in every thread and after a fork, and cheap (0.1 ms).
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # never makes the file
        if not self.path.exists():
            return []
        opened = sqlite3.connect(address, uri=True, timeout=_WAIT_FOR_LOCK, isolation_level=None)
        with closing(opened) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                return []
            connection.execute("PRAGMA query_only = ON")
            return connection.execute(sql, values).fetchall()

    def _writable(self) -> sqlite3.Connection:
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Letters are private: the file is its owner's alone; SQLite gives -wal and -shm the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(
                self.path, timeout=_WAIT_FOR_LOCK, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
            self._writer = connection
        return self._writer


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # it failed, perhaps only at COMMIT (full disk); the next starts clean
            connection.execute("ROLLBACK")


def _rows(arrivals: Iterable[Arrival]) -> Iterator[tuple[str | bytes, ...]]:
    previous: bytes | None = None
    digest, head = "", Headings()
    for arrival in arrivals:
        if arrival.raw is not previous:  # one transaction for many addresses is scanned once
            previous, digest = arrival.raw, hashlib.sha256(arrival.raw).hexdigest()
            head = headings(arrival.raw)
        yield (
            _stamp(arrival.received_at or datetime.now(UTC)),
            printable(arrival.envelope_from),
            printable(arrival.envelope_to),
            head.to,
            head.from_,
            head.subject,
            head.message_id,
            head.delivery,
            digest,
            arrival.raw,
        )


def _stamp(moment: datetime) -> str:
    # Always the same width and zone, so that order of text is order of time.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _entry(row: tuple[Any, ...]) -> Entry:
    id_, received_at, *rest = row
    return Entry(id_, datetime.fromisoformat(received_at), *rest)

"""What the database says at one moment, past the product: deliveries, their histories, tallies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.faults.databases import Database

ENDED = ("sent", "failed", "uncertain", "cancelled")
WAITING = ("queued", "sending")


class Line(NamedTuple):
    """One delivery."""

    pk: int
    campaign: int
    letter: int
    state: str
    reason: str
    attempts: int
    ambiguous: int
    digest: str
    token: str
    address: str
    due_at: datetime | None
    dot_at: datetime | None


class Move(NamedTuple):
    """One line of a delivery's history."""

    delivery: int
    from_state: str
    to_state: str
    reason: str
    code: int | None
    token: str
    words: str
    by: str


class Stop(NamedTuple):
    """Something after which a delivery must get no fence any more, and the last fence that it got."""

    delivery: int
    what: str
    stopped_at: datetime
    dot_at: datetime


@dataclass(frozen=True)
class Ledger:
    """All of it."""

    lines: dict[int, Line]
    moves: Sequence[Move]
    tallies: Counter[tuple[int, str]]  # by campaign and state
    caps: dict[str, int]  # letters an hour, by address
    stops: Sequence[Stop]
    letters: dict[int, int]  # confirmed letters: how many deliveries each has
    read_at: datetime

    def states(self) -> Counter[str]:
        """Return how many deliveries stand in each state."""
        return Counter(line.state for line in self.lines.values())

    def ambiguous(self) -> int:
        """Return how many endings nobody can know: ΣA."""
        return sum(line.ambiguous for line in self.lines.values())


def read(database: Database) -> Ledger:
    """Read it. Nobody should be writing: it takes several statements."""
    rows = [Line(*row) for row in database.rows(_LINES)]
    lines = {row.pk: row._replace(due_at=moment(row.due_at), dot_at=moment(row.dot_at)) for row in rows}
    return Ledger(
        lines=lines,
        moves=[Move(*row) for row in database.rows(_MOVES)],
        tallies=Counter({(campaign, state): int(n) for campaign, state, n in database.rows(_TALLIES) if n}),
        caps=dict(database.rows(_CAPS)),
        stops=[
            Stop(pk, what, stopped, dot) for pk, what, *times in database.rows(_STOPS)
            if (stopped := moment(times[0])) and (dot := moment(times[1]))
        ],
        letters=dict(database.rows(_LETTERS)),
        read_at=datetime.now(UTC),
    )  # fmt: skip


class Snapshot(NamedTuple):
    """How many deliveries stand where, seen by one statement; `oldest_lease`: what ran out first of what is held."""

    rows: Counter[tuple[int, str]]
    tallies: Counter[tuple[int, str]]
    oldest_lease: datetime | None

    @property
    def waiting(self) -> int:
        """Return how many have not come to an end."""
        return sum(count for (_, state), count in self.rows.items() if state in WAITING)


def snapshot(database: Database) -> Snapshot:
    """Look once, with one statement: it sees one moment, whoever writes."""
    rows: Counter[tuple[int, str]] = Counter()
    tallies: Counter[tuple[int, str]] = Counter()
    lease = None
    for what, campaign, state, count, at in database.rows(_SNAPSHOT):
        if what == "lease":
            lease = moment(at)
        elif count:
            (rows if what == "row" else tallies)[campaign, state] = int(count)
    return Snapshot(rows, tallies, lease)


def moment(value: datetime | str | None) -> datetime | None:
    """Return a time as either database gives it."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def seconds_past(lease: datetime | None) -> float:
    """Return for how long a lease has been over; below nought while it runs."""
    return -1.0 if lease is None else (datetime.now(UTC) - lease) / timedelta(seconds=1)


_LINES = """
SELECT d.id, d.campaign_id, d.letter_id, d.state, d.reason, d.attempts, d.ambiguous, d.digest, d.token, a.value,
       d.due_at, d.dot_at
FROM letters_delivery d JOIN targets_address a ON a.id = d.address_id
"""
_MOVES = """
SELECT delivery_id, from_state, to_state, reason, code, token, words, "by" FROM letters_deliveryevent ORDER BY id
"""
_TALLIES = "SELECT campaign_id, state, sum(count) FROM letters_deliverytally GROUP BY campaign_id, state"
_CAPS = "SELECT value, cap_per_hour FROM targets_address WHERE cap_per_hour IS NOT NULL"
_LETTERS = """
SELECT l.id, (SELECT count(*) FROM letters_delivery d WHERE d.letter_id = l.id)
FROM letters_letter l WHERE l.stage = 'confirmed'
"""
# Fences after a stop; a pause that has ended leaves no trace here.
_STOPS = """
SELECT d.id, 'withdrawn', l.ended_at, d.dot_at FROM letters_delivery d JOIN letters_letter l ON l.id = d.letter_id
WHERE l.ended_at IS NOT NULL AND d.dot_at IS NOT NULL
UNION ALL
SELECT d.id, 'paused', c.paused_at, d.dot_at FROM letters_delivery d JOIN campaigns_campaign c ON c.id = d.campaign_id
WHERE c.paused_at IS NOT NULL AND d.dot_at IS NOT NULL
UNION ALL
SELECT d.id, 'suppressed', s.since, d.dot_at FROM letters_delivery d JOIN targets_address a ON a.id = d.address_id
JOIN targets_suppression s ON s.address_hash = a.address_hash
WHERE s.until IS NULL AND d.dot_at IS NOT NULL
"""
_SNAPSHOT = """
SELECT 'row', campaign_id, state, count(*), NULL FROM letters_delivery GROUP BY campaign_id, state
UNION ALL
SELECT 'tally', campaign_id, state, sum(count), NULL FROM letters_deliverytally GROUP BY campaign_id, state
UNION ALL
SELECT 'lease', 0, '', 0, CAST(min(lease_until) AS varchar(40)) FROM letters_delivery WHERE state = 'sending'
"""

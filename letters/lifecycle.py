"""The two life cycles: every state, every move, and the only code that writes one.

A move is a conditional change: rows are locked, checked against the table, changed, written into the history and
counted in the tallies, all in one transaction. Somebody else having been first is normal: such rows are simply not
among those returned. A move that the table does not know is a defect of the caller and raises.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from letters import locks, tallies
from letters.models import Delivery, DeliveryEvent, Letter

Stage = Letter.Stage
State = Delivery.State

LETTER_STAGES: Mapping[str, str] = {
    Stage.DRAFT: "The supporter is writing; nobody else has seen it.",
    Stage.AWAITING: "The supporter asked to send it; we wait for proof of the address.",
    Stage.CONFIRMED: "The supporter proved the address and asked to send it: its deliveries exist.",
    Stage.EXPIRED: "Nobody finished or confirmed it in time; its text is gone.",
    Stage.WITHDRAWN: "The supporter took it back, or said it was not theirs.",
}
LETTER_MOVES: Mapping[tuple[str, str], str] = {
    (Stage.DRAFT, Stage.AWAITING): "the supporter sends it from an address not yet proven",
    (Stage.DRAFT, Stage.CONFIRMED): "the supporter sends it right after proving the address with another letter",
    (Stage.AWAITING, Stage.CONFIRMED): "the supporter confirms by link or code",
    (Stage.AWAITING, Stage.DRAFT): "the supporter goes back to change the letter or the address",
    (Stage.DRAFT, Stage.EXPIRED): "its time ran out",
    (Stage.AWAITING, Stage.EXPIRED): "its time ran out",
    (Stage.AWAITING, Stage.WITHDRAWN): "the owner of the address says it is not theirs",
    (Stage.CONFIRMED, Stage.WITHDRAWN): "the supporter takes it back",
}
DELIVERY_STATES: Mapping[str, str] = {
    State.HELD: "Somebody must look before it may leave.",
    State.QUEUED: "It waits for its time, or for its turn at the mailbox.",
    State.SENDING: "A worker holds it, under a lease.",
    State.SENT: "The next mail server said yes and we wrote that down.",
    State.FAILED: "The server said no, or five days passed, or a person decided.",
    State.UNCERTAIN: "The line broke at the last moment, twice; a person may decide.",
    State.CANCELLED: "The supporter, an organiser or a suppression stopped it before it left, or left again.",
}
DELIVERY_MOVES: Mapping[tuple[str, str], str] = {
    (State.HELD, State.QUEUED): "an organiser or operator lets it go",
    (State.QUEUED, State.HELD): "a pause, the abuse breaker, a restore or differing bytes stop it",
    (State.QUEUED, State.SENDING): "a worker claims it",
    (State.QUEUED, State.FAILED): "five days passed while it waited for another try",
    (State.QUEUED, State.UNCERTAIN): "five days passed while it waited, after a copy was perhaps taken",
    (State.SENDING, State.SENT): "the server accepted it",
    (State.SENDING, State.QUEUED): "it was not taken, or perhaps taken for the first time: again later",
    (State.SENDING, State.HELD): "nothing was sent: a stop was found at the fence, or the bytes differ",
    (State.SENDING, State.FAILED): "the server refused it, or five days passed without a copy being taken",
    (State.SENDING, State.UNCERTAIN): "the line broke after the final dot once too often",
    (State.UNCERTAIN, State.SENT): "a later report proves that a copy was taken",
    (State.QUEUED, State.SENT): "a later report proves that the earlier copy was taken",
    (State.HELD, State.SENT): "a report proves that a copy was taken: before it was held, or before a backup was made",
    (State.UNCERTAIN, State.QUEUED): "an organiser sends it again, once",
    (State.UNCERTAIN, State.FAILED): "an organiser gives it up",
    (State.QUEUED, State.CANCELLED): "supporter, organiser or suppression",
    (State.HELD, State.CANCELLED): "supporter, organiser or suppression",
    (State.UNCERTAIN, State.CANCELLED): "supporter, organiser or suppression",
}
HOURLY = {State.SENT: "sent", State.FAILED: "failed", State.UNCERTAIN: "uncertain"}
ASKED = "asked: "  # before the reason of a stop that waits until an attempt has ended
_ENDS = {State.SENT, State.FAILED, State.CANCELLED}


class ForbiddenMove(Exception):
    """A move that the life cycle does not know: a defect of the caller, never of the world."""

    code = "forbidden_move"

    def __init__(self, from_state: str, to_state: str) -> None:
        self.sentence = f"A move from {from_state} to {to_state} does not exist."
        super().__init__(self.sentence)


class Fact(NamedTuple):
    """What a move's line in the history says."""

    reason: str = ""
    code: int | None = None
    words: str = ""
    token: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a move writes besides the state; `columns` may hold expressions over the row."""

    fact: Fact = Fact()  # noqa: RUF009  an immutable value
    columns: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0  # added to the row's attempts, never below nought


def move_letter(letter: Letter, to: str, *, now: datetime, from_: Iterable[str] = (), **columns: Any) -> bool:
    """Move one letter if it still stands where the table allows; return whether we were the one who moved it.

    `from_` narrows the stages it may come from. The object in hand is updated only on success.
    """
    allowed = [a for a, b in LETTER_MOVES if b == to and (not from_ or a in from_)]
    if not allowed:
        raise ForbiddenMove(", ".join(from_) or "anywhere", to)
    if to in {Stage.EXPIRED, Stage.WITHDRAWN}:
        columns.setdefault("ended_at", now)
    elif to == Stage.CONFIRMED:
        columns.setdefault("confirmed_at", now)
    moved = Letter.objects.filter(pk=letter.pk, stage__in=allowed).update(stage=to, **columns)
    if moved:
        for name, value in {"stage": to, **columns}.items():
            setattr(letter, name, value)
    return bool(moved)


def create_deliveries(letter: Letter, *, now: datetime, paced: bool, targets: Collection[int] = ()) -> int:
    """Create the deliveries of a letter being confirmed, with one statement; return how many.

    One per target that the ask's list offers, with a working e-mail address that is not suppressed; of `targets` alone,
    where the letter's writer chose some. A delivery to an address with a pace waits without a due time for the release
    step; any other is due at once.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    today = connection.ops.adapt_datefield_value(timezone.localdate(now))
    those = f"AND t.id IN ({', '.join(['%s'] * len(targets))})" if targets else ""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_DELIVERIES.replace("{those}", those), [
            letter.pk, letter.campaign_id, letter.ask_id, State.QUEUED, paced, at, at, letter.ask.target_list_id,
            today, at, *targets,
        ])  # fmt: skip
        made = [row[0] for row in cursor.fetchall()]
    tallies.count({(letter.campaign_id, letter.ask_id, target, State.QUEUED, False, 0): 1 for target in made})
    own = next(name for least, name in _OWN_WORDS if letter.own_words >= least)
    tallies.count_hours({(letter.campaign_id, letter.ask_id, tallies.hour_of(now), own): 1})
    return len(made)


def move_deliveries(
    rows: "QuerySet[Delivery]",
    to: str,
    changes: Change | Mapping[int, Change],
    *,
    now: datetime,
    skip_locked: bool = False,
) -> list[int]:
    """Move the deliveries of `rows` and return the ids of those that were moved.

    `rows` states the condition (its rows are locked until commit, so what it says stays true); it must not join
    other tables, only ask of them by sub-query. `changes` is one change for all, or one by delivery id.
    """
    with transaction.atomic():
        locked = list(
            rows.select_for_update(skip_locked=skip_locked).values_list(
                "pk", "state", "attempts", "feedback", "campaign_id", "ask_id", "target_id"
            )
        )
        if not locked:
            return []
        for _, state, *_rest in locked:
            if (state, to) not in DELIVERY_MOVES:
                raise ForbiddenMove(state, to)
        if isinstance(changes, Change):
            groups = [(changes, [row[0] for row in locked])]
        else:
            groups = [(changes[row[0]], [row[0]]) for row in locked]
        for change, ids in _merged(groups):
            _write(ids, to, change, now)
        _write_history(locked, to, changes, now)
        return [row[0] for row in locked]


def ask_to_stop(rows: "QuerySet[Delivery]", *, reason: str) -> int:
    """Mark what a worker holds, so that it gets no fence and is cancelled when its attempt ends; return how many.

    A delivery never goes from sending to cancelled: a copy may be on its way. They are locked in the order of their
    ids, so that two who stop the same ones never wait for each other in a ring. Raises locks.Taken.
    """

    def mark() -> int:
        held = rows.filter(state=State.SENDING).order_by("pk").select_for_update().values_list("pk", flat=True)
        return Delivery.objects.filter(pk__in=list(held)).update(reason=f"{ASKED}{reason}")

    return locks.giving_way(mark)


def _merged(groups: list[tuple[Change, list[int]]]) -> list[tuple[Change, list[int]]]:
    """Put rows that get the very same columns into one UPDATE."""
    by_columns: dict[Any, tuple[Change, list[int]]] = {}
    for change, ids in groups:
        try:
            key = (change.attempts, change.fact.reason, *sorted(change.columns.items()))
            hash(key)
        except TypeError:  # expressions cannot be compared: a statement of their own
            key = id(change)  # type: ignore[assignment]
        by_columns.setdefault(key, (change, []))[1].extend(ids)
    return list(by_columns.values())


def _write(ids: list[int], to: str, change: Change, now: datetime) -> None:
    columns: dict[str, Any] = {"reason": change.fact.reason, **change.columns, "state": to}
    if to != State.SENDING:
        columns |= {"lease_until": None, "token": ""}
    if to == State.SENT:
        columns.setdefault("sent_at", now)
    if to in _ENDS:
        columns.setdefault("ended_at", now)
    if change.attempts:
        columns["attempts"] = _plus("attempts", change.attempts)
    for start in range(0, len(ids), _CHUNK):
        Delivery.objects.filter(pk__in=ids[start : start + _CHUNK]).update(**columns)


def _write_history(
    locked: list[tuple[Any, ...]], to: str, changes: Change | Mapping[int, Change], now: datetime
) -> None:
    cells: Counter[tuple[Any, ...]] = Counter()
    hours: Counter[tuple[Any, ...]] = Counter()
    events = []
    for pk, state, attempts, feedback, campaign, ask, target in locked:
        change = changes if isinstance(changes, Change) else changes[pk]
        fact = change.fact
        events.append(
            DeliveryEvent(
                delivery_id=pk, at=now, from_state=state, to_state=to, reason=fact.reason, code=fact.code,
                words=fact.words[:300], token=fact.token, by=fact.by[:120],
            )
        )  # fmt: skip
        cells[campaign, ask, target, state, attempts > 0, feedback] -= 1
        cells[campaign, ask, target, to, attempts + change.attempts > 0, feedback] += 1
        if to in HOURLY:
            hours[campaign, ask, tallies.hour_of(now), HOURLY[State(to)]] += 1
    DeliveryEvent.objects.bulk_create(events, batch_size=_CHUNK)
    tallies.count(cells)
    tallies.count_hours(hours)


def _plus(column: str, change: int) -> Any:
    return F(column) + change if change > 0 else Greatest(F(column) + change, Value(0))


_CHUNK = 1000
_OWN_WORDS = ((30, "own_30"), (10, "own_10"), (1, "own_1"), (0, "own_0"))
_INSERT_DELIVERIES = """
INSERT INTO letters_delivery (
    letter_id, campaign_id, ask_id, target_id, version_id, address_id, state, feedback, reason,
    attempts, ambiguous, sent_again, due_at, token, digest, created_at)
SELECT %s, %s, %s, t.id, t.version_id, t.email_id, %s, 0, '', 0, 0, 0,
    CASE WHEN %s AND (a.cap_per_hour IS NOT NULL OR a.cap_per_day IS NOT NULL OR a.opens_at IS NOT NULL)
         THEN NULL ELSE %s END,
    '', '', %s
FROM targets_listentry e
JOIN targets_target t ON t.id = e.target_id
JOIN targets_address a ON a.id = t.email_id
WHERE e.target_list_id = %s AND e.retired_at IS NULL AND (e.exclusion = '' OR e.excluded_until < %s)
  AND a.status <> 'dead' AND t.version_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM targets_suppression s
                  WHERE s.address_hash = a.address_hash AND (s.until IS NULL OR s.until > %s))
  {those}
ORDER BY e.position, e.id
ON CONFLICT (letter_id, target_id) DO NOTHING
RETURNING target_id
"""

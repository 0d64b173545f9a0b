"""The engine's moves, many deliveries at a time: taken for an attempt, and where the attempt ends.

They obey the tables of `letters.lifecycle`, and write states like it; they are set-based, because a campaign makes a
million of them. On PostgreSQL the end of a group of attempts is one statement: the states, the history and the tallies.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from letters import tallies
from letters.given import Statement, moment
from letters.lifecycle import ASKED, DELIVERY_MOVES, HOURLY, Fact, ForbiddenMove
from letters.models import Delivery

State = Delivery.State


class Taken(NamedTuple):
    """A delivery as it was taken for an attempt; `attempts` counts this one."""

    pk: int
    letter_id: int
    campaign_id: int
    ask_id: int
    target_id: int
    version_id: int
    address_id: int
    feedback: int
    attempts: int
    ambiguous: int
    rested_for: int
    digest: str
    first_tried_at: datetime
    message_date: datetime


def take(ids: Sequence[int], *, token: str, lease_until: datetime, now: datetime) -> list[Taken]:
    """Move queued deliveries, whose rows the caller has locked, to sending under a token and a lease; return them.

    A claim has no line in the history: each attempt has one, written when it ends, which bears the claim's token.
    """
    if not ids:
        return []
    with transaction.atomic(savepoint=False):
        date = now.replace(microsecond=0)
        given = [(pk,) for pk in ids]
        if connection.vendor == "postgresql":
            rows = _TAKE_WHOLE(
                given, token=token, lease_until=lease_until, now=now, date=date, shard=tallies.shard()
            )
            taken = {row[0]: Taken._make(row) for row in rows}
        else:
            rows = _TAKE(given, token=token, lease_until=lease_until, now=now, date=date)
            taken = {row[0]: Taken(*row[:-2], *(moment(at) for at in row[-2:])) for row in rows}
            _count_taken(taken.values())
        return [taken[pk] for pk in ids if pk in taken]


def _count_taken(taken: Iterable[Taken]) -> None:
    """Write the tallies of deliveries that were taken."""
    cells: Counter[tallies.Cell] = Counter()
    for one in taken:
        place = (one.campaign_id, one.ask_id, one.target_id)
        cells[*place, State.QUEUED, one.attempts > 1, one.feedback] -= 1
        cells[*place, State.SENDING, True, one.feedback] += 1
    tallies.count(cells)


class End(NamedTuple):
    """How the attempt at one delivery ends: where it goes, and what the line in its history says.

    `due_at` None leaves it as it is. `unbegun`: nothing was tried, so nothing is told and the attempt is taken back.
    """

    pk: int
    token: str
    to: str
    fact: Fact
    due_at: datetime | None = None
    ambiguous: int = 0  # added
    unbegun: bool = False

    @property
    def is_told(self) -> bool:
        """Return whether the history gets a line: not for what was claimed and given back."""
        return not (self.unbegun and self.to == State.QUEUED)


def end(ends: Sequence[End], *, now: datetime, unfenced: bool = False) -> dict[int, str]:
    """End attempts, each where its token still holds the delivery (with `unfenced`: and it has no fence).

    Returns, for those that were ended, the reason for which a stop was asked meanwhile ("" where none was).
    """
    for to in {one.to for one in ends}:
        if (State.SENDING, to) not in DELIVERY_MOVES:
            raise ForbiddenMove(State.SENDING, to)
    ends = sorted(ends, key=lambda one: one.pk)  # the order in which others lock them
    with transaction.atomic(savepoint=False):
        if connection.vendor == "postgresql":
            rows = _end_whole(ends, now=now, unfenced=unfenced)
        else:
            rows = _END([(one.pk, one.fact.code, one.fact.words[:300], *_way(one)) for one in ends],
                        now=now, unfenced=unfenced)  # fmt: skip
            _tell_and_count({one.pk: one for one in ends}, rows, now=now)
    return {row[0]: row[1].removeprefix(ASKED) if row[1].startswith(ASKED) else "" for row in rows}


def _end_whole(ends: Sequence[End], *, now: datetime, unfenced: bool) -> list[tuple[Any, ...]]:
    """End attempts in one statement. Mostly all went the same way, which then travels once."""
    values = {"now": now, "unfenced": unfenced, "hour": tallies.hour_of(now), "shard": tallies.shard()}
    ways = {_way(one) for one in ends}
    if len(ways) == 1:
        alike = dict(zip(_WAY, ways.pop(), strict=True))
        return _END_ALIKE([(one.pk, one.fact.code, one.fact.words[:300]) for one in ends], **alike, **values)
    return _END_WHOLE([(one.pk, one.fact.code, one.fact.words[:300], *_way(one)) for one in ends], **values)


def _way(one: End) -> tuple[Any, ...]:
    """Return in what ends may be alike, in the order of `_WAY`."""
    return (one.token, one.to, one.fact.reason, one.due_at, one.ambiguous, -one.unbegun, one.is_told)


def _tell_and_count(ends: dict[int, End], rows: Sequence[tuple[Any, ...]], *, now: datetime) -> None:
    """Write the history and the tallies of attempts that ended."""
    cells: Counter[tallies.Cell] = Counter()
    hours: Counter[tallies.HourCell] = Counter()
    for pk, _, campaign, ask, target, feedback, attempts in rows:
        to = ends[pk].to
        cells[campaign, ask, target, State.SENDING, True, feedback] -= 1
        cells[campaign, ask, target, to, attempts > 0, feedback] += 1
        if to in HOURLY:
            hours[campaign, ask, tallies.hour_of(now), HOURLY[State(to)]] += 1
    told = [
        (pk, one.to, one.fact.reason, one.fact.code, one.fact.words[:300], one.token)
        for pk, one in ((row[0], ends[row[0]]) for row in rows)
        if one.is_told
    ]
    if told:
        _TELL(told, now=now)
    tallies.count(cells)
    tallies.count_hours(hours)


# `state || ''` keeps PostgreSQL from walking all that is being sent (a partial index) where it is to look a few rows up
# by their keys.
_TAKE_TEXT = """
    UPDATE letters_delivery SET
        state = 'sending', reason = '', token = %(token)s, lease_until = %(lease_until)s, dot_at = NULL,
        attempts = attempts + 1, message_date = COALESCE(message_date, %(date)s),
        first_tried_at = COALESCE(first_tried_at, %(now)s)
    FROM {given} WHERE letters_delivery.id = g_id AND state || '' = 'queued'
    RETURNING id, letter_id, campaign_id, ask_id, target_id, version_id, address_id, feedback, attempts, ambiguous,
        rested_for, digest, first_tried_at, message_date
"""
_ADDED = """
        ON CONFLICT (campaign_id, ask_id, target_id, state, tried, feedback, shard)
            DO UPDATE SET count = kept.count + excluded.count
"""
_TAKE = Statement(_TAKE_TEXT, g_id="bigint")
_TAKE_WHOLE = Statement(
    f"""
    WITH taken AS ({_TAKE_TEXT}),
    counted AS (
        INSERT INTO letters_deliverytally AS kept
            (campaign_id, ask_id, target_id, state, tried, feedback, shard, count)
        SELECT campaign_id, ask_id, target_id, state, tried, feedback, %(shard)s, sum(change) FROM (
            SELECT campaign_id, ask_id, target_id, 'queued' AS state, attempts > 1 AS tried, feedback, -1 AS change
            FROM taken
            UNION ALL
            SELECT campaign_id, ask_id, target_id, 'sending', true, feedback, 1 FROM taken
        ) AS changes
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
        {_ADDED}
    )
    SELECT * FROM taken
    """,  # noqa: S608  the same statement, within a larger one
    g_id="bigint",
)
_UPDATE = """
    UPDATE letters_delivery SET
        state = g_to, token = '', lease_until = NULL, ambiguous = ambiguous + g_ambiguous,
        attempts = attempts + g_attempts, due_at = COALESCE(g_due_at, due_at),
        first_tried_at = CASE WHEN attempts + g_attempts > 0 THEN first_tried_at END,
        reason = CASE WHEN reason <> '' AND g_to IN ('queued', 'held', 'uncertain') THEN reason ELSE g_reason END,
        sent_at = CASE WHEN g_to = 'sent' THEN %(now)s ELSE sent_at END,
        ended_at = CASE WHEN g_to IN ('sent', 'failed') THEN %(now)s ELSE ended_at END
    FROM {given}
    WHERE letters_delivery.id = g_id AND token = g_claim AND state || '' = 'sending'
      AND (dot_at IS NULL OR NOT %(unfenced)s)
    RETURNING id, reason, campaign_id, ask_id, target_id, feedback, attempts
"""
_WAY = {
    "g_claim": "text", "g_to": "text", "g_reason": "text", "g_due_at": "timestamptz", "g_ambiguous": "int",
    "g_attempts": "int", "g_is_told": "boolean",
}  # fmt: skip
_ENDS = {"g_id": "bigint", "g_code": "int", "g_words": "text", **_WAY}
_END = Statement(_UPDATE, **_ENDS)
_TELL = Statement(
    """
    INSERT INTO letters_deliveryevent (delivery_id, at, from_state, to_state, reason, code, words, token, "by")
    SELECT g_id, %(now)s, 'sending', g_to, g_reason, g_code, g_words, g_claim, '' FROM {given}
    """,
    g_id="bigint", g_to="text", g_reason="text", g_code="int", g_words="text", g_claim="text",
)  # fmt: skip
_END_WHOLE_TEXT = f"""
    WITH ends AS MATERIALIZED (SELECT * FROM {{given}}),
    ended AS ({_UPDATE.replace("{given}", "ends")}),
    told AS (
        INSERT INTO letters_deliveryevent (delivery_id, at, from_state, to_state, reason, code, words, token, "by")
        SELECT id, %(now)s, 'sending', g_to, g_reason, g_code, g_words, g_claim, '' FROM ended JOIN ends ON g_id = id
        WHERE g_is_told
    ),
    counted AS (
        INSERT INTO letters_deliverytally AS kept
            (campaign_id, ask_id, target_id, state, tried, feedback, shard, count)
        SELECT campaign_id, ask_id, target_id, state, tried, feedback, %(shard)s, sum(change) FROM (
            SELECT campaign_id, ask_id, target_id, 'sending' AS state, true AS tried, feedback, -1 AS change FROM ended
            UNION ALL
            SELECT campaign_id, ask_id, target_id, g_to, attempts > 0, feedback, 1 FROM ended JOIN ends ON g_id = id
        ) AS changes
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
        {_ADDED}
    ),
    counted_hours AS (
        INSERT INTO letters_hourtally AS kept (campaign_id, ask_id, hour, measure, shard, count)
        SELECT campaign_id, ask_id, %(hour)s, g_to, %(shard)s, count(*) FROM ended JOIN ends ON g_id = id
        WHERE g_to IN ('sent', 'failed', 'uncertain')
        GROUP BY 1, 2, 4 ORDER BY 1, 2, 4
        ON CONFLICT (campaign_id, ask_id, hour, measure, shard) DO UPDATE SET count = kept.count + excluded.count
    )
    SELECT id, reason FROM ended
"""  # noqa: S608  the same statement, within a larger one
_END_WHOLE = Statement(_END_WHOLE_TEXT, **_ENDS)
_END_ALIKE = Statement(_END_WHOLE_TEXT, once=_WAY, **_ENDS)

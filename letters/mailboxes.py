"""What waits for the mailboxes that have a pace, and what takes their slots: read and written many at a time.

Queues are walked along their index, head by head, so a look costs the same at a hundred waiting as at a million.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from campaigns.models import Campaign
from letters.given import Statement, moment
from letters.models import Delivery
from letters.pacing import DAY, HOUR
from targets import suppressions
from targets.models import Address

State = Delivery.State
# A letter that was just confirmed has few behind it: then nobody need count the many before it.
MANY_BEHIND, MOST_AHEAD = 200, 3000


class Queue(NamedTuple):
    """What one campaign has waiting for one mailbox: first tries, or (`is_again`) retries whose time has come."""

    address: int
    campaign: int
    is_again: bool


class Place(NamedTuple):
    """Where a first try stands in its queue: how many wait behind it, and before it where those behind are many."""

    behind: int  # at most MANY_BEHIND
    ahead: int | None  # at most MOST_AHEAD


class Let(NamedTuple):
    """A delivery that was let go and not tried yet."""

    delivery: int
    campaign: int
    due_at: datetime


class Used(NamedTuple):
    """What takes a mailbox's slots: attempts of the last hour and day, and what a worker holds."""

    in_last_hour: int
    in_last_day: int
    in_hand: int


def queues() -> list[Queue]:
    """Return what waits: every mailbox and running campaign with something queued and without a due time."""
    found = [
        Queue(address, campaign, is_again)
        for is_again, statement in ((True, _RETRIES), (False, _FIRST_TRIES))
        for address, campaign in statement([])
    ]
    going = running({queue.campaign for queue in found})
    return [queue for queue in found if queue.campaign in going]


def running(campaigns: Collection[int]) -> set[int]:
    """Return which of these campaigns neither rest nor are being stopped."""
    if not campaigns:
        return set()
    rows = Campaign.objects.filter(pk__in=campaigns, paused_at=None, is_stopping=False)
    return set(rows.exclude(stage=Campaign.Stage.DRAFT).values_list("pk", flat=True))


def with_something_let_go() -> set[int]:
    """Return the mailboxes to which something was let go that nobody has tried yet."""
    return {address for (address,) in _LET_GO_TO([])}


def newly_paced() -> list[int]:
    """Return the mailboxes with a pace to which something is due from before they had one."""
    return [address for address, delivery in _NEWLY_PACED([]) if delivery is not None]


def has_overdue(*, now: datetime) -> bool:
    """Return whether the time of a retry has come that its mailbox's pace has not let go."""
    return bool(_OVERDUE([], now=now))


def count(addresses: Sequence[Address], *, now: datetime) -> tuple[dict[int, Used], dict[int, list[Let]]]:
    """Return what takes the slots of these mailboxes, and what was let go to them, all seen at one moment.

    One statement: a delivery that is claimed or ends meanwhile is counted before or after, never not at all.
    """
    let: dict[int, list[Let]] = {}
    tried = {address.pk: (0, 0) for address in addresses}
    in_hand: dict[int, int] = {}
    given = [(a.pk, int(a.cap_per_hour is not None), int(a.cap_per_day is not None)) for a in addresses]
    for what, address, one, other, due_at in _COUNT(given, hour=now - HOUR, day=now - DAY):
        match what:
            case "let go":
                let.setdefault(address, []).append(Let(other, one, moment(due_at)))
            case "sending":
                in_hand[address] = one
            case _:
                tried[address] = (one, other)
    return {pk: Used(*tried[pk], in_hand.get(pk, 0)) for pk in tried}, let


def unwanted(ids: Collection[int], *, now: datetime) -> set[int]:
    """Return which of these addresses must not be written to at the moment: suppressed, or dead."""
    suppressed = suppressions.in_force(now).filter(address_hash=OuterRef("address_hash"))
    rows = Address.objects.filter(Q(Exists(suppressed)) | Q(status=Address.Status.DEAD), pk__in=ids)
    return set(rows.values_list("pk", flat=True))


def heads(wanted: Iterable[tuple[Queue, int]]) -> list[tuple[Queue, int]]:
    """Return (queue, delivery) for the oldest of each queue, at most the number wanted of it; retries come first."""
    found = []
    wanted = list(wanted)
    for is_again, statement in ((True, _HEADS_OF_RETRIES), (False, _HEADS)):
        rows = [(queue.address, queue.campaign, most) for queue, most in wanted if queue.is_again == is_again]
        if rows:
            found += [(Queue(address, campaign, is_again), pk) for address, campaign, pk in statement(rows)]
    return found


def places(waiting: Iterable[tuple[int, int, int]]) -> dict[int, Place]:
    """Return the place of each waiting first try, (delivery, address, campaign), in its campaign's queue there."""
    rows = _PLACES(waiting, many=MANY_BEHIND, most=MOST_AHEAD)
    return {pk: Place(behind, ahead) for pk, behind, ahead in rows}


def let_go(due: Sequence[tuple[int, datetime]]) -> int:
    """Give waiting deliveries, (id, due at), their time for the next try; return how many still waited.

    Rows that somebody else holds are left: who stops deliveries and who releases them must not wait in a ring.
    """
    times = dict(due)
    waiting = Delivery.objects.filter(pk__in=list(times), state=State.QUEUED, due_at=None)
    ids = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    if ids:
        _LET_GO([(pk, times[pk]) for pk in ids])
    return len(ids)


# The walks go along an index that holds only what waits, in its own order (letters.models.Delivery). They name its
# condition word for word and begin behind a row of values, so that both databases take it whatever they believe of the
# table: a release in the middle of a rush meets statistics from before it.
_UNTRIED = "d.state = 'queued' AND d.due_at IS NULL AND d.attempts = 0"
_TRIED = "d.state = 'queued' AND d.due_at IS NULL AND d.attempts > 0"
_IN_ORDER = "ORDER BY d.address_id, d.campaign_id, d.id LIMIT 1"
_QUEUES = """
    WITH RECURSIVE mailbox(address_id) AS (
        SELECT (SELECT d.address_id FROM letters_delivery AS d WHERE {waits} {in_order})
        UNION ALL
        SELECT (SELECT d.address_id FROM letters_delivery AS d WHERE {waits} AND d.address_id > m.address_id {in_order})
        FROM mailbox AS m WHERE m.address_id IS NOT NULL
    ), queue(address_id, campaign_id) AS (
        SELECT address_id, 0 * address_id FROM mailbox WHERE address_id IS NOT NULL
        UNION ALL
        SELECT q.address_id,
            (SELECT CASE WHEN d.address_id = q.address_id THEN d.campaign_id END FROM letters_delivery AS d
             WHERE {waits} AND (d.address_id, d.campaign_id) > (q.address_id, q.campaign_id) {in_order})
        FROM queue AS q WHERE q.campaign_id IS NOT NULL
    )
    SELECT address_id, campaign_id FROM queue WHERE campaign_id > 0
"""
_WALK = """
    WITH RECURSIVE walk(address_id, campaign_id, most, place, id) AS (
        SELECT g_address, g_campaign, g_most, 0, 0 * g_address FROM {{given}}
        UNION ALL
        SELECT w.address_id, w.campaign_id, w.most, w.place + 1,
            (SELECT CASE WHEN d.address_id = w.address_id AND d.campaign_id = w.campaign_id THEN d.id END
             FROM letters_delivery AS d
             WHERE {waits} AND (d.address_id, d.campaign_id, d.id) > (w.address_id, w.campaign_id, w.id) {in_order})
        FROM walk AS w WHERE w.id IS NOT NULL AND w.place < w.most
    )
    SELECT address_id, campaign_id, id FROM walk WHERE id > 0 ORDER BY id
"""
_RETRIES = Statement(_QUEUES.format(waits=_TRIED, in_order=_IN_ORDER))
_FIRST_TRIES = Statement(_QUEUES.format(waits=_UNTRIED, in_order=_IN_ORDER))
_HEADS_OF_RETRIES = Statement(
    _WALK.format(waits=_TRIED, in_order=_IN_ORDER), g_address="bigint", g_campaign="bigint", g_most="int"
)
_HEADS = Statement(
    _WALK.format(waits=_UNTRIED, in_order=_IN_ORDER), g_address="bigint", g_campaign="bigint", g_most="int"
)
_PLACES = Statement(
    f"""
    SELECT id, behind, CASE WHEN behind >= %(many)s THEN
        (SELECT count(*) FROM
            (SELECT d.id FROM letters_delivery AS d WHERE {_UNTRIED} AND d.address_id = address
             AND d.campaign_id = campaign AND d.id < placed.id LIMIT %(most)s) AS earlier) END
    FROM (
        SELECT g_id AS id, g_address AS address, g_campaign AS campaign,
            (SELECT count(*) FROM
                (SELECT d.id FROM letters_delivery AS d WHERE {_UNTRIED} AND d.address_id = g_address
                 AND d.campaign_id = g_campaign AND d.id > g_id LIMIT %(many)s) AS later) AS behind
        FROM {{given}}
    ) AS placed
    """,  # noqa: S608  conditions of our own
    g_id="bigint", g_address="bigint", g_campaign="bigint",
)  # fmt: skip
_LET_GO_TO = Statement(
    """
    SELECT DISTINCT d.address_id FROM letters_delivery AS d
    WHERE d.state = 'queued' AND d.due_at IS NOT NULL AND d.released_for > 0 AND d.released_for = d.attempts + 1
    """
)
_PACED = "(a.cap_per_hour IS NOT NULL OR a.cap_per_day IS NOT NULL OR a.opens_at IS NOT NULL)"
_NEWLY_PACED = Statement(
    f"""
    SELECT a.id, (SELECT d.id FROM letters_delivery AS d WHERE d.address_id = a.id AND d.state = 'queued'
                  AND d.due_at IS NOT NULL AND d.released_for = 0 LIMIT 1)
    FROM targets_address AS a WHERE {_PACED}
    """  # noqa: S608  conditions of our own
)
_OVERDUE = Statement(
    f"""
    SELECT d.id FROM letters_delivery AS d JOIN targets_address AS a ON a.id = d.address_id AND {_PACED}
    WHERE d.state = 'queued' AND d.due_at IS NOT NULL AND d.released_for > 0 AND d.released_for <> d.attempts + 1
      AND d.due_at <= %(now)s LIMIT 1
    """  # noqa: S608  conditions of our own
)
_COUNT = Statement(
    """
    SELECT 'let go', d.address_id, d.campaign_id, d.id, d.due_at
    FROM {given} JOIN letters_delivery AS d ON d.address_id = g_address
    WHERE d.state = 'queued' AND d.due_at IS NOT NULL AND d.released_for > 0 AND d.released_for = d.attempts + 1
    UNION ALL
    SELECT 'sending', d.address_id, count(*), 0, NULL
    FROM letters_delivery AS d WHERE d.state = 'sending' GROUP BY d.address_id
    UNION ALL
    SELECT 'tried', g_address,
        CASE WHEN g_by_hour = 1 THEN (SELECT count(*) FROM letters_attemptat AS a
                                      WHERE a.address_id = g_address AND a.at > %(hour)s) ELSE 0 END,
        CASE WHEN g_by_day = 1 THEN (SELECT count(*) FROM letters_attemptat AS a
                                     WHERE a.address_id = g_address AND a.at > %(day)s) ELSE 0 END,
        NULL
    FROM {given}
    """,
    g_address="bigint", g_by_hour="int", g_by_day="int",
)  # fmt: skip
_LET_GO = Statement(
    """
    UPDATE letters_delivery SET due_at = g_due_at, released_for = attempts + 1
    FROM {given} WHERE letters_delivery.id = g_id
    """,
    g_id="bigint", g_due_at="timestamptz",
)  # fmt: skip

"""Giving paced deliveries their time: each mailbox's free slots to the oldest that wait for it.

A delivery to a mailbox with a pace leaves only while it is let go for its next try (`Delivery.released_for`). What
was let go and not tried yet, what a worker holds, and what was tried within the hour and the day all take slots; they
are counted at one moment, under a lock on the mailbox, so no sliding hour or day ever exceeds a cap.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from letters import clock, domains, mailboxes, pacing
from letters.leaving import LET_GO, UNPACED
from letters.mailboxes import Queue
from letters.models import Delivery
from targets.models import Address

State = Delivery.State
SPREAD = timedelta(seconds=20)  # so that a minute's letters do not leave in one burst
MOST_AT_ONCE = 200  # per mailbox and release
CHUNK = 500  # mailboxes looked at in one transaction
MOST_RETURNED = 5000  # deliveries made to wait, or made due, in one transaction
MOST_PORTIONS = 20  # … and so many such transactions in one release


@dataclass
class _Mailbox:
    """A mailbox under its lock: what it may get, and what was let go to it and not tried yet."""

    pk: int
    pace: pacing.Pace
    domain: str
    may_be_written_to: bool
    used: mailboxes.Used
    let_go: list[mailboxes.Let]

    def room(self, now: datetime) -> int:
        """Return how many letters may be on their way to it, let go and not tried yet."""
        if not self.may_be_written_to or not pacing.lets_go(self.pace, now):
            return 0
        return pacing.free_slots(
            self.pace,
            in_last_hour=self.used.in_last_hour + self.used.in_hand,
            in_last_day=self.used.in_last_day + self.used.in_hand,
            most=MOST_AT_ONCE,
        )


def release(*, now: datetime | None = None) -> int:
    """Let go what the mailboxes' pace allows; return how many deliveries got a time.

    By the database's clock, which is that of every worker. Two processes may do this at once: a mailbox that one has
    locked is left to it. What was let go comes back where it must not leave any more: a cap or hours were changed, the
    office closes, its campaign paused, its domain rests.
    """
    now = now or clock.database_now()
    _return_due(now)
    queues = mailboxes.queues()
    waiting = {queue.address for queue in queues}
    ids = sorted(waiting | mailboxes.with_something_let_go())
    given = 0
    for start in range(0, len(ids), CHUNK):
        chunk = set(ids[start : start + CHUNK])
        given += _release(chunk, [queue for queue in queues if queue.address in chunk], now)
    return given


def pace_of(address: Address) -> pacing.Pace:
    """Return the pace of an address as plain values: none at all where paces are switched off."""
    if not settings.PACED:
        return pacing.Pace()
    return pacing.Pace(
        address.cap_per_hour, address.cap_per_day, address.opens_at, address.closes_at, address.time_zone
    )


def _return_due(now: datetime) -> None:
    """Let wait again what is due to a paced mailbox and was not let go: retries, and what was due before the pace."""
    if not settings.PACED:
        return
    due = Delivery.objects.filter(state=State.QUEUED, due_at__isnull=False)
    if mailboxes.has_overdue(now=now):
        paced = Address.objects.exclude(UNPACED).filter(pk=OuterRef("address_id"))
        _return(due.filter(Exists(paced), released_for__gt=0, due_at__lte=now).exclude(LET_GO), {"due_at": None})
    if news := mailboxes.newly_paced():
        before = due.filter(address__in=news, released_for=0)
        _return(before.filter(Q(attempts=0) | Q(due_at__lte=now)), {"due_at": None})
        _return(before, {"released_for": F("attempts")})  # retries keep their time; nothing has let them go


def _return(rows: QuerySet[Delivery], columns: Mapping[str, Any]) -> None:
    for _ in range(MOST_PORTIONS):
        with transaction.atomic():
            mine = _unlocked(rows)
            Delivery.objects.filter(pk__in=mine).update(**columns)
        if len(mine) < MOST_RETURNED:
            break


@transaction.atomic
def _release(ids: Iterable[int], queues: Sequence[Queue], now: datetime) -> int:
    # FOR NO KEY UPDATE: new deliveries and attempts refer to the address and must not wait for this.
    locked = Address.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=ids).order_by("pk")
    addresses = {address.pk: address for address in locked}
    if not addresses:
        return 0
    paced = {pk for pk, address in addresses.items() if not pace_of(address).is_none}
    found = _mailboxes([addresses[pk] for pk in sorted(paced)], now)
    resting = domains.resting(now=now)
    running = {queue.campaign for queue in queues} | mailboxes.running(
        {let.campaign for mailbox in found.values() for let in mailbox.let_go}
    )
    most = {mailbox.pk: mailbox.room(now) for mailbox in found.values()}
    kept = {
        mailbox.pk: sorted(
            (let for let in mailbox.let_go if let.campaign in running and resting.lets(mailbox.domain, let.delivery)),
            key=lambda let: (let.due_at, let.delivery),
        )[: most[mailbox.pk]]
        for mailbox in found.values()
    }
    back = {let.delivery: m.pk for m in found.values() for let in m.let_go if let not in kept[m.pk]}
    claimed = Counter(back[pk] for pk in back.keys() - _revoke(back))  # somebody was quicker: they take slots
    room = {
        pk: resting.room(found[pk].domain, most[pk] - len(kept[pk]) - claimed[pk])
        for pk in sorted({queue.address for queue in queues} & found.keys())
    }
    chosen = _choose(queues, room, now)
    resting.keep_probes({found[address].domain: going[0] for address, going in chosen.items() if going})
    given = mailboxes.let_go(
        [(pk, now + pacing.jitter(pk, within=SPREAD)) for going in chosen.values() for pk in going]
    )
    return given + _free([pk for pk in addresses if pk not in paced], now)


def _mailboxes(addresses: Sequence[Address], now: datetime) -> dict[int, _Mailbox]:
    """Return the mailboxes of locked addresses, with what takes their slots at this moment."""
    used, let_go = mailboxes.count(addresses, now=now)
    unwanted = mailboxes.unwanted([address.pk for address in addresses], now=now)
    return {
        address.pk: _Mailbox(
            pk=address.pk, pace=pace_of(address), domain=address.domain,
            may_be_written_to=address.pk not in unwanted, used=used[address.pk], let_go=let_go.get(address.pk, []),
        )
        for address in addresses
    }  # fmt: skip


def _choose(queues: Sequence[Queue], room: Mapping[int, int], now: datetime) -> dict[int, list[int]]:
    """Return which deliveries go next, by mailbox: campaigns take turns, each its retries first, then the oldest."""
    wanted = [(queue, room[queue.address]) for queue in queues if room.get(queue.address, 0) > 0]
    waiting: dict[int, list[tuple[int, int]]] = {}
    # Retries first: greylisting forgets us if we wait too long, and their five days have begun.
    for queue, pk in mailboxes.heads(wanted):
        waiting.setdefault(queue.address, []).append((pk, queue.campaign))
    return {
        address: pacing.shared(rows, room[address], turn=pacing.turn(address, now)) for address, rows in waiting.items()
    }


def _revoke(ids: Collection[int]) -> set[int]:
    """Let deliveries wait again that were let go and not claimed since; return which."""
    mine = _unlocked(Delivery.objects.filter(LET_GO, pk__in=ids, state=State.QUEUED)) if ids else []
    if mine:
        Delivery.objects.filter(pk__in=mine).update(due_at=None, released_for=F("attempts"))
    return set(mine)


def _free(addresses: Sequence[int], now: datetime) -> int:
    """Make due what waits for mailboxes that have no pace any more; return how many."""
    rows = Delivery.objects.filter(address__in=addresses, state=State.QUEUED, due_at=None)
    mine = _unlocked(rows) if addresses else []
    return Delivery.objects.filter(pk__in=mine).update(due_at=now) if mine else 0


def _unlocked(rows: QuerySet[Delivery]) -> list[int]:
    """Lock rows that nobody else holds, and return their ids: who stops and who releases must not wait in a ring."""
    return list(rows.order_by().select_for_update(skip_locked=True).values_list("pk", flat=True)[:MOST_RETURNED])

"""Giving paced deliveries their time: each mailbox's free slots to the oldest that wait for it."""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q

from campaigns.models import Campaign
from letters import pacing
from letters.models import AttemptAt, Delivery
from targets.models import Address

SPREAD = timedelta(seconds=20)  # so that a minute's letters do not leave in one burst
LOOKED_AHEAD = timedelta(minutes=2)  # what is due before the release after the next
MOST_AT_ONCE = 200  # per mailbox and release


def release(*, now: datetime, limit: int = 500) -> int:
    """Make due what the mailboxes' pace allows; return how many deliveries got a time.

    Two processes may do this at once: the mailbox's row is locked while its slots are counted.
    """
    ready = _waiting()
    mailboxes = Address.objects.filter(Exists(ready.filter(address=OuterRef("pk")))).order_by("pk")
    for pk in _retries(now).filter(address__cap_per_hour__isnull=False).values_list("address", flat=True).distinct():
        _postpone_retries(pk, now)
    return sum(_release_mailbox(pk, now) for pk in mailboxes.values_list("pk", flat=True)[:limit])


@transaction.atomic
def _postpone_retries(address_id: int, now: datetime) -> None:
    """Put off the retries of a mailbox that would exceed its hour: a second try takes a slot like a first one."""
    address = Address.objects.select_for_update(skip_locked=True).filter(pk=address_id).first()
    if address is None or address.cap_per_hour is None:
        return
    tried = list(
        AttemptAt.objects.filter(address=address, at__gt=now - pacing.HOUR).order_by("at").values_list("at", flat=True)
    )
    mine = Delivery.objects.filter(address=address)
    soon = mine.filter(state=Delivery.State.QUEUED, due_at__lte=now + LOOKED_AHEAD).count()
    soon += mine.filter(state=Delivery.State.SENDING).count()
    over = len(tried) + soon - address.cap_per_hour
    if over <= 0:
        return
    retries = _retries(now).filter(address=address).order_by("-due_at", "-pk").values_list("pk", flat=True)[:over]
    for place, pk in enumerate(list(retries)):
        free_at = (tried[place] if place < len(tried) else now) + pacing.HOUR + timedelta(seconds=1)
        Delivery.objects.filter(pk=pk, state=Delivery.State.QUEUED).update(due_at=free_at)


def _retries(now: datetime) -> "models.QuerySet[Delivery]":
    return Delivery.objects.filter(state=Delivery.State.QUEUED, attempts__gt=0, due_at__lte=now + LOOKED_AHEAD)


@transaction.atomic
def _release_mailbox(address_id: int, now: datetime) -> int:
    address = Address.objects.select_for_update(skip_locked=True).filter(pk=address_id).first()
    if address is None:
        return 0
    pace = pace_of(address)
    if not pacing.is_open(pace, now):
        return 0
    slots = pacing.free_slots(
        pace,
        in_last_hour=_used(address, since=now - pacing.HOUR),
        in_last_day=_used(address, since=now - pacing.DAY),
        most=MOST_AT_ONCE,
    )
    if not slots:
        return 0
    chosen = pacing.shared(_oldest_of_each_campaign(address, slots), slots, turn=pacing.turn(address.pk, now))
    for delivery_id in chosen:
        due_at = now + pacing.jitter(delivery_id, within=SPREAD)
        Delivery.objects.filter(pk=delivery_id, state=Delivery.State.QUEUED, due_at=None).update(due_at=due_at)
    return len(chosen)


def _oldest_of_each_campaign(address: Address, slots: int) -> list[tuple[int, int]]:
    """Return (delivery id, campaign id), oldest first: enough of each campaign to fill all slots."""
    waiting = _waiting().filter(address=address).order_by("pk").values_list("pk", "campaign_id")
    found = list(waiting[: slots * 20])
    if len(found) < slots * 20:
        return found
    campaigns = waiting.order_by().values_list("campaign_id", flat=True).distinct()
    return sorted(row for campaign in campaigns for row in waiting.filter(campaign=campaign)[:slots])


def pace_of(address: Address) -> pacing.Pace:
    """Return the pace of an address as plain values."""
    return pacing.Pace(
        address.cap_per_hour, address.cap_per_day, address.opens_at, address.closes_at, address.time_zone
    )


def _waiting() -> "models.QuerySet[Delivery]":
    open_campaigns = Campaign.objects.filter(paused_at=None)
    return Delivery.objects.filter(
        Exists(open_campaigns.filter(pk=OuterRef("campaign_id"))), state=Delivery.State.QUEUED, due_at=None
    )


def _used(address: Address, *, since: datetime) -> int:
    tried = AttemptAt.objects.filter(address=address, at__gt=since).count()
    given = Delivery.objects.filter(
        Q(state=Delivery.State.QUEUED, due_at__isnull=False) | Q(state=Delivery.State.SENDING), address=address
    ).aggregate(n=Count("pk"))["n"]
    return tried + int(given)

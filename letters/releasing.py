"""Giving paced deliveries their time: each mailbox's free slots to the oldest that wait for it."""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q

from campaigns.models import Campaign
from letters import pacing
from letters.models import AttemptAt, Delivery
from targets.models import Address

SPREAD = timedelta(seconds=50)  # within the minute until the next release
MOST_AT_ONCE = 200  # per mailbox and release


def release(*, now: datetime, limit: int = 500) -> int:
    """Make due what the mailboxes' pace allows; return how many deliveries got a time.

    Two processes may do this at once: the mailbox's row is locked while its slots are counted.
    """
    ready = _waiting()
    mailboxes = Address.objects.filter(Exists(ready.filter(address=OuterRef("pk")))).order_by("pk")
    return sum(_release_mailbox(pk, now) for pk in mailboxes.values_list("pk", flat=True)[:limit])


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
    waiting = list(_waiting().filter(address=address).order_by("pk").values_list("pk", "campaign_id")[: slots * 20])
    chosen = pacing.shared(waiting, slots)
    for delivery_id in chosen:
        due_at = now + pacing.jitter(delivery_id, within=SPREAD)
        Delivery.objects.filter(pk=delivery_id, state=Delivery.State.QUEUED, due_at=None).update(due_at=due_at)
    return len(chosen)


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

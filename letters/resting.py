"""Time on hold: it does not count towards the five days after which a delivery is given up (RELIABILITY §2).

A pause of the campaign, an operator's stop and being held may overlap. Each adds its time when it ends, up to where
another one that still lasts began: that one adds the rest.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, Max, Q, QuerySet

from campaigns.models import Campaign
from letters.models import Delivery, DeliveryEvent
from letters.stoppages import SendingStop

State = Delivery.State
# What a pause or stop caught at the fence is held, and goes on by itself when it ends: it rested as long.
_RESTED = Q(state=State.QUEUED) | Q(state=State.HELD, reason="stopped")


def add_pause(campaign: Campaign, *, since: datetime, now: datetime) -> int:
    """Add the time of a pause that ends now to its campaign's retries; return how many had one."""
    seconds = _seconds(since, [stopped_since()], now)
    return _add(Delivery.objects.filter(campaign=campaign), seconds)


def add_stop(*, since: datetime, now: datetime) -> int:
    """Add the time of an operator's stop that ends now to all retries; return how many had one."""
    paused = dict(Campaign.objects.filter(paused_at__isnull=False).values_list("pk", "paused_at"))
    rested = _add(Delivery.objects.exclude(campaign__in=list(paused)), _seconds(since, [], now))
    for campaign, paused_at in paused.items():
        rested += _add(Delivery.objects.filter(campaign=campaign), _seconds(since, [paused_at], now))
    return rested


def add_hold(ids: Sequence[int], *, campaign: Campaign, now: datetime) -> None:
    """Add to held deliveries that are let go now the time since they were held. At most a thousand ids."""
    events = DeliveryEvent.objects.filter(delivery__in=ids, delivery__attempts__gt=0, to_state=State.HELD)
    by_seconds: dict[int, list[int]] = {}
    for pk, held_at in events.values_list("delivery").annotate(at=Max("at")).order_by():
        by_seconds.setdefault(_seconds(held_at, [campaign.paused_at, stopped_since()], now), []).append(pk)
    for seconds, mine in by_seconds.items():
        Delivery.objects.filter(pk__in=mine).update(rested_for=F("rested_for") + seconds)


def stopped_since() -> datetime | None:
    """Return since when an operator has stopped all sending; None where nobody has."""
    return SendingStop.objects.filter(ended_at=None).order_by("since").values_list("since", flat=True).first()


def _seconds(since: datetime, others: Iterable[datetime | None], now: datetime) -> int:
    """Return for how long something lasted, up to where one of `others`, which still last, began."""
    until = min([now, *(other for other in others if other is not None)])
    return max(int((until - since).total_seconds()), 0)


def _add(rows: QuerySet[Delivery], seconds: int) -> int:
    if not seconds:
        return 0
    return rows.filter(_RESTED, attempts__gt=0).update(rested_for=F("rested_for") + seconds)

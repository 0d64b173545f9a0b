"""What the answers of mail servers tell us about an address."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from letters.endings import Accepted, Ending, Refused
from letters.models import Delivery
from targets.models import Address

State = Delivery.State
BAD_ADDRESS_WITHIN = timedelta(days=7)


def learn(endings: Mapping[int, Ending], now: datetime) -> None:
    """Keep what answers say of addresses (by id): one that works, or one refused twice within a week (5.1.x)."""
    working = [pk for pk, ending in endings.items() if isinstance(ending, Accepted)]
    if working:
        Address.objects.filter(pk__in=working, status=Address.Status.UNKNOWN).update(status=Address.Status.WORKING)
    for pk, ending in endings.items():
        if isinstance(ending, Refused) and ending.words.lstrip().startswith("5.1."):
            earlier = Delivery.objects.filter(
                address_id=pk, state=State.FAILED, ended_at__gt=now - BAD_ADDRESS_WITHIN,
                events__words__startswith="5.1.",
            ).distinct()[:2]  # fmt: skip
            status = Address.Status.DEAD if len(earlier) >= 2 else Address.Status.BOUNCING
            Address.objects.filter(pk=pk).exclude(status=Address.Status.DEAD).update(status=status)

"""Deliveries to addresses that must not be written to any more: dead, or suppressed for good. They are cancelled."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from letters import lifecycle
from letters.lifecycle import Change, Fact
from letters.models import Delivery
from targets.models import Address, Suppression

State = Delivery.State
_CHUNK = 1000


def cancel(*, now: datetime) -> int:
    """Cancel what waits for dead addresses and for those suppressed for good, whoever made them so; return how many.

    What a worker holds gets no fence any more and ends as cancelled. An address suppressed for a time keeps its
    deliveries: they wait. Unclear ones stay: they probably arrived, and "stopped before it left" would be untrue.
    """
    suppressed = Suppression.objects.filter(until=None, address_hash=OuterRef("address_hash"))
    mail = Address.objects.filter(kind=Address.Kind.EMAIL)
    dead = Q(status=Address.Status.DEAD)
    stopped = _cancel(mail.filter(Exists(suppressed)), "suppressed", now)
    return stopped + _cancel(mail.filter(dead).exclude(Exists(suppressed)), "dead_address", now)


def _cancel(addresses: QuerySet[Address], reason: str, now: datetime) -> int:
    """Cancel what waits for these addresses."""
    mine = Delivery.objects.filter(address=OuterRef("pk"))
    waiting = (
        mine.filter(state=State.QUEUED, due_at__isnull=False),
        mine.filter(state=State.QUEUED, due_at=None, attempts=0),
        mine.filter(state=State.QUEUED, due_at=None, attempts__gt=0),
    )  # each has an index of its own
    ids = list(addresses.filter(Q(*(Exists(rows) for rows in waiting), _connector=Q.OR)).values_list("pk", flat=True))
    held = Delivery.objects.filter(address__in=addresses.values("pk"), state=State.HELD)
    lifecycle.ask_to_stop(Delivery.objects.filter(address__in=addresses.values("pk"), reason=""), reason=reason)
    change = Change(fact=Fact(reason=reason))
    stopped = 0
    for rows in (Delivery.objects.filter(address__in=ids, state=State.QUEUED), held):
        while moved := lifecycle.move_deliveries(
            rows.order_by("pk")[:_CHUNK], State.CANCELLED, change, now=now, skip_locked=True
        ):
            stopped += len(moved)
    return stopped

"""What may leave: the one condition for being claimed, and what of it is asked again right before the final dot.

Nobody stopped it (operator, organiser, supporter), its address may be written to, its domain does not rest, and its
mailbox's pace has let it go.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from campaigns.models import Campaign
from letters.models import Delivery, Letter
from letters.stoppages import SendingStop, TroubledDomain
from targets import suppressions
from targets.models import Address

UNPACED = Q(cap_per_hour=None, cap_per_day=None, opens_at=None)  # of an address
LET_GO = Q(released_for=F("attempts") + 1)  # of a delivery that waits

# Conditions of the fence, in SQL: `letters_delivery`, its letter `l`, campaign `c` and address `a`; %(now)s is bound.
STILL_WANTED = """
    l.stage = 'confirmed' AND c.paused_at IS NULL AND c.stage <> 'draft'
    AND (c.stopped_at IS NULL OR l.confirmed_at > c.stopped_at)
    AND NOT EXISTS (SELECT 1 FROM letters_sendingstop AS x WHERE x.ended_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM targets_suppression AS s
                    WHERE s.address_hash = a.address_hash AND (s.until IS NULL OR s.until > %(now)s))
    AND NOT EXISTS (SELECT 1 FROM letters_troubleddomain AS t
                    WHERE t.domain = a.domain AND t.rests_until IS NOT NULL
                      AND (t.probe IS NULL OR t.probe <> letters_delivery.id))
"""


def may_leave(rows: QuerySet[Delivery], now: datetime, *, resting: bool = False) -> QuerySet[Delivery]:
    """Narrow deliveries to those that may be claimed as soon as they are due (`resting`: though their domain rests)."""
    rows = unstopped(rows, now, resting=resting)
    if not settings.PACED:
        return rows
    return rows.filter(LET_GO | Exists(Address.objects.filter(UNPACED, pk=OuterRef("address_id"))))


def unstopped(rows: QuerySet[Delivery], now: datetime, *, resting: bool = False) -> QuerySet[Delivery]:
    """Narrow deliveries to those that nothing stops but, perhaps, the pace of their mailbox."""
    reachable = _not_suppressed(now).exclude(status=Address.Status.DEAD)
    if not resting:
        others = TroubledDomain.objects.filter(domain=OuterRef("domain"), rests_until__isnull=False)
        reachable = reachable.filter(~Exists(others.exclude(probe=OuterRef(OuterRef("pk")))))
    return rows.filter(~Exists(SendingStop.objects.filter(ended_at=None)), Exists(_running()), Exists(reachable))


def wanted(rows: QuerySet[Delivery], now: datetime) -> QuerySet[Delivery]:
    """Narrow deliveries to those whose letter is confirmed and not stopped, and whose address may be written to."""
    reachable = _not_suppressed(now).exclude(status=Address.Status.DEAD)
    return rows.filter(Exists(_confirmed()), Exists(reachable))


def _confirmed() -> QuerySet[Letter]:
    """Return a delivery's letter, if its supporter and its organisers still want it sent."""
    stopped = Q(campaign__stopped_at__isnull=False, confirmed_at__lte=F("campaign__stopped_at"))
    return Letter.objects.filter(~stopped, pk=OuterRef("letter_id"), stage=Letter.Stage.CONFIRMED)


def _running() -> QuerySet[Letter]:
    """Return a delivery's letter, if it is wanted and its campaign is not paused."""
    return _confirmed().filter(campaign__paused_at=None).exclude(campaign__stage=Campaign.Stage.DRAFT)


def _not_suppressed(now: datetime) -> QuerySet[Address]:
    """Return a delivery's address, if nothing suppresses it at the moment."""
    suppressed = suppressions.in_force(now).filter(address_hash=OuterRef("address_hash"))
    return Address.objects.filter(~Exists(suppressed), pk=OuterRef("address_id"))

"""The operator's switch: no letter to a target leaves this installation, until it is let go again.

Effective at the next claim and at the next fence, in every process. Letters keep being confirmed, and mail to
supporters goes on.
"""

from datetime import datetime

from django.db import transaction

from letters import resting
from letters.signals import something_waits
from letters.stoppages import SendingStop


def current() -> SendingStop | None:
    """Return the stop that holds all sending; None where nothing does."""
    return SendingStop.objects.filter(ended_at=None).order_by("since").first()


def hold_all(*, by: str, because: str = "", now: datetime) -> bool:
    """Stop all sending; False where it was stopped already. `by` and `because` are kept and shown to members."""
    with transaction.atomic():
        if SendingStop.objects.select_for_update().filter(ended_at=None).exists():
            return False
        SendingStop.objects.create(since=now, by=by[:120], because=because[:300])
    return True


def let_all_go(*, by: str, now: datetime) -> bool:
    """Let letters leave again; False where nothing was stopped. The time on hold does not count towards giving up."""
    with transaction.atomic():
        stops = list(SendingStop.objects.select_for_update().filter(ended_at=None).order_by("since"))
        if not stops:
            return False
        SendingStop.objects.filter(pk__in=[stop.pk for stop in stops]).update(ended_at=now, ended_by=by[:120])
        resting.add_stop(since=stops[0].since, now=now)
    something_waits.send_robust(sender=SendingStop)
    return True

"""Deliveries that waited too long for another try: for a domain that rests, or for their turn at a mailbox.

An attempt that ends after five days is given up where it is recorded (letters.outbox). But where one letter at a time
is let through to a domain that does not answer, all the others would wait for ever.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from letters import leaving, lifecycle, retries
from letters.lifecycle import Change, Fact
from letters.models import Delivery, DeliveryEvent

State = Delivery.State
LAST_TRY = timedelta(minutes=15)  # for the one that is due when the five days end
_CHUNK = 1000


def give_up(*, now: datetime, seconds: float = 2.0) -> int:
    """Give up what was first tried more than five days ago and waits still, for so long; return how many.

    Time on hold does not count, and what is stopped at the moment stays. Nor is ended what a person has sent again. The
    history says what the server said last.
    """
    until = time.monotonic() + seconds
    tried = Delivery.objects.filter(state=State.QUEUED, attempts__gt=0, sent_again=0)
    old = leaving.unstopped(tried.filter(first_tried_at__lt=now - retries.GIVE_UP_AFTER - LAST_TRY), now, resting=True)
    last = ended = 0
    while time.monotonic() < until:
        page = list(old.filter(pk__gt=last).order_by("pk").only("first_tried_at", "rested_for", "ambiguous")[:_CHUNK])
        if not page:
            break
        last = page[-1].pk
        too_old = [
            one for one in page
            if retries.is_too_old(one.first_tried_at, rested_for=one.rested_for, now=now - LAST_TRY)
        ]  # fmt: skip
        for to, ids in (
            (State.FAILED, [one.pk for one in too_old if not one.ambiguous]),
            (State.UNCERTAIN, [one.pk for one in too_old if one.ambiguous]),
        ):
            mine = old.filter(pk__in=ids).order_by("pk")
            ended += len(lifecycle.move_deliveries(mine, to, _changes(ids), now=now, skip_locked=True))
    return ended


def _changes(ids: Sequence[int]) -> Mapping[int, Change]:
    """Return the change of each, with the words that its server said last."""
    events = DeliveryEvent.objects.filter(delivery__in=ids, from_state=State.SENDING)
    newest = events.values("delivery").annotate(newest=Max("pk")).values("newest").order_by()
    said = {event.delivery_id: (event.code, event.words) for event in DeliveryEvent.objects.filter(pk__in=newest)}
    return {pk: Change(fact=Fact("gave_up", *said.get(pk, (None, "")))) for pk in ids}

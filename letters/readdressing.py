"""Letters that wait for somebody whose address was corrected: theirs is the new one, once a sender has let them go.

Letters that have been tried keep their address (RELIABILITY §4.4). They are held first, because whoever may edit a list
could else lead letters that supporters have confirmed to anybody (RELIABILITY §9).
"""

from datetime import datetime

from accounts import audit
from accounts.models import User
from letters import lifecycle, steering
from letters.lifecycle import Change, Fact
from letters.models import Delivery
from targets.models import Target

REASON = "address_changed"
State = Delivery.State
_CHUNK = 900


def follow(target: Target, *, by: User, now: datetime) -> int:
    """Let a target's deliveries that were never tried go to its present e-mail address; return how many wait for that.

    What was queued is held until a person lets it go. What was held for a reason that a sender decides about stays so;
    what goes on without one (`steering.KEPT`), or may have been taken already, keeps its address: copies have the same
    bytes. A target without an e-mail address changes nothing: its deliveries are stopped by who may stop them.
    """
    if target.email is None:
        return 0
    untried = Delivery.objects.filter(target=target, attempts=0, ambiguous=0, digest="").exclude(address=target.email)
    change = Change(fact=Fact(reason=REASON, by=by.email), columns={"address": target.email, "due_at": None})
    held = 0
    queued = untried.filter(state=State.QUEUED)
    while ids := lifecycle.move_deliveries(queued.order_by("pk")[:_CHUNK], State.HELD, change, now=now):
        held += len(ids)
    held += untried.filter(state=State.HELD).exclude(reason__in=steering.KEPT).update(address=target.email)
    if held:
        audit.record(
            organisation=target.organisation, by=by, deed="gave waiting letters another address", subject=str(target),
            deliveries=held,
        )  # fmt: skip
    return held

"""A database that came back from a backup, or from elsewhere: what waits in it may have been sent already.

Nothing of it leaves before a person has decided (letters.adopting). Each delivery set aside counts one unclear ending
more: the database it came from may have gone on sending, and this one cannot know.
"""

import time
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, F, Max, QuerySet

from letters import lifecycle
from letters.lifecycle import Change, Fact
from letters.models import Delivery, Instance

State = Delivery.State
REASON = "restored"
CHUNK = 1000
AT_ONCE = 2.0  # seconds of setting aside before a worker looks at everything else
# Deliveries made between the backup and now had the ids that would come next. Their letters are gone and their names
# (Message-ID, return address) are out in the world: new deliveries must have others.
IDS_SKIPPED = 2**32


def begin(seen: Instance, *, because: Instance.Because, now: datetime) -> None:
    """Stop all claims at once, then begin to set aside what waits. Where a hold stands already, go on with it.

    Nothing happens where the database is no longer as it was `seen`: somebody has adopted it meanwhile, or sends.
    """
    with transaction.atomic():
        row = Instance.objects.select_for_update().get()
        if row.on_hold_since is None:
            if (row.identity, row.epoch) != (seen.identity, seen.epoch):
                return
            newest = Delivery.objects.aggregate(newest=Max("pk"))["newest"] or 0
            Instance.objects.update(
                on_hold_since=now, on_hold_because=because, held_up_to=newest, set_aside_at=None
            )
            skip_ids()
        elif row.set_aside_at is not None:
            return
    set_aside(now=now, seconds=AT_ONCE)


def set_aside(*, now: datetime, seconds: float = float("inf")) -> int:
    """Hold every delivery of the hold's time that is queued or being sent, for so long; return how many.

    May be repeated: a worker does a portion at each look, so that mail to supporters goes on meanwhile.
    """
    until = time.monotonic() + seconds
    newest = Instance.objects.get().held_up_to
    _stop_what_was_to_stop(newest, now)
    waiting = Delivery.objects.filter(_is_being_set_aside(), state__in=[State.QUEUED, State.SENDING], pk__lte=newest)
    change = Change(fact=Fact(reason=REASON), columns={"ambiguous": F("ambiguous") + 1, "dot_at": None})
    held = 0
    while waiting.exists():
        if time.monotonic() >= until:
            return held
        held += len(lifecycle.move_deliveries(waiting.order_by("pk")[:CHUNK], State.HELD, change, now=now))
    Instance.objects.filter(on_hold_since__isnull=False).update(set_aside_at=now)
    return held


def set_aside_again(*, now: datetime) -> None:
    """Hold also what was let go after everything had been set aside; whoever decides about the hold begins with it."""
    Instance.objects.filter(on_hold_since__isnull=False).update(set_aside_at=None)
    set_aside(now=now)


def _is_being_set_aside() -> Exists:
    """Return the condition of each portion: what a person has released meanwhile is not held a second time."""
    return Exists(Instance.objects.filter(on_hold_since__isnull=False, set_aside_at=None))


def held() -> "QuerySet[Delivery]":
    """Return the deliveries that a hold has set aside."""
    return Delivery.objects.filter(state=State.HELD, reason=REASON)


def _stop_what_was_to_stop(newest: int, now: datetime) -> None:
    """Cancel what was being sent when its supporter or an organiser asked to stop it: its attempt has ended."""
    stopping = Delivery.objects.filter(
        _is_being_set_aside(), state=State.SENDING, pk__lte=newest, reason__startswith=lifecycle.ASKED
    )
    with transaction.atomic():
        asked = dict(stopping.select_for_update().values_list("pk", "reason"))
        held = Change(fact=Fact(reason=REASON), columns={"ambiguous": F("ambiguous") + 1, "dot_at": None})
        lifecycle.move_deliveries(stopping, State.HELD, held, now=now)
        for reason in set(asked.values()):
            rows = Delivery.objects.filter(pk__in=[pk for pk, why in asked.items() if why == reason])
            stop = Change(fact=Fact(reason=reason.removeprefix(lifecycle.ASKED)))
            lifecycle.move_deliveries(rows, State.CANCELLED, stop, now=now)


def skip_ids() -> None:
    """Let new deliveries have ids that no database of this installation has given to another."""
    if not Delivery.objects.exists():
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT setval(s, nextval(s) + %s) FROM pg_get_serial_sequence('letters_delivery', 'id') AS s",
                [IDS_SKIPPED],
            )
        else:
            cursor.execute(
                "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'letters_delivery'", [IDS_SKIPPED]
            )

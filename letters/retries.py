"""When to try again: pure policy."""

import hashlib
from datetime import datetime, timedelta

from letters.endings import Ambiguous, Deferred, Ending

STEPS = tuple(timedelta(minutes=m) for m in (5, 15, 60, 120, 240))
THEN_EVERY = timedelta(hours=6)
GREYLISTED_FOR = timedelta(minutes=6)
UNCLEAR_FOR = timedelta(minutes=15)  # lets a later report about the first copy settle the matter
GIVE_UP_AFTER = timedelta(days=5)  # counted from the first attempt
LONGEST_SPREAD = 0.2
SOONEST = timedelta(seconds=90)  # the pace of the mailbox is looked at once in between
MOST_AMBIGUOUS = 2


def wait_before_next(*, attempts: int, ending: Ending, delivery_id: int) -> timedelta:
    """Return how long to wait after the `attempts`-th try (1 = the first) ended like this.

    5 m, 15 m, 1 h, 2 h, 4 h, then every 6 h, each ± 20 %, spread by the delivery so that a whole batch does not
    come back at once. A time named by the server is honoured up to six hours.
    """
    if isinstance(ending, Deferred) and ending.wait_for is not None:
        return min(max(timedelta(seconds=ending.wait_for), SOONEST), THEN_EVERY)
    if isinstance(ending, Deferred) and ending.at_recipient and attempts == 1:
        return GREYLISTED_FOR
    step = STEPS[attempts - 1] if 1 <= attempts <= len(STEPS) else THEN_EVERY
    spread = int.from_bytes(hashlib.sha256(f"{delivery_id}:{attempts}".encode()).digest()[:4], "big") / 2**32
    wait = step * (1 + LONGEST_SPREAD * (2 * spread - 1))
    return max(wait, UNCLEAR_FOR) if isinstance(ending, Ambiguous) else wait


def due_at(*, wait: timedelta, first_tried_at: datetime | None, rested_for: int, now: datetime) -> datetime:
    """Return when the next try is due: after `wait`, but where the five days end before, then, for a last time."""
    if first_tried_at is None:
        return now + wait
    last = first_tried_at + GIVE_UP_AFTER + timedelta(seconds=rested_for)
    return min(now + wait, max(last, now + SOONEST))


def is_too_old(first_tried_at: datetime | None, *, rested_for: int, now: datetime) -> bool:
    """Return whether a delivery is given up: five days after its first try, its seconds on hold not counted."""
    return first_tried_at is not None and now - first_tried_at - timedelta(seconds=rested_for) > GIVE_UP_AFTER

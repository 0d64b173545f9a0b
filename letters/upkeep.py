"""What every worker looks after beside sending, every ten seconds: the same work done twice does no harm."""

import time
from datetime import datetime

from campaigns import closing
from letters import ageing, alarms, breaker, clock, domains, erasures, steering, tracking, unwanted

WEIGHED_EVERY = 60.0
_weighed_at = float("-inf")  # of this process


def sweep(*, now: datetime | None = None) -> None:
    """Close what has come to its end, cancel what must not be sent any more, go on with stops, tend domains.

    Each minute also weigh complaints, erase, and give up what waited for too long.
    """
    global _weighed_at  # noqa: PLW0603  one rhythm per process
    now = now or clock.database_now()
    closing.close_due(now=now)
    tracking.settle(now=now)
    unwanted.cancel(now=now)
    steering.finish_stops(now=now)
    domains.tend(now=now)
    if time.monotonic() - _weighed_at >= WEIGHED_EVERY:
        _weighed_at = time.monotonic()
        breaker.weigh_all(now=now)
        breaker.forget_counts(now=now)
        alarms.forget(now=now)
        erasures.replay(now=now)
        ageing.give_up(now=now)

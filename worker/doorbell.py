"""Ringing the worker through RQ. A broker that is away costs one sweep, never a letter."""

import logging
import time

import django_rq
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from worker import jobs

log = logging.getLogger(__name__)
WAITING_RING = "ring"
SAY_AGAIN_AFTER = 60.0
_said_at = float("-inf")


def ring() -> None:
    """Put one ring into the queue, unless one waits there already. Never raises: the sweep finds what was missed."""
    try:
        django_rq.get_queue(jobs.QUEUE).enqueue_call(
            jobs.deliver, job_id=WAITING_RING, unique=True, description="ring", result_ttl=0, failure_ttl=60, ttl=60
        )
    except DuplicateJobError:
        pass
    except (RedisError, OSError) as error:
        _say(error)


def _say(error: Exception) -> None:
    global _said_at  # noqa: PLW0603  a broker that is away is worth one line a minute, not one a letter
    if time.monotonic() - _said_at >= SAY_AGAIN_AFTER:
        _said_at = time.monotonic()
        log.warning("the broker is away (%s); the sweep finds what waits", error)

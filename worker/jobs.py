"""What the queue runs: ids in, one call each. The queue is the doorbell; what it is about stands in the database."""

import logging

from django.utils import timezone

from letters import outbox, releasing, writing
from targets import lists
from worker import loop

log = logging.getLogger(__name__)
QUEUE = "postbag"


def deliver() -> None:
    """Something waits: wake the delivery loop."""
    loop.ring_or_turn()


def release() -> None:
    """Give paced deliveries their time, then deliver them."""
    if releasing.release(now=timezone.now()):
        loop.ring_or_turn()


def sweep() -> None:
    """Find what a lost worker or a lost ring left behind."""
    outbox.reap()
    loop.ring_or_turn()


def expire() -> None:
    """Forget drafts and unconfirmed letters whose time ran out, uploads after a day, attempts after a day."""
    now = timezone.now()
    while writing.expire(now=now):
        pass
    lists.forget_files(now=now)
    outbox.forget_attempts(now=now)

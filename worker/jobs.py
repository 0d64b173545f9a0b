"""What the queue runs: ids in, one call each. The queue is the doorbell; what it is about stands in the database."""

from django.db import close_old_connections
from django.utils import timezone

from letters import forgetting, outbox, releasing
from targets import lists
from worker import loop

QUEUE = "postbag"


def deliver() -> None:
    """Something waits: wake the delivery loop."""
    loop.ring()


def release() -> None:
    """Give paced deliveries their time, then deliver them."""
    close_old_connections()  # one that a restart of the database broke
    if releasing.release(now=timezone.now()):
        loop.ring()


def sweep() -> None:
    """Find what a lost worker or a lost ring left behind."""
    close_old_connections()
    outbox.reap()
    loop.ring()


def expire() -> None:
    """Forget drafts and unconfirmed letters whose time ran out, uploads after a day, attempts after a day."""
    close_old_connections()
    now = timezone.now()
    while forgetting.expire(now=now):
        pass
    while forgetting.letters(now=now):
        pass
    while forgetting.supporters_without_letters(now=now):
        pass
    lists.forget_files(now=now)
    outbox.forget_attempts(now=now)

"""What the queue runs: ids in, one call each. The queue is the doorbell; what it is about stands in the database."""

from django.db import close_old_connections
from django.utils import timezone

from letters import arrivals, erasures, forgetting, outbox, releasing, reminders, upkeep
from targets import lists
from worker import loop

QUEUE = "postbag"


def deliver() -> None:
    """Something waits: wake the delivery loop."""
    loop.ring()


def release() -> None:
    """Give paced deliveries their time, then deliver them."""
    close_old_connections()  # one that a restart of the database broke
    if releasing.release():
        loop.ring()


def sweep() -> None:
    """Find what a lost worker or a lost ring left behind."""
    close_old_connections()
    outbox.reap()
    upkeep.sweep()
    loop.ring()


def remind() -> None:
    """Remind of letters that wait for their confirmation."""
    close_old_connections()
    if reminders.send_due(now=timezone.now()):
        loop.ring()


def expire() -> None:
    """Forget drafts, letters and answers whose time ran out, uploads and attempts after a day, counts after 90."""
    close_old_connections()
    now = timezone.now()
    while forgetting.expire(now=now):
        pass
    while forgetting.letters(now=now):
        pass
    while forgetting.supporters_without_letters(now=now):
        pass
    while forgetting.replies(now=now):
        pass
    erasures.forget(now=now)
    arrivals.forget(now=now)
    lists.forget_files(now=now)
    outbox.forget_attempts(now=now)

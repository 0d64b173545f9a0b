"""What a worker does beside delivering letters: it takes back, releases, looks after things, writes to supporters.

Nothing of it waits for a mail server of a target, and no letter waits for it.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from letters import instance, outbox, releasing, upkeep
from worker import alarm_mail, lines, supporter_mail
from worker.transports import LineDown

log = logging.getLogger(__name__)
RELEASE_EVERY = 60.0
REAP_EVERY = min(10.0, outbox.LEASE.total_seconds())
LONGEST_WAIT_FOR_SERVER = 60.0


class Errands:
    """What recurs in one process, and when each was done last."""

    def __init__(self, is_stopping: Callable[[], bool]) -> None:
        self._is_stopping = is_stopping
        self._released_at = self._reaped_at = self._supporters_after = float("-inf")
        self._supporters_wait = 0.0

    def look_after(self, *, rung: bool) -> int:
        """Take back what lost workers held, and release what may leave: what is due. Return how many were released."""
        now = time.monotonic()
        if now - self._reaped_at >= REAP_EVERY:
            outbox.reap()
            upkeep.sweep()
            self._reaped_at = now
        if not settings.PACED or not (rung or now - self._released_at >= RELEASE_EVERY):
            return 0
        self._released_at = now
        return releasing.release()

    def write_to_supporters(self) -> int:
        """Send the mail to supporters and members that is due; return how much was accepted.

        Their server may be another one: where it is away it is knocked at less and less often.
        """
        instance.may_send(now=timezone.now())  # looks at the database, where the last look is too old
        if not instance.may_write_to_supporters() or time.monotonic() < self._supporters_after:
            return 0
        line = lines.to_supporters()
        told = 0
        try:
            told += supporter_mail.send_due(line, is_stopping=self._is_stopping)
            told += alarm_mail.send_due(line, is_stopping=self._is_stopping)
        except LineDown as down:
            self._supporters_wait = longer(0.0 if told else self._supporters_wait)
            self._supporters_after = time.monotonic() + self._supporters_wait
            log.warning("%s; mail to supporters waits %.0f s", down.sentence, self._supporters_wait)
            return 0
        finally:
            line.close()
        self._supporters_wait = 0.0
        return told


def longer(wait: float) -> float:
    """Return how long to wait for a server the next time (seconds): twice as long, at most a minute."""
    return min(max(1.0, wait * 2), LONGEST_WAIT_FOR_SERVER)

"""The delivery loop: needs no broker, wakes when the bell rings, and looks by itself at least every ten seconds."""

import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from letters import outbox, releasing
from worker import lines, supporter_mail
from worker.engine import Engine
from worker.transports import LineDown

log = logging.getLogger(__name__)
LONGEST_SLEEP = 5.0
RELEASE_EVERY = 60.0
REAP_EVERY = 10.0
LONGEST_WAIT_FOR_SERVER = 60.0


class Loop:
    """One delivery loop of one process."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._released_at = self._reaped_at = float("-inf")
        self._server_wait = 0.0

    def ring(self) -> None:
        """Wake the loop: something waits."""
        self._bell.set()

    def stop(self) -> None:
        """Ask the loop to end; letters in flight are finished, unbegun ones given back."""
        self._stop.set()
        self._bell.set()

    def run(self) -> None:
        """Deliver until asked to stop. A database that is away is waited for; nothing is sent without it."""
        while not self._stop.is_set():
            rung = self._bell.is_set()
            self._bell.clear()
            try:
                busy = self.turn(rung=rung)
                rest = 0.0 if busy else outbox.next_due_in(most=LONGEST_SLEEP)
            except LineDown as down:
                self._server_wait = min(max(1.0, self._server_wait * 2), LONGEST_WAIT_FOR_SERVER)
                log.warning("%s; trying again in %.0f s", down.sentence, self._server_wait)
                self._stop.wait(self._server_wait)
                continue
            except (DatabaseError, InterfaceError) as error:
                log.warning("the database is away (%s); nothing is sent until it is back", error)
                connection.close()
                rest = 1.0
            else:
                self._server_wait = 0.0
            if rest > 0:
                self._bell.wait(rest)
        connection.close()

    def turn(self, *, rung: bool = False) -> bool:
        """Do once whatever is due; return whether there was anything. Raises LineDown."""
        close_old_connections()
        now = time.monotonic()
        if now - self._reaped_at >= REAP_EVERY:
            outbox.reap()
            self._reaped_at = now
        if settings.PACED and (rung or now - self._released_at >= RELEASE_EVERY):
            releasing.release(now=timezone.now())
            self._released_at = now
        line = lines.to_supporters()
        try:
            told = supporter_mail.send_due(line)
        finally:
            line.close()
        drained = Engine(lines.to_targets, connections=settings.CONNECTIONS, stop=self._stop).drain()
        if drained.line_down:
            raise LineDown(drained.line_down)
        return bool(told or drained.sent or drained.other)


_running: Loop | None = None


def run_in_thread() -> tuple[Loop, threading.Thread]:
    """Start this process's loop beside its RQ worker."""
    global _running  # noqa: PLW0603  one loop per process, which RQ's jobs must find
    _running = Loop()
    thread = threading.Thread(target=_running.run, name="delivery loop")
    thread.start()
    return _running, thread


def ring_or_turn() -> None:
    """Wake this process's loop; without one (a plain `rqworker`) deliver right here."""
    if _running is not None:
        _running.ring()
        return
    loop = Loop()
    while loop.turn(rung=True):
        pass

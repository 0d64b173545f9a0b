"""The delivery loop: needs no broker, wakes when the bell rings, and looks by itself at least every ten seconds."""

import contextlib
import gc
import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from letters import instance, outbox, releasing, upkeep
from letters.typesetting import Typesetter
from worker import alarm_mail, defects, lines, supporter_mail
from worker.engine import Engine
from worker.transports import Carrier, LineDown

log = logging.getLogger(__name__)
LONGEST_SLEEP = 5.0
SHORTEST_SLEEP = 1.0  # what is due and cannot be claimed (a pause, another worker's locks) must not spin us
RELEASE_EVERY = 60.0
LONGEST_DRAIN = 10.0  # seconds of claiming before a turn looks at everything else
REAP_EVERY = min(10.0, outbox.LEASE.total_seconds())
LONGEST_WAIT_FOR_SERVER = 60.0


class Loop:
    """One delivery loop of one process."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._released_at = self._reaped_at = float("-inf")
        self._server_wait = self._supporters_wait = 0.0
        self._supporters_after = float("-inf")
        self._carrier: Carrier | None = None
        self._typesetter = Typesetter()

    def ring(self) -> None:
        """Wake the loop: something waits."""
        self._bell.set()

    def stop(self) -> None:
        """Ask the loop to end; letters in flight are finished, unbegun ones given back.

        Not for signal handlers, which may interrupt the very lock that this takes: see `stopping.on_signals`.
        """
        self._stop.set()
        self._bell.set()

    def run(self) -> None:
        """Deliver until asked to stop. A database that is away is waited for; nothing is sent without it."""
        while not self._stop.is_set():
            rung = self._bell.is_set()
            self._bell.clear()
            try:
                busy = self.turn(rung=rung)
                rest = 0.0 if busy else max(SHORTEST_SLEEP, outbox.next_due_in(most=LONGEST_SLEEP))
            except LineDown as down:
                self._server_wait = _longer(self._server_wait)
                log.warning("%s; trying again in %.0f s", down.sentence, self._server_wait)
                self._stop.wait(self._server_wait)
                continue
            except (DatabaseError, InterfaceError) as error:
                log.warning("the database is away (%s); nothing is sent until it is back", error)
                connection.close()
                rest = 1.0
            except Exception as error:  # noqa: BLE001  a dead loop would leave a worker that looks alive
                defects.tell(log, "a turn of the delivery loop failed", error)
                connection.close()
                rest = LONGEST_SLEEP
            else:
                self._server_wait = 0.0
            if rest > 0:
                self._bell.wait(rest)
        self.end()

    def end(self) -> None:
        """Leave the lines, the database and the epoch in which this process sent."""
        self._close_lines()
        with contextlib.suppress(DatabaseError, InterfaceError):
            instance.settle(now=timezone.now())
        connection.close()

    def turn(self, *, rung: bool = False) -> bool:
        """Do once whatever is due; return whether there was anything. Raises LineDown."""
        close_old_connections()
        now = time.monotonic()
        if now - self._reaped_at >= REAP_EVERY:
            outbox.reap()
            upkeep.sweep()
            self._reaped_at = now
        if settings.PACED and (rung or now - self._released_at >= RELEASE_EVERY):
            releasing.release()
            self._released_at = now
        may_send = instance.may_send(now=timezone.now())
        told = self._tell_supporters() if instance.may_write_to_supporters() else 0
        if not may_send:
            self._close_lines()
            return bool(told)
        if self._server_wait:  # after an outage a knock costs less than a claim that has to be given back
            line = lines.to_targets()
            line.open()
            line.close()
        return bool(self._deliver() or told)

    def _deliver(self) -> int:
        """Deliver what is due, for a while; the lines stay open as long as there is something. Raises LineDown."""
        if self._carrier is None:
            self._carrier = lines.carrier_to_targets()
        try:
            drained = Engine(self._carrier, stop=self._stop, typesetter=self._typesetter).drain(seconds=LONGEST_DRAIN)
        except BaseException:
            self._close_lines()
            raise
        tried = drained.sent + drained.other
        if drained.line_down or not tried:
            self._close_lines()
        if drained.line_down:
            raise LineDown(drained.line_down)
        return tried

    def _close_lines(self) -> None:
        if self._carrier is not None:
            self._carrier.close()
            self._carrier = None

    def _tell_supporters(self) -> int:
        """Send the mail to supporters and members that is due. Their server may be another: it stops no letter."""
        if time.monotonic() < self._supporters_after:
            return 0
        line = lines.to_supporters()
        try:
            told = supporter_mail.send_due(line) + alarm_mail.send_due(line)
        except LineDown as down:
            self._supporters_wait = _longer(self._supporters_wait)
            self._supporters_after = time.monotonic() + self._supporters_wait
            log.warning("%s; mail to supporters waits %.0f s", down.sentence, self._supporters_wait)
            return 0
        finally:
            line.close()
        self._supporters_wait = 0.0
        return told


def _longer(wait: float) -> float:
    return min(max(1.0, wait * 2), LONGEST_WAIT_FOR_SERVER)


_running: Loop | None = None


def this_process() -> Loop:
    """Return the loop of this process, which RQ's jobs wake; make it first where there is none."""
    global _running  # noqa: PLW0603  one loop per process
    if _running is None:
        gc.freeze()  # what was loaded until now stays: it need not be looked through again and again
        _running = Loop()
    return _running


def ring() -> None:
    """Wake this process's loop; nothing in a process without one, since every worker's loop looks by itself."""
    if _running is not None:
        _running.ring()

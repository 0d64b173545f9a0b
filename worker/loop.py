"""The delivery loop: needs no broker, wakes when the bell rings, and looks by itself at least every ten seconds.

Letters have a thread of their own, errands another: neither a server that keeps a letter waiting for ten minutes nor a
thousand mails to supporters hold the other up.
"""

import contextlib
import gc
import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from letters import instance, outbox
from letters.typesetting import Typesetter
from worker import defects, lines
from worker.engine import Engine
from worker.errands import Errands, longer
from worker.transports import Carrier, LineDown

log = logging.getLogger(__name__)
LONGEST_SLEEP = 5.0
SHORTEST_SLEEP = 1.0  # what is due and cannot be claimed (a pause, another worker's locks) must not spin us


class Loop:
    """One delivery loop of one process."""

    def __init__(self) -> None:
        self._bell = threading.Event()  # of the letters,
        self._errand_bell = threading.Event()  # and of the errands
        self._stop = threading.Event()
        self._errands = Errands(self._stop.is_set)
        self._server_wait = 0.0
        self._carrier: Carrier | None = None
        self._typesetter = Typesetter()

    def ring(self) -> None:
        """Wake the loop: something waits."""
        self._bell.set()
        self._errand_bell.set()

    def stop(self) -> None:
        """Ask the loop to end; letters in flight are finished, unbegun ones given back.

        Not for signal handlers, which may interrupt the very lock that this takes: see `stopping.on_signals`.
        """
        self._stop.set()
        self.ring()

    def run(self) -> None:
        """Deliver until asked to stop. A database that is away is waited for; nothing is sent without it."""
        errands = threading.Thread(target=self._run_errands, name="errands")
        errands.start()
        try:
            self._take_turns(self._letters_turn, self._bell)
        finally:
            self._stop.set()
            self._errand_bell.set()
            errands.join()
            self.end()

    def end(self) -> None:
        """Leave the lines, the database and the epoch in which this process sent."""
        self._close_lines()
        with contextlib.suppress(DatabaseError, InterfaceError):
            instance.settle(now=timezone.now())
        connection.close()

    def turn(self, *, rung: bool = False) -> bool:
        """Do once whatever is due, errands first; return whether there was anything. Raises LineDown."""
        close_old_connections()
        self._errands.look_after(rung=rung)
        told = self._errands.write_to_supporters()
        return bool(self._deliver() or told)

    # ── two threads ──────────────────────────────────────────────────────────────────────────────────────

    def _take_turns(self, turn: Callable[[bool], float], bell: threading.Event) -> None:
        """Take turns until asked to stop, each told whether the bell rang; rest for as long as each says (seconds)."""
        while not self._stop.is_set():
            rung = bell.is_set()
            bell.clear()
            try:
                close_old_connections()
                rest = turn(rung)
            except (DatabaseError, InterfaceError) as error:
                log.warning("the database is away (%s); nothing is sent until it is back", error)
                connection.close()
                rest = SHORTEST_SLEEP
            except Exception as error:  # noqa: BLE001  a dead loop would leave a worker that looks alive
                defects.tell(log, "a turn of the delivery loop failed", error)
                connection.close()
                rest = LONGEST_SLEEP
            if rest > 0 and not self._stop.is_set():
                bell.wait(rest)

    def _letters_turn(self, _rung: bool) -> float:  # noqa: FBT001  as `_take_turns` tells it
        try:
            tried = self._deliver()
        except LineDown as down:
            self._server_wait = longer(self._server_wait)
            log.warning("%s; trying again in %.0f s", down.sentence, self._server_wait)
            self._stop.wait(self._server_wait)
            return 0.0
        self._server_wait = 0.0
        return 0.0 if tried else max(SHORTEST_SLEEP, outbox.next_due_in(most=LONGEST_SLEEP))

    def _run_errands(self) -> None:
        try:
            self._take_turns(self._errands_turn, self._errand_bell)
        finally:
            connection.close()

    def _errands_turn(self, rung: bool) -> float:  # noqa: FBT001  as `_take_turns` tells it
        if self._errands.look_after(rung=rung):
            self._bell.set()
        return 0.0 if self._errands.write_to_supporters() else LONGEST_SLEEP

    # ── letters ──────────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self) -> int:
        """Deliver what is due; return how many were tried. The lines stay open as long as there is something.

        Raises LineDown.
        """
        if not instance.may_send(now=timezone.now()):
            self._rest_lines()
            return 0
        if self._server_wait:  # after an outage a knock costs less than a claim that has to be given back
            line = lines.to_targets()
            line.open()
            line.close()
            self._stop.wait(SHORTEST_SLEEP)  # nor are two knocks at once polite
        if self._carrier is None:
            self._carrier = lines.carrier_to_targets()
        try:
            drained = Engine(self._carrier, stop=self._stop, typesetter=self._typesetter).drain()
        except BaseException:
            self._close_lines()
            raise
        tried = drained.sent + drained.other
        if drained.line_down or not tried:
            self._rest_lines()
        if drained.line_down:
            if drained.sent:  # a moment ago it took letters: it is not away, whatever has come between
                self._server_wait = 0.0
            raise LineDown(drained.line_down)
        return tried

    def _rest_lines(self) -> None:
        """End the lines while there is nothing to carry, and remember what servers asked of us."""
        if self._carrier is not None:
            self._carrier.rest()

    def _close_lines(self) -> None:
        if self._carrier is not None:
            self._carrier.close()
            self._carrier = None


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

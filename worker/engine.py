"""Claim, compose, fence, send, record: over C connections, with one recorder.

The thread that calls `drain` is the recorder and the only one that speaks to the database. Each connection has a
thread of its own and at most one letter in flight. What the connections ask for and report while a group is being
committed is the next group, so the cost of a commit is shared without anybody waiting on purpose.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection, transaction

from letters import clock, outbox
from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Ending, NotSent
from worker import defects
from worker.transports import LONGEST_ATTEMPT, Line, LineDown

log = logging.getLogger(__name__)
RENEW_EVERY = outbox.LEASE.total_seconds() / 4
PAUSE_BETWEEN_WRITINGS = 1.0  # seconds between tries to write results while the database is away


@dataclass(slots=True)
class _Work:
    """One letter on its way, under its claim's token."""

    message: Message
    claim: outbox.Claim
    answered: threading.Event = field(default_factory=threading.Event)  # the recorder has decided about the fence
    fenced: bool = False
    begun_at: float | None = None  # clock.boot_seconds

    @property
    def is_refused(self) -> bool:
        return self.answered.is_set() and not self.fenced


@dataclass(frozen=True, slots=True)
class _FenceAsked:
    work: _Work


@dataclass(frozen=True, slots=True)
class _Ended:
    work: _Work
    ending: Ending


@dataclass(frozen=True, slots=True)
class _GivenBack:
    work: _Work


_Said = _FenceAsked | _Ended | _GivenBack


@dataclass
class Drained:
    """What one drain did: deliveries by how they ended, and why the mail server could not be reached at all."""

    sent: int = 0
    other: int = 0
    line_down: str = ""


class Engine:
    """Drains the outbox over `connections` lines. One engine drains once."""

    def __init__(self, open_line: Callable[[], Line], *, connections: int, stop: threading.Event) -> None:
        self._open_line = open_line
        self._connections = connections
        self._stop = stop
        self._todo: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        self._open: dict[int, _Work] = {}  # by delivery id: claimed and not yet recorded
        self._deadlines: dict[str, float] = {}  # by token, in clock.boot_seconds
        self._threads: list[threading.Thread] = []
        self._counting = threading.Lock()
        self._lines_lost = 0
        self._down = threading.Event()  # no line could be opened
        self._down_words = ""
        self._ending = threading.Event()  # nothing more is begun

    def drain(self) -> Drained:
        """Send all that is due; return when nothing is left, the mail server is away, or a stop was asked for.

        Raises DatabaseError or InterfaceError where the database is away; what was claimed comes back by its lease.
        """
        done = Drained()
        try:
            self._claim()
            self._keep_recording(done)
        finally:
            self._end(done)
        done.line_down = self._down_words if self._down.is_set() else ""
        return done

    # ── the recorder's side ──────────────────────────────────────────────────────────────────────────────

    def _claim(self) -> None:
        claim = outbox.claim()
        if not claim.ids:
            return
        self._deadlines[claim.token] = claim.deadline
        broken = []
        for pk, message in outbox.compose(claim).items():
            if message is None:
                broken.append(pk)
            else:
                work = _Work(message, claim)
                self._open[pk] = work
                self._todo.put(work)
        if broken:
            outbox.hold(claim.token, broken, reason="cannot_compose")
        while len(self._threads) < min(self._connections, len(self._open)):
            thread = threading.Thread(target=self._carry, name=f"line-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _keep_recording(self, done: Drained) -> None:
        renewed_at = clock.boot_seconds()
        while self._open:
            if clock.boot_seconds() - renewed_at >= RENEW_EVERY:
                renewed_at = clock.boot_seconds()
                self._renew()
            if said := self._heard(wait=min(0.5, RENEW_EVERY)):
                self._commit(said, done)
            if self._stop.is_set() or self._down.is_set():
                self._ending.set()
                self._give_back(self._unbegun())
            elif said and len(self._open) <= self._connections:
                self._claim()

    def _heard(self, *, wait: float) -> list[_Said]:
        said: list[_Said] = []
        try:
            said.append(self._said.get(timeout=wait) if wait else self._said.get_nowait())
            while True:
                said.append(self._said.get_nowait())
        except queue.Empty:
            return said

    def _commit(self, said: list[_Said], done: Drained) -> None:
        """Write a group: results first, so that a line's next fence is never committed before its last result."""
        ended = [item for item in said if isinstance(item, _Ended)]
        asked = [item.work for item in said if isinstance(item, _FenceAsked)]
        allowed: set[int] = set()
        try:
            try:
                with transaction.atomic():
                    self._record(ended)
                    allowed = self._fence(asked)
            except Exception as error:
                log.warning(
                    "a group could not be written (%s); its results are written again, its fences are refused",
                    type(error).__name__,
                )
                allowed = set()
                self._write_again(ended)
                if not isinstance(error, (DatabaseError, InterfaceError)):
                    raise
        finally:
            for work in asked:  # a line that waits for ever would keep this process from ending
                work.fenced = work.message.delivery_id in allowed
                work.answered.set()
        for item in ended:
            self._open.pop(item.work.message.delivery_id, None)
            accepted = isinstance(item.ending, Accepted)
            done.sent += accepted
            done.other += not accepted
        self._give_back([item.work for item in said if isinstance(item, _GivenBack)])

    def _record(self, ended: list[_Ended]) -> None:
        by_token: dict[str, dict[int, Ending]] = {}
        for item in ended:
            by_token.setdefault(item.work.claim.token, {})[item.work.message.delivery_id] = item.ending
        for token, endings in by_token.items():
            recorded = outbox.record(token, endings)
            for pk in endings.keys() - recorded:
                work = self._open.get(pk)
                if work is not None and not work.is_refused:  # one refused at the fence may be on hold by now
                    log.warning("delivery %s: a late result was fenced off", pk)

    def _fence(self, asked: list[_Work]) -> set[int]:
        by_token: dict[str, dict[int, str]] = {}
        for work in asked:
            by_token.setdefault(work.claim.token, {})[work.message.delivery_id] = work.message.digest
        allowed: set[int] = set()
        for token, digests in by_token.items():
            given = outbox.fence(token, digests)
            allowed |= given
            refused = {pk: digest for pk, digest in digests.items() if pk not in given}
            if refused:
                reasons = outbox.why_not_fenced(token, refused)
                for reason in ("stopped", "bytes_differ"):
                    if ids := [pk for pk, why in reasons.items() if why == reason]:
                        log.warning("deliveries %s: held at the fence (%s)", ids, reason)
                        outbox.hold(token, ids, reason=reason)
        return allowed

    def _write_again(self, ended: list[_Ended]) -> None:
        """Write results one by one until the database takes them; the guards make a second writing harmless."""
        for item in ended:
            while clock.boot_seconds() < self._deadlines.get(item.work.claim.token, 0.0):
                try:
                    if connection.connection is not None and not connection.is_usable():
                        connection.close()
                    self._record([item])
                    break
                except (OperationalError, InterfaceError, InternalError) as error:  # away, starting, stopping
                    log.warning("delivery %s: result not written yet (%s)", item.work.message.delivery_id, error)
                    time.sleep(PAUSE_BETWEEN_WRITINGS)
                except Exception as error:  # noqa: BLE001  one that can never be written must not hold up the others
                    defects.tell(log, f"delivery {item.work.message.delivery_id}: result not written", error)
                    break

    def _renew(self) -> None:
        """Prolong what is unbegun or within its time-outs. A claim that lost a row keeps its old local deadline."""
        now = clock.boot_seconds()
        by_token: dict[str, list[int]] = {}
        for pk, work in self._open.items():
            if not work.is_refused and (work.begun_at is None or now - work.begun_at < LONGEST_ATTEMPT):
                by_token.setdefault(work.claim.token, []).append(pk)
        for token, ids in by_token.items():
            try:
                renewed, deadline = outbox.renew(token, ids)
            except (DatabaseError, InterfaceError) as error:
                log.warning("a lease could not be renewed: %s", error)
                continue
            if renewed == len(ids):
                self._deadlines[token] = deadline
            else:  # after a long pause a fence may stand for a lease that is somebody else's by now
                log.warning("a lease was lost: %s of %s deliveries could be renewed", renewed, len(ids))

    def _unbegun(self) -> list[_Work]:
        unbegun: list[_Work] = []
        while True:
            try:
                work = self._todo.get_nowait()
            except queue.Empty:
                return unbegun
            if work is not None:
                unbegun.append(work)

    def _give_back(self, works: Iterable[_Work]) -> None:
        by_token: dict[str, list[int]] = {}
        for work in works:
            self._open.pop(work.message.delivery_id, None)
            by_token.setdefault(work.claim.token, []).append(work.message.delivery_id)
        for token, ids in by_token.items():
            outbox.give_back(token, ids)

    def _end(self, done: Drained) -> None:
        """Let the lines finish what is in flight, whatever happened to the recorder, and write what they say last."""
        self._ending.set()
        unbegun = self._unbegun()
        for _ in self._threads:
            self._todo.put(None)
        while any(thread.is_alive() for thread in self._threads):
            self._commit_last(self._heard(wait=0.1), done)
        self._commit_last(self._heard(wait=0), done)
        unbegun += self._unbegun()
        if unbegun:
            try:
                self._give_back(unbegun)
            except (DatabaseError, InterfaceError) as error:
                log.warning("%s deliveries come back by their lease (%s)", len(unbegun), error)

    def _commit_last(self, said: list[_Said], done: Drained) -> None:
        """Commit a group at the end of a drain, where no error may keep the lines from ending."""
        if not said:
            return
        try:
            self._commit(said, done)
        except Exception as error:  # noqa: BLE001  the drain's own error is on its way already
            log.warning("a group could not be written (%s); its leases settle it", type(error).__name__)

    # ── the lines' side ──────────────────────────────────────────────────────────────────────────────────

    def _carry(self) -> None:
        line = self._open_line()
        while (work := self._todo.get()) is not None:
            if self._ending.is_set() or self._stop.is_set():
                self._said.put(_GivenBack(work))
                continue
            work.begun_at = clock.boot_seconds()
            try:
                ending = line.send(work.message, allow=lambda w=work: self._may_write_dot(w))  # type: ignore[misc]
            except LineDown as down:
                self._lose_line(work, down)
                return
            except Exception as error:  # noqa: BLE001  a defect of ours must not lose the letter nor stop the line
                defects.tell(log, f"delivery {work.message.delivery_id}: the line failed", error)
                ending = Ambiguous("our side failed") if work.fenced else NotSent("our side failed")
                line.close()
                line = self._open_line()
            self._said.put(_Ended(work, ending))
        line.close()

    def _lose_line(self, work: _Work, down: LineDown) -> None:
        """Leave the letter to the other lines: some servers take fewer connections than we have. The last one tells."""
        work.begun_at = None
        with self._counting:
            self._lines_lost += 1
            self._down_words = down.words
            if self._lines_lost < len(self._threads):
                self._todo.put(work)
                return
            self._down.set()
            self._ending.set()
        self._said.put(_GivenBack(work))

    def _may_write_dot(self, work: _Work) -> bool:
        """Ask the recorder for the fence, then look at the local deadline once more, right before the dot."""
        self._said.put(_FenceAsked(work))
        work.answered.wait()
        return work.fenced and clock.boot_seconds() < self._deadlines.get(work.claim.token, 0.0)

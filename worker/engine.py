"""Claim, compose, fence, send, record: over C lines, with one recorder.

The thread that calls `drain` is the recorder, the only one that speaks to the database. Another one, the carriage,
moves the letters, one in flight on each line, and says which ask for their final dot and how attempts ended. What it
said while a group was being committed is the next group, so the cost of a commit is shared.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from letters import clock, instance, outbox
from letters.composing import Message
from letters.endings import Accepted, Ending
from letters.typesetting import Typeset, Typesetter
from targets.models import Address
from worker import defects
from worker.carriage import Carriage, Dropped, Heard, Unusable, Withdrawn
from worker.transports import LONGEST_ATTEMPT, AsksForDot, Carrier, Ended

log = logging.getLogger(__name__)
RENEW_EVERY = outbox.LEASE.total_seconds() / 4
PAUSE_BETWEEN_WRITINGS = 1.0  # seconds between tries to write results while the database is away
LONGEST_WAIT = min(0.5, RENEW_EVERY)  # seconds for which nothing is looked at but what the lines say
CLAIM_AGAIN_AFTER = 1.0  # seconds, where lines are free for more than was found due, or held up by their servers
LINGER = 0.002  # seconds for which a group that has begun waits for others, to share a commit with them


@dataclass
class Drained:
    """What one drain did: deliveries by how they ended, and why the mail server could not be reached at all."""

    sent: int = 0
    other: int = 0
    line_down: str = ""


@dataclass(slots=True)
class _Open:
    """A delivery that is claimed and not yet recorded."""

    claim: outbox.Claim
    typeset: Typeset
    is_refused: bool = False  # no fence was given


class Engine:
    """Drains the outbox with one carrier. One engine drains once."""

    def __init__(self, carrier: Carrier, *, stop: threading.Event, typesetter: Typesetter | None = None) -> None:
        self._carrier = carrier
        self._stop = stop
        self._typesetter = typesetter or Typesetter()
        self._open: dict[int, _Open] = {}  # by delivery id
        self._deadlines: dict[str, float] = {}  # by token, in clock.boot_seconds
        self._lost: set[int] = set()  # in flight here, under a lease that ran out: due again, and not for us
        self._limit = max(4 * carrier.lines, 64)  # of the next claim
        self._claimed_at = 0.0
        self._found_enough = True  # there was as much due as the last claim asked for
        self._carriage = Carriage(
            carrier, compose=lambda pk: self._open[pk].typeset.message(pk), may_write_dot=self._is_in_time
        )

    def drain(self) -> Drained:
        """Send all that is due; return when nothing is left, the mail server is away, or a stop was asked for.

        While one server keeps a line waiting, others' letters go on being claimed. The carrier's lines stay open.
        Raises DatabaseError or InterfaceError where the database is away; what was claimed comes back by its lease.
        """
        done = Drained()
        try:
            self._claim()
            self._keep_recording(done)
        finally:
            self._end(done)
        done.line_down = self._carrier.down
        return done

    def _keep_recording(self, done: Drained) -> None:
        renewed_at, is_ours, is_withdrawn = clock.boot_seconds(), True, False
        while self._open:
            if clock.boot_seconds() - renewed_at >= RENEW_EVERY:
                renewed_at = clock.boot_seconds()
                self._renew()
            heard = self._carriage.heard(wait=LONGEST_WAIT, linger=LINGER, enough=self._carriage.lines // 2)
            if heard:
                self._commit(heard, done)
                is_ours = instance.note_sending(now=timezone.now())
            if is_withdrawn:
                continue
            if not is_ours or self._stop.is_set() or self._carrier.down:
                self._carriage.withdraw()
                is_withdrawn = True
            elif self._needs_more() and self._is_time_to_claim(has_heard=bool(heard)):
                is_ours = self._claim_more()

    # ── claims ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _low(self) -> int:
        """Return how few deliveries may wait before more are claimed: the lines must not run dry meanwhile."""
        return 2 * self._carriage.lines

    def _needs_more(self) -> bool:
        """Return whether lines might run dry. Where all are busy, what waits behind them is enough for a while."""
        if self._carriage.ready >= self._low:
            return False
        return self._carriage.waiting < outbox.MOST_PER_CLAIM or self._carriage.free > 0

    def _is_time_to_claim(self, *, has_heard: bool) -> bool:
        if has_heard and (self._found_enough or self._carriage.waiting < self._low):
            return True
        return clock.boot_seconds() - self._claimed_at >= CLAIM_AGAIN_AFTER

    def _claim_more(self) -> bool:
        """Claim in the middle of a drain, which a database that is away does not end; return whether it is ours."""
        try:
            is_ours = instance.may_send(now=timezone.now())
            if is_ours:
                self._claim()
        except (DatabaseError, InterfaceError) as error:
            log.warning("nothing could be claimed: %s", type(error).__name__)
            _leave_broken_connection()
            return True
        return is_ours

    def _claim(self) -> None:
        now = clock.boot_seconds()
        if self._claimed_at:  # a claim is what the process finishes well within half a lease
            quick = now - self._claimed_at < outbox.LEASE.total_seconds() / 4
            self._limit = min(self._limit * 2, outbox.MOST_PER_CLAIM) if quick else max(self._limit // 2, 1)
        self._claimed_at = now
        self._lost &= self._open.keys()
        crowded = self._carriage.crowded()
        busy = Address.objects.filter(domain__in=crowded)  # asked for apart: a join would lock addresses as well
        but = Q(pk__in=self._lost) | Q(address__in=busy) if self._lost or crowded else None
        claim = outbox.claim(limit=self._limit, ours=instance.seen(), but=but)
        self._found_enough = len(claim.taken) == self._limit
        if again := claim.taken.keys() & self._open.keys():
            self._lost |= again
            outbox.give_back(claim, again)
        fresh = {pk: one for pk, one in claim.taken.items() if pk not in again}
        if not fresh:
            return
        self._deadlines[claim.token] = claim.deadline
        typeset = self._typesetter.set(claim)
        for pk in fresh:
            self._open[pk] = _Open(claim, typeset)
        self._carriage.add({pk: claim.mailboxes[one.address_id].domain for pk, one in fresh.items()})
        for token in self._deadlines.keys() - {one.claim.token for one in self._open.values()}:
            del self._deadlines[token]

    def _is_in_time(self, pk: int) -> bool:
        """Return whether the local deadline of a delivery's claim has not passed."""
        return clock.boot_seconds() < self._deadlines.get(self._open[pk].claim.token, 0.0)

    def _renew(self) -> None:
        """Prolong what is unbegun or within its time-outs. A claim that lost a row keeps its old local deadline.

        What it lost and had not begun is dropped: each would cost a line, only to be refused its fence.
        """
        now = clock.boot_seconds()
        begun = self._carriage.begun()
        by_token: dict[str, list[int]] = {}
        for pk, one in self._open.items():
            if not one.is_refused and now - begun.get(pk, now) < LONGEST_ATTEMPT:
                by_token.setdefault(one.claim.token, []).append(pk)
        for token, ids in by_token.items():
            try:
                renewed, deadline = outbox.renew(token, ids)
                lost = set() if renewed == len(ids) else set(ids) - outbox.held_under(token, ids)
            except (DatabaseError, InterfaceError) as error:
                log.warning("a lease could not be renewed: %s", error)
                continue
            if renewed == len(ids):
                self._deadlines[token] = deadline
            else:  # after a long pause a fence may stand for a lease that is somebody else's by now
                log.warning("a lease was lost: %s of %s deliveries could be renewed", renewed, len(ids))
                self._carriage.drop(lost)

    def _give_back(self, ids: Iterable[int]) -> None:
        by_token: dict[str, tuple[outbox.Claim, list[int]]] = {}
        for pk in ids:
            claim = self._open.pop(pk).claim
            by_token.setdefault(claim.token, (claim, []))[1].append(pk)
        for claim, mine in by_token.values():
            outbox.give_back(claim, mine)

    # ── groups ───────────────────────────────────────────────────────────────────────────────────────────

    def _commit(self, heard: list[Heard], done: Drained) -> None:
        """Write a group: results first, so that a line's next fence is never committed before its last result."""
        ended = {one.message.delivery_id: one.ending for one in heard if isinstance(one, Ended)}
        asked = [one.message for one in heard if isinstance(one, AsksForDot) and one.message.delivery_id not in ended]
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
            for message in asked:
                self._open[message.delivery_id].is_refused = message.delivery_id not in allowed
            if asked:  # a line that waits for ever would keep this process from ending
                self._carriage.answer([(message, message.delivery_id in allowed) for message in asked])
        for pk, ending in ended.items():
            self._open.pop(pk, None)
            accepted = isinstance(ending, Accepted)
            done.sent += accepted
            done.other += not accepted
        for one in heard:
            if isinstance(one, Unusable):
                outbox.hold(self._open.pop(one[0]).claim, one, reason="cannot_compose")
            elif isinstance(one, Withdrawn):
                self._give_back(one)
            elif isinstance(one, Dropped):
                for pk in one:
                    del self._open[pk]

    def _record(self, endings: Mapping[int, Ending]) -> None:
        by_token: dict[str, tuple[outbox.Claim, dict[int, Ending]]] = {}
        for pk, ending in endings.items():
            claim = self._open[pk].claim
            by_token.setdefault(claim.token, (claim, {}))[1][pk] = ending
        for claim, mine in by_token.values():
            for pk in mine.keys() - outbox.record(claim, mine):
                if not self._open[pk].is_refused:  # one refused at the fence may be on hold by now
                    log.warning("delivery %s: a late result was fenced off", pk)

    def _fence(self, asked: Iterable[Message]) -> set[int]:
        by_token: dict[str, tuple[outbox.Claim, dict[int, str]]] = {}
        for message in asked:
            claim = self._open[message.delivery_id].claim
            by_token.setdefault(claim.token, (claim, {}))[1][message.delivery_id] = message.digest
        allowed: set[int] = set()
        for claim, digests in by_token.values():
            given = outbox.fence(claim.token, digests)
            allowed |= given
            refused = {pk: digest for pk, digest in digests.items() if pk not in given}
            if refused:
                reasons = outbox.why_not_fenced(claim.token, refused)
                for reason in ("stopped", "bytes_differ"):
                    if ids := [pk for pk, why in reasons.items() if why == reason]:
                        log.warning("deliveries %s: held at the fence (%s)", ids, reason)
                        outbox.hold(claim, ids, reason=reason)
        return allowed

    def _write_again(self, endings: Mapping[int, Ending]) -> None:
        """Write results one by one until the database takes them; the guards make a second writing harmless."""
        for pk, ending in endings.items():
            while clock.boot_seconds() < self._deadlines.get(self._open[pk].claim.token, 0.0):
                try:
                    _leave_broken_connection()
                    self._record({pk: ending})
                    break
                except (OperationalError, InterfaceError, InternalError) as error:  # away, starting, stopping
                    log.warning("delivery %s: result not written yet (%s)", pk, error)
                    time.sleep(PAUSE_BETWEEN_WRITINGS)
                except Exception as error:  # noqa: BLE001  one that can never be written must not hold up the others
                    defects.tell(log, f"delivery {pk}: result not written", error)
                    break

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────

    def _end(self, done: Drained) -> None:
        """Let the lines finish what is in flight, whatever happened to the recorder, and write what they say last."""
        self._carriage.withdraw()
        is_withdrawn = False
        while not is_withdrawn or self._carriage.begun():
            heard = self._carriage.heard(wait=0.1)
            is_withdrawn = is_withdrawn or any(isinstance(one, Withdrawn) for one in heard)
            self._commit_last(heard, done)
        self._commit_last(self._carriage.heard(wait=0), done)
        self._carriage.finish()

    def _commit_last(self, heard: list[Heard], done: Drained) -> None:
        """Commit a group at the end of a drain, where no error may keep the lines from ending."""
        if not heard:
            return
        try:
            self._commit(heard, done)
        except Exception as error:  # noqa: BLE001  the drain's own error is on its way already
            log.warning("a group could not be written (%s); its leases settle it", type(error).__name__)


def _leave_broken_connection() -> None:
    """Let the next statement connect anew, where a restart of the database has broken the connection."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()

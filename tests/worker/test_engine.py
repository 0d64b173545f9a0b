"""The engine with the real database and a mail server that misbehaves: nothing lost, and copies only where recorded."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from campaigns.models import Ask, Campaign
from letters import clock, instance, outbox, statistics, tokens
from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Ending, NotSent
from letters.models import Delivery, DeliveryEvent
from letters.typesetting import Typeset, Typesetter
from tests.letters import deeds
from tests.worker.faulty_server import Act, FaultyServer, Moment, at, drops, says
from tests.worker.threads import Threads
from worker import engine as engines
from worker.carriage import Carriage, Heard
from worker.engine import Drained, Engine
from worker.transports import LONGEST_ATTEMPT, Allow, AsksForDot, Carrier, Ended, Line, LineDown, wires
from worker.transports.smtp import Server, connected
from worker.transports.wires import Wires

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
State = Delivery.State
LINES = 4


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["step by step", "pipelined"])
def server(request: pytest.FixtureRequest) -> Iterator[FaultyServer]:
    """Return an honest server until a test scripts it: one that pipelines, and one that does not."""
    with FaultyServer(extensions=request.param) as server:
        yield server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the politeness towards servers that end our lines."""
    monkeypatch.setattr(wires, "REST_BETWEEN_LINES", 0.01)


@pytest.fixture
def waiting(ask: Ask) -> list[int]:
    """Return thirty deliveries that are due: ten letters to three targets."""
    for number in range(10):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture(autouse=True)
def the_tallies_agree(campaign: Campaign) -> Iterator[None]:
    """Whatever happened, the counts agree with the rows."""
    yield
    assert statistics.recount(campaign) == 0


def drain(server: FaultyServer, *, lines: int = LINES, stop: threading.Event | None = None) -> Drained:
    """Send all that is due."""
    carrier = Wires(lambda: connected(Server("127.0.0.1", server.port)), connections=lines)
    return drained(carrier, stop=stop)


def drained(carrier: Carrier, *, stop: threading.Event | None = None) -> Drained:
    """Send all that is due with a carrier of one's own."""
    assert instance.may_send(now=timezone.now())
    try:
        return Engine(carrier, stop=stop or threading.Event()).drain()
    finally:
        carrier.close()


def states() -> dict[str, int]:
    """Return how many deliveries stand where."""
    return dict(Counter(Delivery.objects.values_list("state", flat=True)))


def make_due() -> None:
    """Let the waits between attempts pass."""
    Delivery.objects.filter(state=State.QUEUED).update(due_at=timezone.now() - timedelta(seconds=1))


def sent_references() -> set[str]:
    """Return the references of the deliveries recorded as sent, as the server sees them."""
    return {tokens.reference(pk) for pk in Delivery.objects.filter(state=State.SENT).values_list("pk", flat=True)}


@pytest.mark.parametrize("lines", [1, 4])
def test_each_delivery_arrives_exactly_once(waiting: list[int], server: FaultyServer, lines: int) -> None:
    """Thirty deliveries over one line and over four."""
    assert drain(server, lines=lines) == Drained(sent=30)
    assert server.copies() == {tokens.reference(pk): 1 for pk in waiting}
    assert states() == {"sent": 30}
    kept = dict(Delivery.objects.values_list("pk", "digest"))
    assert {tokens.reference(pk): digest for pk, digest in kept.items()} == {
        letter.delivery: letter.digest for letter in server.taken
    }
    assert server.connections == lines
    assert server.most_in_data <= lines
    assert set(Delivery.objects.values_list("attempts", "ambiguous")) == {(1, 0)}


def test_an_empty_outbox_opens_no_line(server: FaultyServer, ask: Ask) -> None:
    """Workers look every few seconds; the mail server need not notice."""
    assert drain(server) == Drained()
    assert server.connections == 0


def test_all_lines_are_used_even_if_the_first_claim_was_small(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drain that began with one letter may meet ten thousand."""
    real = outbox.claim
    limits = iter([1])
    monkeypatch.setattr(outbox, "claim", lambda *, limit, **how: real(limit=next(limits, limit), **how))
    server.script = lambda m: says("250 ok", after=0.03) if m.point == "dot" else None
    assert drain(server).sent == 30
    assert server.connections == LINES


def test_letters_that_come_while_it_runs_are_sent_too(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One drain goes on until nothing is due."""
    real = outbox.claim
    monkeypatch.setattr(outbox, "claim", lambda *, limit, **how: real(limit=min(limit, 7), **how))
    assert drain(server).sent == 30
    assert set(server.copies().values()) == {1}


def test_no_line_has_more_than_one_fence_without_a_result(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is what bounds the extra copies of a crash by the number of lines."""
    past_fence: set[int] = set()
    most: list[int] = []
    real_fence, real_record = outbox.fence, outbox.record

    def fence(token: str, digests: Mapping[int, str]) -> set[int]:
        allowed = real_fence(token, digests)
        past_fence.update(allowed)
        most.append(len(past_fence))
        return allowed

    def record(claim: outbox.Claim, endings: Mapping[int, Ending]) -> set[int]:
        past_fence.difference_update(endings)
        return real_record(claim, endings)

    monkeypatch.setattr(outbox, "fence", fence)
    monkeypatch.setattr(outbox, "record", record)
    drain(server)
    assert 1 <= max(most) <= LINES


def test_a_pause_between_claim_and_fence_holds_what_was_claimed(
    waiting: list[int], server: FaultyServer, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop also catches deliveries that a worker has in hand."""
    real = outbox.claim

    def claim(**how: Any) -> outbox.Claim:
        claimed = real(**how)
        Campaign.objects.filter(pk=campaign.pk).update(paused_at=timezone.now())
        return claimed

    monkeypatch.setattr(outbox, "claim", claim)
    drain(server)
    assert server.dots == 0
    assert states() == {"held": 30}
    assert set(Delivery.objects.values_list("reason", "dot_at")) == {("stopped", None)}


def test_a_lost_lease_writes_no_dot(waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else may hold the row by now."""
    real = outbox.fence

    def fence(token: str, digests: Mapping[int, str]) -> set[int]:
        Delivery.objects.filter(pk__in=digests).update(lease_until=timezone.now() - timedelta(seconds=1))
        return real(token, digests)

    monkeypatch.setattr(outbox, "fence", fence)
    drain(server)
    assert server.dots == 0
    assert states() == {"queued": 30}


def test_a_local_deadline_that_has_passed_writes_no_dot(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process slept between fence and dot: its fence stands, but its lease has run out."""
    slept = threading.Event()
    real_fence, real_clock = outbox.fence, clock.boot_seconds

    def fence(token: str, digests: Mapping[int, str]) -> set[int]:
        allowed = real_fence(token, digests)
        Delivery.objects.filter(pk__in=digests).update(lease_until=timezone.now() - timedelta(seconds=1))
        slept.set()
        return allowed

    monkeypatch.setattr(outbox, "fence", fence)
    monkeypatch.setattr(clock, "boot_seconds", lambda: real_clock() + (1000.0 if slept.is_set() else 0.0))
    drain(server)
    assert server.letters == 30, "every one was streamed"
    assert server.dots == 0
    assert states() == {"queued": 30}
    assert Delivery.objects.filter(ambiguous=0).count() == 30


def test_a_lease_that_was_lost_is_not_prolonged_locally(waiting: list[int], server: FaultyServer) -> None:
    """After a long pause the recorder may wake first; its failed renewal must not allow a line's old fence."""
    with _claimed() as (engine, claim):
        Delivery.objects.filter(pk=waiting[0]).update(lease_until=timezone.now() - timedelta(seconds=1))
        engine._renew()
        assert engine._deadlines[claim.token] == claim.deadline
        engine._open.pop(waiting[0])
        engine._renew()
        assert engine._deadlines[claim.token] > claim.deadline


def test_what_was_lost_before_it_was_begun_is_dropped(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a long pause each of hundreds would cost a line, only to be refused its fence."""
    real, lost, renewed = Carriage.heard, threading.Event(), threading.Event()

    def heard(self: Carriage, **waits: Any) -> list[Heard]:
        if lost.is_set():
            renewed.set()
        elif Delivery.objects.filter(dot_at__isnull=False).exists():
            Delivery.objects.filter(dot_at=None).update(lease_until=timezone.now() - timedelta(seconds=1))
            outbox.reap()
            Delivery.objects.filter(state=State.QUEUED).update(due_at=timezone.now() + timedelta(days=1))
            lost.set()
        return real(self, **waits)

    monkeypatch.setattr(Carriage, "heard", heard)
    monkeypatch.setattr(engines, "RENEW_EVERY", 0.0)
    server.script = lambda moment: None if moment.point != "dot" or renewed.wait(10) else drops()
    assert drain(server, lines=1).sent == 1
    assert states() == {"sent": 1, "queued": 29}
    assert server.letters <= 2, "one may have been begun behind the first"


def test_what_was_lost_and_is_due_again_is_left_to_others(waiting: list[int]) -> None:
    """While it is in flight here, its old attempt and a new one would be taken for each other."""
    assert instance.may_send(now=timezone.now())
    with _claimed() as (engine, claim):
        Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert outbox.reap() == len(waiting)
        engine._claim()
        assert {one.claim.token for one in engine._open.values()} == {claim.token}
        assert states() == {"queued": 30}
        engine._claim()  # and is not even looked at again
        assert sorted(outbox.claim().ids) == waiting


def test_a_wedged_line_keeps_no_lease(waiting: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the sum of all time-outs is left to its lease; what is not yet begun is kept."""
    with _claimed() as (engine, _):
        before = dict(Delivery.objects.values_list("pk", "lease_until"))
        now = clock.boot_seconds()
        begun = {waiting[0]: now - LONGEST_ATTEMPT - 1, waiting[1]: now - 5}
        monkeypatch.setattr(engine._carriage, "begun", lambda: begun)
        engine._renew()
        after = dict(Delivery.objects.values_list("pk", "lease_until"))
        assert [pk for pk in waiting if after[pk] == before[pk]] == [waiting[0]]


@contextlib.contextmanager
def _claimed() -> Iterator[tuple[Engine, outbox.Claim]]:
    """Yield an engine that has claimed everything and begun nothing: its lines are of no use."""
    carrier = Threads(lambda: _Defective(after_fence=False), connections=1)
    engine = Engine(carrier, stop=threading.Event())
    claim = outbox.claim()
    typeset = Typesetter().set(claim)
    engine._open.update({pk: engines._Open(claim, typeset) for pk in claim.ids})
    engine._deadlines[claim.token] = claim.deadline
    yield engine, claim
    engine._carriage.finish()
    carrier.close()


def test_a_server_that_is_away_costs_no_attempt(waiting: list[int], server: FaultyServer) -> None:
    """Everything claimed is given back as if it had not been claimed."""
    server.__exit__()
    done = drain(server)
    assert done.line_down
    assert (done.sent, done.other) == (0, 0)
    assert states() == {"queued": 30}
    assert set(Delivery.objects.values_list("attempts", "ambiguous")) == {(0, 0)}
    assert not Delivery.objects.filter(due_at__gt=timezone.now()).exists(), "it is due as soon as the server is back"


def test_a_server_that_takes_fewer_connections_gets_all_letters_over_those(
    waiting: list[int], server: FaultyServer
) -> None:
    """Many limit the connections of one client; the lines turned away leave their letters to the others."""
    server.most_connections = 1
    server.script = lambda m: says("250 ok", after=0.01) if m.point == "dot" else None
    done = drain(server)
    assert (done.sent, done.line_down) == (30, "")
    assert set(server.copies().values()) == {1}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_server_that_goes_away_in_the_middle_gets_the_rest_later(waiting: list[int], server: FaultyServer) -> None:
    """What was taken is sent, what broke is tried again, what was not begun is as before."""

    def script(moment: Moment) -> Act | None:
        if moment.letter > 10 or server.letters > 10:
            return says("421 4.3.2 shutting down", hangs_up=True) if moment.point in {"mail", "banner"} else None
        return None

    server.script = script
    done = drain(server)
    assert done.line_down == "421 4.3.2 shutting down"
    assert states()["sent"] == 10
    server.script = lambda _moment: None
    make_due()
    assert drain(server).sent == 20
    assert set(server.copies().values()) == {1}


@pytest.mark.parametrize("lost_answer", [False, True], ids=["rolled back", "committed, but the answer was lost"])
def test_a_group_that_fails_gives_no_fence_and_loses_no_result(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch, lost_answer: bool
) -> None:
    """Its fences count as not given; its results are written again, with the same effect."""
    refused: set[int] = set()
    real_commit = Engine._commit
    asked_now: list[int] = []

    class FailingOnce:
        failed = False

        @contextlib.contextmanager
        def atomic(self) -> Iterator[None]:
            with transaction.atomic():
                yield
                fails = not self.failed and bool(asked_now)
                if fails and not lost_answer:
                    self._fail()
            if fails:
                self._fail()

        def _fail(self) -> None:
            FailingOnce.failed = True
            refused.update(asked_now)
            raise OperationalError("server closed the connection unexpectedly")

    def commit(self: Engine, heard: list[Heard], done: Drained) -> None:
        has_result = any(isinstance(item, Ended) for item in heard)
        asked_now[:] = [item.message.delivery_id for item in heard if isinstance(item, AsksForDot) and has_result]
        real_commit(self, heard, done)

    real_heard = Carriage.heard

    def heard(self: Carriage, **waits: Any) -> list[Heard]:
        """Let a group gather for longer than any answer takes, until it holds both."""
        return real_heard(self, **{**waits, "linger": 0.1, "enough": 100} if not FailingOnce.failed else waits)

    monkeypatch.setattr(Carriage, "heard", heard)
    monkeypatch.setattr(engines, "transaction", FailingOnce())
    monkeypatch.setattr(Engine, "_commit", commit)
    server.script = lambda m: says("250 ok", after=0.01) if m.point == "dot" else None
    drain(server)
    assert refused, "no group held both a result and a fence: this test tested nothing"
    assert not refused & set(Delivery.objects.filter(state=State.SENT).values_list("pk", flat=True))
    assert set(server.copies()) == sent_references()
    assert set(server.copies().values()) == {1}
    assert states() == {"sent": 30 - len(refused), "queued": len(refused)}
    make_due()
    monkeypatch.undo()
    assert drain(server).sent == len(refused)
    assert server.copies() == {tokens.reference(pk): 1 for pk in waiting}


def test_a_result_that_cannot_be_written_at_once_is_written_later(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away for a moment: what the server took is still recorded as taken."""
    monkeypatch.setattr(engines, "PAUSE_BETWEEN_WRITINGS", 0.01)
    real = outbox.record
    failures = iter(range(3))

    def record(claim: outbox.Claim, endings: Mapping[int, Ending]) -> set[int]:
        if next(failures, None) is not None:
            raise OperationalError("the database system is starting up")
        return real(claim, endings)

    monkeypatch.setattr(outbox, "record", record)
    drain(server)
    assert set(server.copies()) == sent_references()
    assert set(server.copies().values()) == {1}
    assert State.SENDING not in states()


@pytest.mark.parametrize("error", [OperationalError("gone"), RuntimeError("a defect")])
@pytest.mark.parametrize("deed", ["fence", "claim"])
def test_a_recorder_that_fails_lets_its_lines_end(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch, error: Exception, deed: str
) -> None:
    """Lines that wait for a fence are refused it; what they say last is written down."""
    real: Callable[..., Any] = getattr(outbox, deed)
    calls = iter(range(2))

    def fail_from_the_third(*arguments: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            raise error
        return real(*arguments, **({**named, "limit": 5} if deed == "claim" else named))

    monkeypatch.setattr(outbox, deed, fail_from_the_third)
    with contextlib.suppress(type(error)):
        drain(server)
    assert not [thread for thread in threading.enumerate() if thread.name == "carriage"]
    assert set(server.copies()) == sent_references()
    monkeypatch.undo()
    Delivery.objects.filter(state=State.SENDING).update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.reap()
    make_due()
    drain(server)
    assert server.copies() == {tokens.reference(pk): 1 for pk in waiting}


def test_after_two_unclear_endings_a_person_decides(waiting: list[int], server: FaultyServer) -> None:
    """The same bytes a second time, and never a third."""
    server.script = at("dot", drops(takes=True))
    drain(server)
    assert states() == {"queued": 30}
    unclear = Delivery.objects.filter(ambiguous=1)
    assert unclear.count() >= 15, "where the envelope of the next went along, that one was not sent"
    assert not unclear.filter(due_at__lt=timezone.now() + timedelta(minutes=14)).exists()
    for _ in range(10):
        make_due()
        drain(server)
    assert states() == {"uncertain": 30}
    assert server.copies() == {tokens.reference(pk): 2 for pk in waiting}
    assert len({(letter.delivery, letter.digest) for letter in server.taken}) == 30, "all copies are the same bytes"


def test_a_campaign_that_sends_never_twice_stops_at_the_first(
    waiting: list[int], server: FaultyServer, campaign: Campaign
) -> None:
    """An option of the campaign."""
    Campaign.objects.filter(pk=campaign.pk).update(never_twice=True)
    server.script = at("dot", drops(takes=True))
    for _ in range(8):
        drain(server)
        make_due()
    assert states() == {"uncertain": 30}
    assert set(server.copies().values()) == {1}


def test_a_stop_finishes_what_is_in_flight_and_gives_back_the_rest(waiting: list[int], server: FaultyServer) -> None:
    """No attempt is counted for what was not begun."""
    stop = threading.Event()

    def script(moment: Moment) -> Act | None:
        if moment.point == "dot":
            stop.set()
            return says("250 ok", after=0.2)
        return None

    server.script = script
    begun = time.monotonic()
    done = drain(server, stop=stop)
    assert time.monotonic() - begun < 3
    assert 1 <= done.sent <= 2 * LINES, "a letter on its way and the one whose envelope went along"
    assert states() == {"sent": done.sent, "queued": 30 - done.sent}
    assert set(server.copies()) == sent_references()
    assert Delivery.objects.filter(state=State.QUEUED, attempts=0).count() == 30 - done.sent


def test_bytes_that_differ_from_the_first_attempt_are_held(waiting: list[int], server: FaultyServer) -> None:
    """An upgrade might compose another message: it never goes out under the old Message-ID."""
    server.script = at("dot", says("451 4.3.0 later"))
    drain(server)
    assert states() == {"queued": 30}
    Delivery.objects.filter(pk=waiting[0]).update(digest="0" * 64)
    make_due()
    server.script = lambda _moment: None
    drain(server)
    assert states() == {"held": 1, "sent": 29}
    assert tokens.reference(waiting[0]) not in server.copies()
    assert Delivery.objects.get(pk=waiting[0]).reason == "bytes_differ"


def test_a_letter_that_cannot_be_composed_is_held_and_stops_no_other(
    waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text was forgotten, say."""
    real = Typeset.message
    monkeypatch.setattr(Typeset, "message", lambda self, pk: None if pk == waiting[3] else real(self, pk))
    assert drain(server).sent == 29
    assert states() == {"held": 1, "sent": 29}


class _NoServer:
    """A line that needs neither opening nor closing."""

    def open(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class _Defective(_NoServer):
    """A line with a defect: it fails before or after it was allowed to write the dot."""

    def __init__(self, *, after_fence: bool) -> None:
        self._after_fence = after_fence

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Fail on every letter."""
        if self._after_fence:
            assert allow()
        raise KeyError(message.envelope_to)



@pytest.mark.parametrize("after_fence", [False, True])
def test_a_defect_of_a_line_is_unclear_only_past_the_fence_and_tells_no_address(
    waiting: list[int], after_fence: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It loses no letter, ends no line, and its words stay out of the log."""
    drained(Threads(lambda: _Defective(after_fence=after_fence), connections=2))
    assert states() == {"queued": 30}
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {int(after_fence)}
    assert "KeyError" in caplog.text
    assert "northland.example" not in caplog.text


def test_a_late_result_changes_nothing(waiting: list[int], caplog: pytest.LogCaptureFixture) -> None:
    """The lease was lost while the server thought about it: whoever reaped the row is responsible."""

    class Slow(_NoServer):
        def send(self, message: Message, *, allow: Allow) -> Ending:
            assert allow()
            taken_away.wait(5)
            return Accepted(250, f"late {message.delivery_id}")

    taken_away = threading.Event()
    real = Carriage.heard

    def heard(self: Carriage, **waits: Any) -> list[Heard]:
        said = real(self, **{**waits, "wait": 0.1})
        if not said and not taken_away.is_set() and Delivery.objects.filter(dot_at__isnull=False).count() == 2:
            Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            outbox.reap()
            taken_away.set()
        return said

    def line() -> Line:
        return Slow()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Carriage, "heard", heard)
        patch.setattr(outbox, "claim", _once(outbox.claim, limit=2))
        drained(Threads(line, connections=2))
    assert caplog.text.count("a late result was fenced off") == 2
    assert states() == {"queued": 30}
    assert Delivery.objects.filter(ambiguous=1).count() == 2
    assert not DeliveryEvent.objects.filter(to_state="sent").exists()


def _once(real: Callable[..., outbox.Claim], *, limit: int) -> Callable[..., outbox.Claim]:
    left = iter([limit])

    def claim(**_: Any) -> outbox.Claim:
        chosen = next(left, 0)
        return real(limit=chosen) if chosen else outbox.Claim("none", {}, {}, 0.0)

    return claim


def test_every_ending_is_recorded_as_what_it_is(waiting: list[int]) -> None:
    """Counts as the loop sees them."""

    class Mixed(_NoServer):
        def send(self, message: Message, *, allow: Allow) -> Ending:
            if message.delivery_id % 3 == 0:
                return NotSent("nothing")
            allow()
            return Ambiguous("hm") if message.delivery_id % 3 == 1 else Accepted(250, "ok")

    done = drained(Threads(Mixed, connections=3))
    assert (done.sent, done.other) == (10, 20)
    assert Delivery.objects.filter(ambiguous=1).count() == 10


def test_a_line_down_keeps_its_words() -> None:
    """The loop tells them once, not twice."""
    assert LineDown("no route").words == "no route"

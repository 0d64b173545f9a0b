"""The delivery loop: what it survives, when it rests, and what one server's outage does to the other's mail."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from campaigns.models import Ask, Campaign
from config.env import MailServerAddress
from letters import outbox
from letters.models import Delivery, Notice
from tests.letters import deeds
from tests.worker.faulty_server import Act, FaultyServer, Moment, says
from worker import jobs, loop, schedule, supporter_mail
from worker.engine import Drained
from worker.loop import Loop
from worker.transports import LineDown

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
State = Delivery.State


def at_port(port: int) -> MailServerAddress:
    """Return the address of a server on this machine."""
    return MailServerAddress("127.0.0.1", port, "plain")


@pytest.fixture(autouse=True)
def both_servers(server: FaultyServer) -> Iterator[None]:
    """Targets and supporters are served by the same server until a test says otherwise."""
    address = at_port(server.port)
    with override_settings(MAIL_SERVER=address, SUPPORTER_MAIL_SERVER=address, CONNECTIONS=2):
        yield


@pytest.fixture
def nobody(server: FaultyServer) -> MailServerAddress:
    """Return an address where nobody listens."""
    with FaultyServer() as other:
        port = other.port
    return at_port(port)


def rests(monkeypatch: pytest.MonkeyPatch, running: Loop, *, turns: int) -> list[float]:
    """Run the loop for so many turns; return how long it would have rested after each."""
    rested: list[float] = []

    def rest(seconds: float) -> bool:
        rested.append(seconds)
        if len(rested) >= turns:
            running.stop()
        return True

    monkeypatch.setattr(running._bell, "wait", rest)
    monkeypatch.setattr(running._stop, "wait", rest)
    running.run()
    return rested


def test_a_turn_sends_what_is_due_to_supporters_and_targets(ask: Ask, server: FaultyServer) -> None:
    """The confirmation mail first: somebody is waiting for it."""
    deeds.a_confirmed_letter(ask)
    deeds.an_awaiting_letter(ask, email="erik@mail.example")
    running = Loop()
    assert running.turn(rung=True)
    assert server.taken[0].to == "erik@mail.example"
    assert len([letter for letter in server.taken if letter.delivery]) == 3
    assert not running.turn(rung=True), "nothing is left"


def test_what_is_due_and_cannot_be_claimed_does_not_spin_the_loop(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker's locks, say: a loop that trusted the due time alone would never rest."""
    deeds.a_confirmed_letter(ask)
    Campaign.objects.update(paused_at=timezone.now())
    monkeypatch.setattr(outbox, "next_due_in", lambda **_most: 0.0)
    assert all(rest >= 1 for rest in rests(monkeypatch, Loop(), turns=3))
    assert Delivery.objects.filter(state=State.SENT).count() == 0


def test_an_idle_loop_looks_at_least_every_ten_seconds(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring that was lost costs no more."""
    assert all(1 <= rest <= 10 for rest in rests(monkeypatch, Loop(), turns=3))


@pytest.mark.parametrize("error", [OperationalError("away"), RuntimeError("dana@" + "mail.example")])
def test_neither_an_outage_nor_a_defect_ends_the_loop(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker whose loop died would look alive and deliver nothing."""
    deeds.a_confirmed_letter(ask)
    real, failures = outbox.reap, iter([error])

    def reap() -> int:
        if (failure := next(failures, None)) is not None:
            raise failure
        return real()

    monkeypatch.setattr(outbox, "reap", reap)
    rested = rests(monkeypatch, Loop(), turns=2)
    assert rested[0] >= 1
    assert Delivery.objects.filter(state=State.SENT).count() == 3
    assert "dana@" not in caplog.text


def test_a_mail_server_that_is_away_is_asked_less_and_less_often(
    ask: Ask, server: FaultyServer, nobody: MailServerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most a minute; and only the first try claims anything."""
    deeds.a_confirmed_letter(ask)
    claims: list[int] = []
    real = outbox.claim
    monkeypatch.setattr(outbox, "claim", lambda **most: claims.append(1) or real(**most))  # type: ignore[func-returns-value]
    with override_settings(MAIL_SERVER=nobody):
        assert rests(monkeypatch, Loop(), turns=9) == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(claims) == 1
    assert set(Delivery.objects.values_list("state", "attempts")) == {("queued", 0)}


def test_a_server_that_takes_letters_between_its_nonsense_is_not_waited_for_longer_and_longer(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that greets us with something else, now and then, must not make a minute's pause of every letter."""
    for number in range(4):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    greets: list[str] = []

    def confused_after_each_letter(moment: Moment) -> Act | None:
        if moment.point == "dot":
            greets.append("nonsense")
            return says("250 taken", hangs_up=True)
        return says("SSH-2.0-OpenSSH_9.2") if moment.point == "banner" and greets and greets.pop() else None

    server.script = confused_after_each_letter
    with override_settings(CONNECTIONS=1):
        assert rests(monkeypatch, Loop(), turns=6) == [1, 1, 1, 1, 1, 1]  # each second one before a line is tried again


def test_a_server_for_supporters_that_is_away_holds_up_no_letter(
    ask: Ask, server: FaultyServer, nobody: MailServerAddress
) -> None:
    """Their mail waits untouched and goes out when the server is back."""
    deeds.a_confirmed_letter(ask)
    Notice.objects.all().delete()
    deeds.an_awaiting_letter(ask, email="erik@mail.example")
    running = Loop()
    with override_settings(SUPPORTER_MAIL_SERVER=nobody):
        assert running.turn()
    assert Delivery.objects.filter(state=State.SENT).count() == 3
    assert list(Notice.objects.values_list("state", "attempts")) == [("queued", 0)]
    running._errands._supporters_after = 0.0
    assert running.turn()
    assert not running.turn()
    assert server.taken[-1].to == "erik@mail.example"


def test_a_bell_wakes_both_threads_of_a_resting_loop(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a fraction of their rest; and a stop ends them as fast."""
    monkeypatch.setattr(loop, "_running", None)
    turned = {"_letters_turn": threading.Semaphore(0), "_errands_turn": threading.Semaphore(0)}
    for name, turns in turned.items():
        monkeypatch.setattr(Loop, name, lambda _self, _rung, turns=turns: turns.release() or 30.0)
    running = loop.this_process()
    assert loop.this_process() is running
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        assert all(turns.acquire(timeout=5) for turns in turned.values())
        jobs.deliver()
        assert all(turns.acquire(timeout=5) for turns in turned.values())
    finally:
        running.stop()
        thread.join(5)
    assert not thread.is_alive()


def test_a_job_in_a_process_without_a_loop_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery inside an RQ job could be cut off by the job's time-out between the server's yes and its record."""
    monkeypatch.setattr(loop, "_running", None)
    monkeypatch.setattr(Loop, "turn", lambda *_a, **_k: pytest.fail("it delivered inside a job"))
    jobs.deliver()
    jobs.sweep()
    jobs.release()


def test_what_recurs_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Each job on a timer of its own: one that fails or dawdles does not hold up the others."""
    ran: dict[str, int] = {"fails": 0, "works": 0}
    ended = threading.Event()

    def fails() -> None:
        ran["fails"] += 1
        raise RuntimeError

    def works() -> None:
        ran["works"] += 1

    def dawdles() -> None:
        ended.wait(10)

    monkeypatch.setattr(schedule, "RECURRING", {dawdles: 0.01, fails: 0.01, works: 0.01})
    threads = schedule.keep(ended)
    until = time.monotonic() + 5
    while min(ran.values()) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join(2)
    assert min(ran.values()) >= 3
    assert "fails failed: RuntimeError" in caplog.text


def test_expiring_forgets_what_ran_out(ask: Ask) -> None:
    """Drafts of 2011 have had their time."""
    draft = deeds.a_draft(ask)
    jobs.expire()
    draft.refresh_from_db()
    assert (draft.stage, bytes(draft.sealed)) == ("expired", b"")


def test_one_notice_that_cannot_be_composed_keeps_no_other_waiting(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again later."""
    first = deeds.the_notice(deeds.an_awaiting_letter(ask))
    deeds.an_awaiting_letter(ask, email="erik@mail.example")
    real = supporter_mail.compose

    def compose(notice: Notice, to: str) -> Any:
        if notice.pk == first.pk:
            raise ValueError(to)
        return real(notice, to)

    monkeypatch.setattr(supporter_mail, "compose", compose)
    running = Loop()
    while running.turn():
        pass
    assert [letter.to for letter in server.taken] == ["erik@mail.example"]
    assert Notice.objects.get(pk=first.pk).state == "queued"
    assert "dana@" not in caplog.text


def test_a_line_down_says_so_once() -> None:
    """The loop wraps what the engine tells it."""
    drained = Drained(line_down=LineDown("no route").words)
    assert LineDown(drained.line_down).sentence == "The mail server cannot be reached: no route"

"""Stops: what a pause, a withdrawal or an organiser catches, and what a person lets go again."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from campaigns import publishing
from letters import lifecycle, locks, outbox, statistics, steering, writing
from letters.endings import Ambiguous, Deferred, Ending, NotSent
from letters.models import DeliveryEvent, Letter
from letters.page_words import Word
from targets.models import Address
from tests.letters import deeds
from tests.letters.deeds import BROKEN, LATER, NO, TAKEN, UNSENT, Clock, delivery_to, suppress

pytestmark = pytest.mark.django_db


def test_what_a_pause_caught_at_the_fence_leaves_when_the_pause_ends(letter: Letter, clock: Clock, alice: User) -> None:
    claim = outbox.claim()
    publishing.pause(campaign=letter.campaign, by=alice, now=clock.now)
    assert outbox.hold(claim, claim.ids, reason="stopped") == 3
    outbox.reap()
    assert deeds.states(letter) == ["held"] * 3
    assert statistics.ledger(letter.campaign).counts[Word.WAITING] == 3
    publishing.resume(campaign=letter.campaign, by=alice)
    outbox.reap()
    assert statistics.ledger(letter.campaign).counts[Word.WAITING] == 3  # never tried
    deeds.send_all()
    assert deeds.states(letter) == ["sent"] * 3


def test_differing_bytes_stay_held_whatever_ends(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    outbox.hold(claim, claim.ids, reason="bytes_differ")
    outbox.reap()
    assert deeds.states(letter) == ["held"] * 3


@pytest.mark.parametrize("stop", ["withdrawn", "campaign", "target"])
@pytest.mark.parametrize("then", ["held", "given back", "lease lost", "fenced and lost", LATER, UNSENT, BROKEN])
def test_a_stop_takes_effect_when_the_attempt_ends(
    letter: Letter, clock: Clock, alice: User, stop: str, then: str | Ending
) -> None:
    claim = outbox.claim()
    if then in (LATER, BROKEN, "fenced and lost"):
        outbox.fence(claim.token, deeds.digests(claim))
    if stop == "withdrawn":
        assert writing.withdraw(letter, now=clock.now) == (0, 3)
    elif stop == "campaign":
        steering.stop_waiting(campaign=letter.campaign, by=alice, now=clock.now)
    else:
        for delivery in deeds.deliveries(letter):
            steering.stop_target(campaign=letter.campaign, target=delivery.target, by=alice, now=clock.now)
    assert deeds.states(letter) == ["sending"] * 3
    match then:
        case "held":
            assert outbox.fence(claim.token, deeds.digests(claim)) == set()
            outbox.hold(claim, claim.ids, reason="stopped")
        case "given back":
            outbox.give_back(claim, claim.ids)
        case "lease lost" | "fenced and lost":
            clock.now += outbox.LEASE
            outbox.reap()
        case Deferred() | NotSent() | Ambiguous() as ending:
            endings: dict[int, Ending] = dict.fromkeys(claim.ids, ending)
            outbox.record(claim, endings)
    assert deeds.states(letter) == ["cancelled"] * 3
    assert statistics.recount(letter.campaign) == 0
    clock.pass_by(days=1)
    assert outbox.claim().ids == []


def test_a_campaigns_stop_holds_though_a_worker_keeps_what_it_is_to_mark(
    letter: Letter, clock: Clock, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_rows: Any, **_how: Any) -> int:
        raise locks.Taken(locks.Taken.sentence)

    claim = outbox.claim(limit=1)
    monkeypatch.setattr(lifecycle, "ask_to_stop", taken)
    steering.stop_waiting(campaign=letter.campaign, by=alice, now=clock.now)
    assert sorted(deeds.states(letter)) == ["cancelled", "cancelled", "sending"]
    assert outbox.fence(claim.token, deeds.digests(claim)) == set()
    outbox.record(claim, dict.fromkeys(claim.ids, LATER))
    assert steering.finish_stops(now=clock.now) == 1
    assert deeds.states(letter) == ["cancelled"] * 3


@pytest.mark.parametrize(("ending", "state"), [(TAKEN, "sent"), (NO, "failed")])
def test_a_stop_does_not_undo_what_the_server_answered(
    letter: Letter, clock: Clock, ending: Ending, state: str
) -> None:
    claim = outbox.claim()
    outbox.fence(claim.token, deeds.digests(claim))
    writing.withdraw(letter, now=clock.now)
    outbox.record(claim, dict.fromkeys(claim.ids, ending))
    assert deeds.states(letter) == [state] * 3


def test_stopping_a_target_stops_it_alone(letter: Letter, clock: Clock, alice: User) -> None:
    target = delivery_to(letter, "Bruno Keller").target
    assert steering.stop_target(campaign=letter.campaign, target=target, by=alice, now=clock.now) == 1
    assert delivery_to(letter, "Bruno Keller").state == "cancelled"
    assert steering.stop_waiting(campaign=letter.campaign, by=alice, now=clock.now) == 2
    assert deeds.states(letter) == ["cancelled"] * 3
    by = DeliveryEvent.objects.values_list("reason", "by").distinct()
    assert list(by) == [("stopped", alice.email)]


def test_an_unclear_delivery_is_sent_again_once_and_only_by_a_person(letter: Letter, clock: Clock, alice: User) -> None:
    for _ in range(2):
        deeds.attempt(BROKEN)
        clock.pass_by(hours=1)
    delivery = deeds.deliveries(letter)[0]
    assert steering.send_again(delivery=delivery, by=alice, now=clock.now)
    assert not steering.send_again(delivery=delivery, by=alice, now=clock.now)
    deeds.attempt(BROKEN)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.ambiguous, delivery.sent_again) == ("uncertain", 3, 1)
    assert not steering.send_again(delivery=delivery, by=alice, now=clock.now)


def test_only_what_is_held_and_wanted_is_let_go(letter: Letter, clock: Clock, alice: User) -> None:
    claim = outbox.claim()
    assert not steering.let_go(delivery=deeds.deliveries(letter)[0], by=alice, now=clock.now)
    outbox.hold(claim, claim.ids, reason="bytes_differ")
    suppress("minister@foreign.example")
    let = {d.target.name: steering.let_go(delivery=d, by=alice, now=clock.now) for d in deeds.deliveries(letter)}
    assert let == {"Anna Lund": True, "Bruno Keller": False, "Office of the President": True}
    assert not steering.let_go(delivery=delivery_to(letter, "Anna Lund"), by=alice, now=clock.now)


def test_what_a_person_lets_go_still_waits_for_its_mailbox(
    letter: Letter, clock: Clock, alice: User, settings: Settings
) -> None:
    claim = outbox.claim()
    outbox.hold(claim, claim.ids, reason="bytes_differ")
    Address.objects.update(cap_per_hour=1)
    first, second, _ = deeds.deliveries(letter)
    steering.let_go(delivery=first, by=alice, now=clock.now)
    settings.PACED = False
    steering.let_go(delivery=second, by=alice, now=clock.now)
    assert [d.due_at for d in deeds.deliveries(letter)][:2] == [None, clock.now]

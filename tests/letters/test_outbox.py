"""The worker's side: what gets a fence, and where each ending leads (RELIABILITY §3, §4, §6)."""

from datetime import timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import clock as clocks
from letters import outbox, retries, statistics, writing
from letters.endings import Deferred, Ending, Refused
from letters.models import AttemptAt, Delivery, DeliveryEvent, Letter
from letters.page_words import Word
from letters.refusals import NobodyReachable
from targets.models import Address
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import BROKEN, ENDINGS, LATER, NO, TAKEN, UNSENT, Clock, delivery_to, suppress

pytestmark = pytest.mark.django_db


# ── fence ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fence_stamps_the_delivery_and_keeps_its_digest(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    digests = deeds.digests(claim)
    clock.pass_by(seconds=20)
    assert outbox.fence(claim.token, digests) == set(claim.ids)
    assert {(d.dot_at, d.digest == digests[d.pk]) for d in deeds.deliveries(letter)} == {(clock.now, True)}


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("wrong token", "lease_lost"), ("lease run out", "lease_lost"), ("lease lost", "lease_lost"),
        ("paused", "stopped"), ("withdrawn", "stopped"), ("suppressed", "stopped"), ("bytes", "bytes_differ"),
    ],
)  # fmt: skip
def test_a_fence_is_refused(letter: Letter, clock: Clock, alice: User, why: str, told: str) -> None:
    delivery = delivery_to(letter, "Bruno Keller")
    claim = outbox.claim()
    token, digests = claim.token, {delivery.pk: deeds.digests(claim)[delivery.pk]}
    match why:
        case "wrong token":
            token = "x" * 32
        case "lease run out":
            clock.now += outbox.LEASE
        case "lease lost":
            clock.now += outbox.LEASE
            outbox.reap()
            clock.now -= outbox.LEASE
        case "paused":
            publishing.pause(campaign=letter.campaign, by=alice, now=clock.now)
        case "withdrawn":
            writing.withdraw(letter, now=clock.now)
        case "suppressed":
            suppress("minister@foreign.example")
        case "bytes":
            Delivery.objects.filter(pk=delivery.pk).update(digest="0" * 64)
    before = Delivery.objects.filter(pk=delivery.pk).values().get()
    assert outbox.fence(token, digests) == set()
    assert Delivery.objects.filter(pk=delivery.pk).values().get() == before
    assert outbox.why_not_fenced(token, digests) == {delivery.pk: told}


def test_a_stop_of_one_target_leaves_the_fences_of_the_others(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    suppress("minister@foreign.example")
    allowed = outbox.fence(claim.token, deeds.digests(claim))
    assert allowed == set(claim.ids) - {delivery_to(letter, "Bruno Keller").pk}


def test_a_renewed_lease_lasts_and_a_lost_one_is_not_renewed(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    clock.pass_by(seconds=outbox.LEASE.total_seconds() - 1)
    assert outbox.renew(claim.token, claim.ids)[0] == 3
    clock.pass_by(seconds=outbox.LEASE.total_seconds() - 1)
    assert outbox.reap() == 0
    clock.pass_by(seconds=1)
    assert outbox.renew(claim.token, claim.ids)[0] == 0
    assert outbox.reap() == 3


def test_the_local_deadline_comes_before_the_lease_ends(letter: Letter) -> None:
    before = clocks.boot_seconds()
    deadline = outbox.claim().deadline
    holds_for = (outbox.LEASE - outbox.SAFETY).total_seconds()
    assert before + holds_for <= deadline <= clocks.boot_seconds() + holds_for
    assert timedelta(0) < outbox.SAFETY


# ── record: where each ending leads ──────────────────────────────────────────────────────────────────────


def _after(letter: Letter, ending: Ending) -> Delivery:
    deeds.attempt(ending)
    (row,) = {d.state: d for d in deeds.deliveries(letter)}.values()
    assert (row.token, row.lease_until) == ("", None)
    assert statistics.recount(letter.campaign) == 0
    assert statistics.ledger(letter.campaign).adds_up
    return row


def test_accepted_is_sent(letter: Letter, clock: Clock) -> None:
    row = _after(letter, TAKEN)
    assert (row.state, row.sent_at, row.ended_at, row.ambiguous) == ("sent", clock.now, clock.now, 0)
    event = DeliveryEvent.objects.filter(delivery=row).latest("pk")
    assert (event.reason, event.code, event.words, len(event.token)) == ("accepted", 250, "2.0.0 taken", 32)


@pytest.mark.parametrize(
    ("ending", "least", "most"),
    [
        (LATER, 240, 360),
        (Deferred(450, "greylisted", at_recipient=True), 360, 360),
        (Deferred(421, "in an hour", wait_for=3600), 3600, 3600),
        (UNSENT, 240, 360),
        (BROKEN, 900, 900),
    ],
)
def test_what_may_be_tried_again_waits_for_its_time(
    letter: Letter, clock: Clock, ending: Ending, least: int, most: int
) -> None:
    row = _after(letter, ending)
    assert row.state == "queued"
    assert row.ambiguous == (ending is BROKEN)
    assert row.due_at is not None
    assert least <= (row.due_at - clock.now).total_seconds() <= most
    assert outbox.claim().ids == []


def test_refused_has_failed(letter: Letter, clock: Clock) -> None:
    row = _after(letter, NO)
    assert (row.state, row.ended_at, row.sent_at) == ("failed", clock.now, None)
    assert DeliveryEvent.objects.filter(delivery=row).latest("pk").code == 550


def test_the_second_unclear_ending_waits_for_a_person(letter: Letter, clock: Clock) -> None:
    assert _after(letter, BROKEN).ambiguous == 1
    clock.pass_by(hours=1)
    row = _after(letter, BROKEN)
    assert (row.state, row.ambiguous) == ("uncertain", 2)
    clock.pass_by(days=4)
    assert outbox.claim().ids == []


def test_never_twice_means_the_first_unclear_ending_waits_for_a_person(letter: Letter, clock: Clock) -> None:
    Campaign.objects.update(never_twice=True)
    row = _after(letter, BROKEN)
    assert (row.state, row.ambiguous) == ("uncertain", 1)


@pytest.mark.parametrize("ending", [LATER, UNSENT])
@pytest.mark.parametrize(("ambiguous", "to"), [(0, "failed"), (1, "uncertain")])
def test_after_five_days_it_ends(letter: Letter, clock: Clock, ending: Ending, ambiguous: int, to: str) -> None:
    Delivery.objects.update(ambiguous=ambiguous)
    assert _after(letter, ending).state == "queued"
    clock.now = cast.NOW + retries.GIVE_UP_AFTER
    assert _after(letter, ending).state == "queued"
    clock.pass_by(hours=8)
    row = _after(letter, ending)
    assert (row.state, row.reason) == (to, "gave_up")


def test_an_unclear_ending_after_five_days_is_unclear(letter: Letter, clock: Clock) -> None:
    _after(letter, UNSENT)
    clock.pass_by(days=5, hours=1)
    row = _after(letter, BROKEN)
    assert (row.state, row.ambiguous) == ("uncertain", 1)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_result_under_a_stale_token_changes_nothing(letter: Letter, clock: Clock, ending: Ending) -> None:
    old = outbox.claim()
    clock.now += outbox.LEASE
    assert outbox.reap() == 3
    new = outbox.claim()
    before = list(Delivery.objects.order_by("pk").values())
    events = DeliveryEvent.objects.count()
    assert outbox.record(old, dict.fromkeys(old.ids, ending)) == set()
    assert list(Delivery.objects.order_by("pk").values()) == before
    assert (DeliveryEvent.objects.count(), AttemptAt.objects.count()) == (events, 0)
    assert outbox.record(new, dict.fromkeys(new.ids, TAKEN)) == set(new.ids)


def test_a_result_written_twice_counts_once(letter: Letter, clock: Clock) -> None:
    claim = deeds.send_all()
    assert outbox.record(claim, dict.fromkeys(claim.ids, BROKEN)) == set()
    assert deeds.states(letter) == ["sent"] * 3


def test_a_group_may_end_in_different_ways(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    ways: list[Ending] = [TAKEN, NO, LATER]
    endings = dict(zip(claim.ids, ways, strict=True))
    assert outbox.record(claim, endings) == set(claim.ids)
    assert deeds.states(letter) == ["failed", "queued", "sent"]
    assert statistics.recount(letter.campaign) == 0


@pytest.mark.parametrize(("ending", "n"), [(TAKEN, 3), (BROKEN, 3), (LATER, 3), (NO, 3), (UNSENT, 0)])
def test_the_pace_counts_what_reached_a_server(letter: Letter, clock: Clock, ending: Ending, n: int) -> None:
    Address.objects.update(cap_per_hour=60)
    deeds.release(clock)
    deeds.attempt(ending)
    assert AttemptAt.objects.count() == n
    clock.pass_by(days=1, hours=2)
    outbox.forget_attempts(now=clock.now)
    assert AttemptAt.objects.count() == 0


def test_two_refusals_of_the_address_within_a_week_mark_it_dead(ask: Ask, clock: Clock) -> None:
    for n, status in enumerate(["bouncing", "dead"]):
        deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example", now=clock.pass_by(hours=1))
        deeds.attempt(Refused(550, "5.1.1 no such mailbox"))
        assert {a.status for a in Address.objects.filter(kind="email")} == {status}
    with pytest.raises(NobodyReachable):
        deeds.a_confirmed_letter(ask, email="w9@mail.example")


def test_refusals_of_our_own_address_or_long_ago_leave_the_address_alive(ask: Ask, clock: Clock) -> None:
    for n, words in enumerate(["5.1.8 your domain", "5.1.1 no such mailbox", "5.1.7 your address"]):
        deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example", now=clock.pass_by(hours=1))
        deeds.attempt(Refused(550, words))
    clock.pass_by(days=8)
    deeds.a_confirmed_letter(ask, email="w8@mail.example", now=clock.now)
    deeds.attempt(Refused(550, "5.1.1 no such mailbox"))
    assert {a.status for a in Address.objects.filter(kind="email")} == {"bouncing"}


def test_an_address_that_took_a_letter_works(letter: Letter, clock: Clock) -> None:
    deeds.send_all()
    assert {a.status for a in Address.objects.filter(kind="email")} == {"working"}


# ── give back, hold, reap ────────────────────────────────────────────────────────────────────────────────


def test_what_is_given_back_was_never_tried(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    assert statistics.ledger(letter.campaign).counts[Word.HANDING_OVER] == 3
    assert outbox.give_back(claim, claim.ids) == 3
    after = {(d.state, d.attempts, d.token, d.first_tried_at) for d in deeds.deliveries(letter)}
    assert after == {("queued", 0, "", None)}
    assert statistics.ledger(letter.campaign).counts[Word.WAITING] == 3
    assert statistics.recount(letter.campaign) == 0
    assert len(outbox.claim().ids) == 3


def test_what_has_its_fence_is_neither_given_back_nor_held(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    outbox.fence(claim.token, deeds.digests(claim))
    assert outbox.give_back(claim, claim.ids) == 0
    assert outbox.hold(claim, claim.ids, reason="stopped") == 0
    assert deeds.states(letter) == ["sending"] * 3


def test_a_lost_claim_without_fence_is_queued_again_as_it_was(letter: Letter, clock: Clock) -> None:
    outbox.claim()
    clock.pass_by(seconds=outbox.LEASE.total_seconds() - 1)
    assert outbox.reap() == 0
    clock.pass_by(seconds=1)
    assert outbox.reap() == 3
    assert {(d.state, d.ambiguous, d.reason, d.due_at) for d in deeds.deliveries(letter)} == {
        ("queued", 0, "lease_lost", clock.now)
    }
    assert AttemptAt.objects.count() == 0
    assert outbox.reap() == 0


def test_a_mailbox_without_a_pace_needs_no_memory(letter: Letter, clock: Clock) -> None:
    Address.objects.filter(value="minister@foreign.example").update(cap_per_day=60)
    deeds.release(clock)
    deeds.send_all()
    assert [attempt.address.value for attempt in AttemptAt.objects.all()] == ["minister@foreign.example"]


def test_a_lost_claim_with_its_fence_is_unclear(letter: Letter, clock: Clock) -> None:
    for ambiguous, state in ((1, "queued"), (2, "uncertain")):
        deeds.with_a_pace(cap_per_hour=60)
        claim = outbox.claim()
        assert outbox.fence(claim.token, deeds.digests(claim)) == set(claim.ids)
        clock.now += outbox.LEASE
        assert outbox.reap() == 3
        assert {(d.state, d.ambiguous) for d in deeds.deliveries(letter)} == {(state, ambiguous)}
        assert AttemptAt.objects.count() == 3 * ambiguous  # a copy may have been taken: it counts for the pace
        clock.pass_by(hours=1)
    assert statistics.recount(letter.campaign) == 0


def test_a_lost_fence_under_never_twice_waits_for_a_person(letter: Letter, clock: Clock) -> None:
    Campaign.objects.update(never_twice=True)
    claim = outbox.claim()
    outbox.fence(claim.token, deeds.digests(claim))
    clock.now += outbox.LEASE
    outbox.reap()
    assert {(d.state, d.ambiguous) for d in deeds.deliveries(letter)} == {("uncertain", 1)}


def test_what_always_loses_its_worker_ends_after_five_days(letter: Letter, clock: Clock) -> None:
    outbox.claim()
    clock.pass_by(days=5, seconds=1)
    outbox.reap()
    assert {(d.state, d.reason) for d in deeds.deliveries(letter)} == {("failed", "gave_up")}


def test_a_reaper_that_slept_leaves_running_leases_alone(
    letter: Letter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knew what time it was before it slept: to it, all leases of the others seem to come from a wrong clock."""
    before = clock.now
    clock.pass_by(seconds=1.5 * outbox.LEASE.total_seconds())
    assert len(outbox.claim().ids) == 3
    monkeypatch.setattr("letters.clock.database_now", lambda *, fresh=False: clock.now if fresh else before)
    assert outbox.reap() == 0
    clock.pass_by(seconds=outbox.LEASE.total_seconds())
    monkeypatch.setattr("letters.clock.database_now", clock)
    assert outbox.reap() == 3


def test_leases_are_made_and_prolonged_by_a_clock_that_is_read_then(
    letter: Letter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it has jumped since it was last read, they would be lost as they are made, and what is fenced unclear."""
    before = clock.now
    clock.pass_by(hours=1)
    monkeypatch.setattr("letters.clock.database_now", lambda *, fresh=False: clock.now if fresh else before)
    claim = outbox.claim()
    assert {d.lease_until for d in deeds.deliveries(letter)} == {clock.now + outbox.LEASE}
    clock.pass_by(seconds=1)
    assert outbox.renew(claim.token, claim.ids)[0] == 3
    assert {d.lease_until for d in deeds.deliveries(letter)} == {clock.now + outbox.LEASE}


def test_a_lease_from_a_wrong_clock_counts_as_run_out(letter: Letter, clock: Clock) -> None:
    clock.pass_by(hours=1)
    outbox.claim()
    clock.pass_by(hours=-1)
    assert outbox.reap() == 3
    assert deeds.states(letter) == ["queued"] * 3


def test_the_second_claim_of_a_delivery_starts_without_a_fence(letter: Letter, clock: Clock) -> None:
    deeds.attempt(LATER)
    clock.pass_by(hours=1)
    claim = outbox.claim()
    assert {d.dot_at for d in deeds.deliveries(letter)} == {None}
    clock.now += outbox.LEASE
    outbox.reap()
    assert {(d.state, d.ambiguous) for d in deeds.deliveries(letter)} == {("queued", 0)}
    assert claim.ids

"""The worker's side: what is claimed and composed, and when it looks again (RELIABILITY §4.2)."""

from datetime import timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import outbox
from letters.models import Delivery, DeliveryEvent, Letter, Supporter
from targets.models import Address, TargetVersion
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import LATER, Clock, delivery_to, suppress

pytestmark = pytest.mark.django_db


# ── claim ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_takes_what_is_due_under_a_token_of_its_own(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim(limit=2)
    rows = Delivery.objects.filter(pk__in=claim.ids)
    assert len(claim.ids) == 2
    for row in rows:
        assert (row.state, row.token, row.attempts) == ("sending", claim.token, 1)
        assert (row.lease_until, row.dot_at, row.message_date) == (clock.now + outbox.LEASE, None, clock.now)
    rest = outbox.claim()
    assert len(rest.ids) == 1
    assert rest.token != claim.token
    assert not set(rest.ids) & set(claim.ids)
    assert outbox.claim().ids == []


def test_a_claim_leaves_what_is_not_due_or_waits_for_its_pace(letter: Letter, clock: Clock) -> None:
    first, second, third = deeds.deliveries(letter)
    Delivery.objects.filter(pk=first.pk).update(due_at=clock.now + timedelta(seconds=1))
    Delivery.objects.filter(pk=second.pk).update(due_at=None)
    assert outbox.claim().ids == [third.pk]


@pytest.mark.parametrize("stop", ["paused", "draft", "withdrawn", "suppressed"])
def test_a_claim_takes_nothing_that_is_stopped(letter: Letter, clock: Clock, stop: str) -> None:
    match stop:
        case "paused" | "draft":
            columns = {"paused_at": clock.now} if stop == "paused" else {"stage": "draft"}
            Campaign.objects.filter(pk=letter.campaign_id).update(**columns)
            assert outbox.claim().ids == []
        case "withdrawn":
            Letter.objects.filter(pk=letter.pk).update(stage="withdrawn")
            assert outbox.claim().ids == []
        case "suppressed":
            suppress("minister@foreign.example")
            taken = Delivery.objects.filter(pk__in=outbox.claim().ids)
            assert sorted(d.target.name for d in taken) == ["Anna Lund", "Office of the President"]


def test_what_waits_in_a_closed_campaign_still_leaves(letter: Letter, clock: Clock, alice: User) -> None:
    assert publishing.close(campaign=letter.campaign, by=alice, ending="won", words="", now=clock.now)
    assert len(outbox.claim().ids) == 3


def test_the_date_of_a_message_is_that_of_its_first_claim_for_ever(letter: Letter, clock: Clock) -> None:
    clock.pass_by(microseconds=123)
    first = outbox.claim()
    before = {pk: m.data for pk, m in deeds.composed(first).items()}
    outbox.record(first, dict.fromkeys(first.ids, LATER))
    clock.pass_by(hours=3)
    again = outbox.claim()
    assert {pk: m.data for pk, m in deeds.composed(again).items()} == before
    assert {d.message_date for d in deeds.deliveries(letter)} == {cast.NOW}


# ── compose ──────────────────────────────────────────────────────────────────────────────────────────────


def test_one_letter_that_cannot_be_composed_does_not_stop_the_others(ask: Ask, clock: Clock) -> None:
    good, spoilt, forgotten = (deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example") for n in range(3))
    Letter.objects.filter(pk=spoilt.pk).update(sealed=bytes(good.sealed))
    Letter.objects.filter(pk=forgotten.pk).update(sealed=b"")
    awkward = delivery_to(good, "Bruno Keller")
    Address.objects.filter(pk=awkward.address_id).update(value="jürgen@foreign.example")
    claim = outbox.claim()
    messages = deeds.messages_of(claim)
    broken = {pk for pk, message in messages.items() if message is None}
    assert len(messages) == 9
    assert broken == {awkward.pk, *(d.pk for x in (spoilt, forgotten) for d in deeds.deliveries(x))}


def test_a_claim_that_was_lost_fences_nothing(letter: Letter, clock: Clock) -> None:
    claim = outbox.claim()
    Delivery.objects.update(token="x" * 32)
    assert outbox.fence(claim.token, deeds.digests(claim)) == set()


# ── when to look again ───────────────────────────────────────────────────────────────────────────────────


def test_the_loop_sleeps_until_something_is_due(letter: Letter, clock: Clock) -> None:
    assert outbox.next_due_in(most=5) == 0
    Delivery.objects.update(due_at=clock.now + timedelta(seconds=3))
    assert outbox.next_due_in(most=5) == 3
    Delivery.objects.update(due_at=clock.now + timedelta(hours=3))
    assert outbox.next_due_in(most=5) == 5
    Delivery.objects.update(due_at=None)
    assert outbox.next_due_in(most=5) == 5


def test_a_paused_campaign_does_not_keep_the_loop_awake(letter: Letter, clock: Clock, alice: User) -> None:
    publishing.pause(campaign=letter.campaign, by=alice, now=clock.now)
    assert outbox.next_due_in(most=5) == 5


def test_nothing_of_a_supporter_stands_in_a_delivery_or_its_history(letter: Letter, clock: Clock) -> None:
    deeds.attempt(LATER)
    told = repr(list(Delivery.objects.values())) + repr(list(DeliveryEvent.objects.values()))
    told += repr(list(Letter.objects.values())) + repr(list(Supporter.objects.values()))
    assert TargetVersion.objects.exists()
    for secret in (cast.DANA["email"], cast.DANA["name"], "grandfather"):
        assert secret not in told

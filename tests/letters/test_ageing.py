"""Five days after its first try a delivery ends, though nothing is tried any more (RELIABILITY §2)."""

from datetime import timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from letters import ageing, outbox, retries, statistics, upkeep
from letters.models import Delivery, DeliveryEvent, Letter
from letters.stoppages import SendingStop, TroubledDomain
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import Clock

pytestmark = pytest.mark.django_db
NOW = cast.NOW
LATE = NOW + retries.GIVE_UP_AFTER + ageing.LAST_TRY + timedelta(seconds=1)


@pytest.fixture
def tried(letter: Letter, clock: Clock) -> Letter:
    """Return a letter whose three deliveries were put off once; all of them wait for a domain that rests."""
    claim = outbox.claim()
    outbox.record(claim, dict.fromkeys(claim.ids, deeds.LATER))
    for domain in {delivery.address.domain for delivery in deeds.deliveries(letter)}:
        TroubledDomain.objects.update_or_create(domain=domain, defaults={"rests_until": LATE + timedelta(hours=3)})
    return letter


def test_what_waits_for_a_resting_domain_ends_after_five_days(tried: Letter) -> None:
    assert ageing.give_up(now=LATE - timedelta(seconds=2)) == 0
    assert ageing.give_up(now=LATE) == 3
    assert {(row.state, row.reason) for row in deeds.deliveries(tried)} == {("failed", "gave_up")}
    ends = DeliveryEvent.objects.filter(reason="gave_up").values_list("from_state", "code", "words")
    assert set(ends) == {("queued", deeds.LATER.code, deeds.LATER.words)}, "it says what the server said last"
    assert statistics.recount(tried.campaign) == 0


def test_what_was_perhaps_taken_is_unclear(tried: Letter) -> None:
    Delivery.objects.update(ambiguous=1)
    assert ageing.give_up(now=LATE) == 3
    assert deeds.states(tried) == ["uncertain"] * 3


def test_it_is_looked_after_by_every_worker(tried: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_weighed_at", float("-inf"))
    upkeep.sweep(now=LATE)
    assert deeds.states(tried) == ["failed"] * 3


def test_time_on_hold_does_not_count(tried: Letter) -> None:
    Delivery.objects.update(rested_for=3600)
    assert ageing.give_up(now=LATE) == 0
    assert ageing.give_up(now=LATE + timedelta(hours=1)) == 3


def test_what_is_stopped_at_the_moment_stays(tried: Letter, alice: User) -> None:
    publishing.pause(campaign=tried.campaign, by=alice, now=NOW)
    assert ageing.give_up(now=LATE) == 0
    tried.campaign.refresh_from_db()
    publishing.resume(campaign=tried.campaign, by=alice)
    stop = SendingStop.objects.create(since=NOW, by="the operator")
    assert ageing.give_up(now=LATE) == 0
    stop.delete()
    assert ageing.give_up(now=LATE) == 3


def test_what_was_never_tried_or_sent_again_by_a_person_waits_on(tried: Letter, letter: Letter) -> None:
    first, second, _third = deeds.deliveries(tried)
    Delivery.objects.filter(pk=first.pk).update(attempts=0, first_tried_at=None)
    Delivery.objects.filter(pk=second.pk).update(sent_again=1)
    assert ageing.give_up(now=LATE) == 1
    assert sorted(deeds.states(letter)) == ["failed", "queued", "queued"]


def test_pages_are_walked_to_the_end(tried: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose rest keeps them do not hide those behind them."""
    monkeypatch.setattr(ageing, "_CHUNK", 1)
    first = deeds.deliveries(tried)[0]
    Delivery.objects.filter(pk=first.pk).update(rested_for=10**6)
    assert ageing.give_up(now=LATE) == 2


def test_the_last_try_is_due_when_the_five_days_end(tried: Letter, clock: Clock) -> None:
    TroubledDomain.objects.all().delete()
    Delivery.objects.update(due_at=NOW)
    clock.now = NOW + retries.GIVE_UP_AFTER - timedelta(minutes=5)
    claim = outbox.claim()
    outbox.record(claim, dict.fromkeys(claim.ids, deeds.LATER))
    assert {row.due_at for row in deeds.deliveries(tried)} == {NOW + retries.GIVE_UP_AFTER}

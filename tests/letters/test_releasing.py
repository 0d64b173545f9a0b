"""Release: each mailbox gets what its pace allows, in every sliding hour, whoever writes."""

from collections import Counter
from datetime import datetime, time, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from letters import outbox, releasing
from letters.endings import Accepted, Deferred, Ending
from letters.models import AttemptAt, Delivery
from targets.models import Address
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import Clock

pytestmark = pytest.mark.django_db
TAKEN = Accepted(250, "ok")
MINISTER = "minister@foreign.example"


def _pace(**columns: object) -> Address:
    Address.objects.filter(value=MINISTER).update(**columns)
    return Address.objects.get(value=MINISTER)


def _write(ask: Ask, n: int, *, prefix: str = "w", now: datetime = cast.NOW) -> None:
    for i in range(n):
        deeds.a_confirmed_letter(ask, email=f"{prefix}{i}@mail.example", now=now)


def _given(address: Address) -> int:
    return Delivery.objects.filter(address=address, due_at__isnull=False).count()


def test_a_mailbox_gets_its_free_slots_the_oldest_first(ask: Ask, clock: Clock) -> None:
    address = _pace(cap_per_hour=2)
    _write(ask, 4)
    assert releasing.release(now=clock.now) == 2
    assert releasing.release(now=clock.now) == 0
    rows = list(Delivery.objects.filter(address=address).order_by("pk"))
    assert [row.due_at is not None for row in rows] == [True, True, False, False]
    for row in rows[:2]:
        assert row.due_at is not None
        assert clock.now <= row.due_at < clock.now + releasing.SPREAD
    clock.pass_by(minutes=1)
    deeds.attempt(TAKEN)
    clock.pass_by(minutes=58)
    assert releasing.release(now=clock.now) == 0
    clock.pass_by(minutes=2)
    assert releasing.release(now=clock.now) == 2


def test_a_cap_per_day_holds_for_a_day(ask: Ask, clock: Clock) -> None:
    address = _pace(cap_per_day=1)
    _write(ask, 2)
    assert releasing.release(now=clock.now) == 1
    clock.pass_by(minutes=1)
    deeds.attempt(TAKEN)
    clock.pass_by(hours=23, minutes=58)
    assert releasing.release(now=clock.now) == 0
    clock.pass_by(minutes=2)
    assert releasing.release(now=clock.now) == 1
    assert _given(address) == 2


def test_a_closed_office_gets_nothing(ask: Ask, clock: Clock) -> None:
    _pace(opens_at=time(12), closes_at=time(17), time_zone="Europe/Berlin")
    _write(ask, 1)
    assert releasing.release(now=clock.now) == 0  # 11 o'clock in Berlin
    assert releasing.release(now=clock.pass_by(hours=1)) == 1


def test_nothing_of_a_paused_campaign_is_released(ask: Ask, alice: User, clock: Clock) -> None:
    _pace(cap_per_hour=5)
    _write(ask, 1)
    publishing.pause(campaign=ask.campaign, by=alice, now=clock.now)
    assert releasing.release(now=clock.now) == 0
    publishing.resume(campaign=ask.campaign, by=alice)
    assert releasing.release(now=clock.now) == 1


def test_a_large_campaign_does_not_keep_a_mailbox_to_itself(ask: Ask, alice: User, clock: Clock) -> None:
    address = _pace(cap_per_hour=1)
    _write(ask, 25)
    other = cast.the_ask(cast.an_open_campaign(alice, slug="other"))
    _write(other, 3, prefix="o")
    by_campaign: Counter[str] = Counter()
    for _ in range(14):
        releasing.release(now=clock.now)
        clock.pass_by(minutes=1)
        claim = deeds.attempt(TAKEN)
        by_campaign.update(
            Delivery.objects.filter(pk__in=claim.ids, address=address).values_list("campaign__slug", flat=True)
        )
        clock.pass_by(hours=1)
    assert sum(by_campaign.values()) == 14
    assert by_campaign["other"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("cap", [1, 4])
def test_no_sliding_hour_of_a_day_exceeds_a_mailboxs_cap(ask: Ask, alice: User, clock: Clock, cap: int) -> None:
    address = _pace(cap_per_hour=cap)
    other = cast.the_ask(cast.an_open_campaign(alice, slug="other"))
    for n, which in enumerate((ask, other)):
        _write(which, 6 * cap, prefix=f"c{n}-")
    answers: list[Ending] = [Deferred(451, "later"), TAKEN, Deferred(450, "grey", at_recipient=True), TAKEN]
    for minute in range(24 * 60):
        if minute == 300:
            _write(ask, 2 * cap, prefix="late", now=clock.now)
        releasing.release(now=clock.now)
        clock.pass_by(minutes=1)
        claim = outbox.claim()
        outbox.record(claim, {pk: answers[(pk + minute) % 4] for pk in claim.ids})
    tried = sorted(AttemptAt.objects.filter(address=address).values_list("at", flat=True))
    worst = max(sum(at - timedelta(hours=1) < earlier <= at for earlier in tried) for at in tried)
    assert worst <= cap
    # And the hours are used, unless no first try waits any more: retries wait for their own time, spread by id.
    untried = Delivery.objects.filter(state="queued", attempts=0, address=address)
    assert len(tried) >= (18 if untried.exists() else 14) * cap
    assert Delivery.objects.filter(state="sent", address=address).count() >= 10 * cap


def test_retries_beyond_the_hour_are_put_off_not_lost(ask: Ask, clock: Clock) -> None:
    address = _pace(cap_per_hour=2)
    _write(ask, 2)
    releasing.release(now=clock.now)
    clock.pass_by(minutes=1)
    first = clock.now
    deeds.attempt(Deferred(451, "later"))
    for _ in range(20):
        clock.pass_by(minutes=1)
        releasing.release(now=clock.now)
        assert not set(outbox.claim().ids) & set(Delivery.objects.filter(address=address).values_list("pk", flat=True))
    clock.now = first + timedelta(hours=1, seconds=2)
    assert releasing.release(now=clock.now) == 2
    clock.pass_by(minutes=1)
    assert len(outbox.claim().ids) == 2

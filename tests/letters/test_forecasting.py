"""Forecasts: what a writer is told of when their letter leaves, held against when it does."""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.models import Ask, Campaign
from letters import forecasting, mailboxes
from letters.endings import Accepted
from letters.forecasting import Forecast
from letters.models import Delivery, Letter
from letters.stoppages import TroubledDomain
from targets.models import Address
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import Clock

pytestmark = pytest.mark.django_db
MINISTER = "minister@foreign.example"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def mailbox(ask: Ask) -> Address:
    """Return the minister's mailbox, the only one that is written to: two letters an hour."""
    ask.target_list.entries.exclude(target__email__value=MINISTER).update(retired_at=cast.NOW)
    Address.objects.filter(value=MINISTER).update(cap_per_hour=2)
    return Address.objects.get(value=MINISTER)


def _write(ask: Ask, n: int, *, prefix: str = "w", now: datetime = cast.NOW) -> list[Letter]:
    return [deeds.a_confirmed_letter(ask, email=f"{prefix}{i}@mail.example", now=now) for i in range(n)]


def _forecasts(letters: list[Letter], now: datetime) -> list[Forecast | None]:
    found = []
    for letter in letters:
        deliveries = list(letter.deliveries.select_related("address"))
        found.append(forecasting.of(deliveries, now=now).get(deliveries[0].pk))
    return found


def _send_until_empty(clock: Clock) -> None:
    for _ in range(60):  # five minutes each
        deeds.release(clock)
        if Delivery.objects.filter(state="queued", due_at__lte=clock.now).exists():
            deeds.attempt(Accepted(250, "ok"))
        if not Delivery.objects.filter(state="queued").exists():
            return
        clock.pass_by(minutes=4)
    raise AssertionError("something never left")


def _left_at(letters: list[Letter]) -> list[datetime]:
    at = dict(Delivery.objects.filter(letter__in=letters).values_list("letter", "sent_at"))
    return [moment for letter in letters if (moment := at[letter.pk]) is not None]


def test_a_letter_leaves_when_its_writer_was_told(ask: Ask, mailbox: Address, clock: Clock) -> None:
    letters = _write(ask, 5)
    told = _forecasts(letters, clock.now)
    _send_until_empty(clock)
    for forecast, left in zip(told, _left_at(letters), strict=True):
        assert forecast is not None
        assert abs(left - forecast.at) < 15 * MINUTE
        assert not forecast.or_later
    assert told[-1] == Forecast(cast.NOW + 2 * HOUR)


def test_what_a_mailbox_was_just_given_counts(ask: Ask, mailbox: Address, clock: Clock) -> None:
    _write(ask, 2)
    deeds.release(clock)
    deeds.attempt(Accepted(250, "ok"))
    attempted = clock.now
    clock.pass_by(minutes=20)
    letters = _write(ask, 3, prefix="later", now=clock.now)
    told = [forecast.at for forecast in _forecasts(letters, clock.now) if forecast]
    assert told == [attempted + HOUR, attempted + HOUR, attempted + 2 * HOUR]
    _send_until_empty(clock)
    assert all(abs(left - at) < 15 * MINUTE for left, at in zip(_left_at(letters), told, strict=True))


def test_campaigns_take_turns_at_a_mailbox(ask: Ask, mailbox: Address, alice: User, clock: Clock) -> None:
    other = cast.an_open_campaign(alice, slug="another")
    others = cast.the_ask(other)
    others.target_list.entries.exclude(target__email=mailbox).update(retired_at=cast.NOW)
    _write(others, 9, prefix="o")
    letters = _write(ask, 2)
    told = _forecasts(letters, clock.now)
    assert told == [Forecast(cast.NOW), Forecast(cast.NOW + HOUR)], "nine others were written before, and go in turns"
    Campaign.objects.filter(pk=other.pk).update(paused_at=cast.NOW)
    assert _forecasts(letters, clock.now) == [Forecast(cast.NOW)] * 2, "a campaign that rests takes no turns"


def test_a_letter_in_the_middle_of_a_long_queue_is_counted_from_the_front(
    ask: Ask, mailbox: Address, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = _write(ask, 9)
    exact = _forecasts(letters, clock.now)
    monkeypatch.setattr(mailboxes, "MANY_BEHIND", 3)
    assert _forecasts(letters, clock.now) == exact
    monkeypatch.setattr(mailboxes, "MOST_AHEAD", 4)
    assert _forecasts(letters, clock.now)[4:6] == [None, None], "within a day nobody is told “in more than …”"
    Address.objects.filter(pk=mailbox.pk).update(cap_per_hour=None, cap_per_day=1)
    later = _forecasts(letters, clock.now)
    assert later[5] == Forecast(cast.NOW + timedelta(days=4), or_later=True)
    assert later[8] == Forecast(cast.NOW + timedelta(days=8))


def test_nobody_is_told_when_a_letter_leaves_that_may_not(ask: Ask, mailbox: Address, clock: Clock) -> None:
    [letter] = _write(ask, 1)
    assert _forecasts([letter], clock.now) == [Forecast(cast.NOW)]
    assert not forecasting.rests(letter)
    rest = {"since": cast.NOW, "last_at": cast.NOW, "rests_until": cast.NOW + HOUR}
    TroubledDomain.objects.create(domain="foreign.example", **rest)
    assert _forecasts([letter], clock.now) == [None]
    TroubledDomain.objects.all().delete()
    Address.objects.filter(pk=mailbox.pk).update(status=Address.Status.DEAD)
    assert _forecasts([letter], clock.now) == [None]
    letter.campaign.paused_at = cast.NOW
    assert forecasting.rests(letter)


def test_any_number_of_targets_costs_the_same_few_questions(
    ask: Ask, clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Address.objects.filter(kind="email").update(cap_per_hour=1)
    letters = _write(ask, 3)
    deliveries = list(letters[2].deliveries.select_related("address"))
    assert len(deliveries) == 3
    with django_assert_max_num_queries(4):
        found = forecasting.of(deliveries, now=clock.now)
    assert [forecast.at for forecast in found.values()] == [cast.NOW + 2 * HOUR] * 3
    sent = [deeds.put_into(delivery, "sent") for delivery in deliveries]
    with django_assert_max_num_queries(0):
        assert forecasting.of(sent, now=clock.now) == {}

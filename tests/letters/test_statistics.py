"""What organisers count, and that it is what happened."""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Ask, Campaign
from letters import statistics, tokens, tracking
from letters.endings import Accepted, Ambiguous, Refused
from letters.models import Delivery, Letter
from letters.page_words import Word
from letters.tracking import Event
from targets.models import Target
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import Clock

pytestmark = pytest.mark.django_db
Feedback = Delivery.Feedback


def _words(ledger: statistics.Ledger) -> dict[str, int]:
    return {word.value: n for word, n in ledger.counts.items() if n}


def test_a_campaign_without_letters_counts_nought(campaign: Campaign) -> None:
    ledger = statistics.ledger(campaign)
    assert (ledger.total, ledger.created, ledger.adds_up, ledger.settled) == (0, 0, True, 0)
    assert set(ledger.counts) == set(Word)
    assert statistics.hours(campaign) == statistics.days(campaign) == []
    assert (statistics.letters_sent(campaign), statistics.people_who_wrote(campaign)) == (0, 0)
    assert statistics.letters_by_stage(campaign) == dict.fromkeys(Letter.Stage.values, 0)


def test_the_ledger_adds_up_from_waiting_to_sent(campaign: Campaign, ask: Ask, clock: Clock) -> None:
    letter = deeds.a_confirmed_letter(ask)
    assert _words(statistics.ledger(campaign)) == {"waiting": 3}
    deeds.attempt(Ambiguous("dot"))
    assert _words(statistics.ledger(campaign)) == {"retrying": 3}
    clock.pass_by(hours=1)
    deeds.attempt(Refused(550, "no"), limit=1)
    deeds.attempt(Accepted(250, "ok"), limit=1)
    assert _words(statistics.ledger(campaign)) == {"retrying": 1, "returned": 1, "accepted": 1}
    deeds.attempt(Ambiguous("dot"))
    ledger = statistics.ledger(campaign)
    assert _words(ledger) == {"unclear": 1, "returned": 1, "accepted": 1}
    assert (ledger.created, ledger.adds_up, ledger.settled) == (3, True, 3)
    assert (statistics.letters_sent(campaign), statistics.people_who_wrote(campaign)) == (1, 1)
    by_ask, by_target = statistics.ledger_by_ask(campaign), statistics.ledger_by_target(campaign)
    assert {pk: _words(x) for pk, x in by_ask.items()} == {letter.ask_id: _words(ledger)}
    assert {pk: x.total for pk, x in by_target.items()} == dict.fromkeys(
        Target.objects.values_list("pk", flat=True), 1
    )


def test_letters_sent_are_those_accepted_that_did_not_come_back(
    campaign: Campaign, ask: Ask, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    letter = deeds.a_confirmed_letter(ask)
    deeds.send_all()
    assert statistics.letters_sent(campaign) == 3
    told = zip(deeds.deliveries(letter), (Feedback.BOUNCED, Feedback.DELIVERED, Feedback.COMPLAINED), strict=True)
    events = [Event(kind, reference=tokens.reference(delivery.pk)) for delivery, kind in told]
    tracking.record(events, source="mailgun", now=cast.NOW)
    with django_assert_num_queries(1):
        assert statistics.letters_sent(campaign) == 2
    assert statistics.ledger(campaign).counts[Word.ACCEPTED] == 2, "the board says the same"


def test_ledgers_of_two_campaigns_do_not_mix(campaign: Campaign, ask: Ask, clock: Clock) -> None:
    other = cast.an_open_campaign(cast.a_member(cast.an_organisation("Third"), "Eve"), slug="third")
    deeds.a_confirmed_letter(ask)
    deeds.a_confirmed_letter(cast.the_ask(other))
    deeds.attempt(Accepted(250, "ok"), limit=3)
    assert statistics.ledger(campaign).total == statistics.ledger(other).total == 3
    assert statistics.letters_sent(campaign) + statistics.letters_sent(other) == 3
    assert statistics.people_who_wrote(campaign) == 1


def test_hours_and_days_hold_what_happened_then(campaign: Campaign, ask: Ask, clock: Clock) -> None:
    own = "one two three four five six seven eight nine ten eleven. "
    first = cast.NOW.replace(minute=59)
    deeds.a_confirmed_letter(ask, now=first, sentence="")
    for n, sentence in ((1, "Only four own words."), (2, own)):
        at = first + timedelta(minutes=n)
        deeds.a_confirmed_letter(ask, now=at, email=f"w{n}@mail.example", sentence=sentence)
    clock.now = first + timedelta(days=2)
    deeds.a_confirmed_letter(ask, now=clock.now, email="d@mail.example", sentence=own * 3)
    deeds.send_all()
    hours = {hour.at: hour for hour in statistics.hours(campaign)}
    assert [at.hour for at in hours] == [10, 11, 10]
    assert list(hours) == sorted(hours)
    ten, eleven, later = hours.values()
    assert (ten.letters, ten.with_own_words, ten.accepted) == (1, 0, 0)
    assert (eleven.letters, eleven.with_own_words) == (2, 2)
    assert dict(eleven.own_words) == {"own_0": 0, "own_1": 1, "own_10": 1, "own_30": 0}
    assert (later.letters, later.accepted, dict(later.own_words)["own_30"]) == (1, 12, 1)
    days = statistics.days(campaign)
    assert [(day.at.day, day.letters, day.accepted) for day in days] == [(23, 3, 0), (24, 0, 0), (25, 1, 12)]


def test_letters_are_counted_by_stage(campaign: Campaign, ask: Ask, now: datetime) -> None:
    deeds.a_draft(ask)
    deeds.an_awaiting_letter(ask, email="b@mail.example")
    deeds.a_confirmed_letter(ask, email="c@mail.example")
    counted = statistics.letters_by_stage(campaign)
    assert counted == {"draft": 1, "awaiting_confirmation": 1, "confirmed": 1, "expired": 0, "withdrawn": 0}

"""Stopping by itself: a campaign pauses with cause and evidence, a domain rests until one letter is let through."""

from datetime import timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Role, User
from campaigns.models import Ask, Campaign
from letters import alarms, breaker, domains, outbox, releasing, steering
from letters.endings import Accepted, Deferred, Ending, NotSent, Refused
from letters.models import Delivery, Letter
from letters.pause_words import Cause
from letters.stoppages import Alarm, Strain, TroubledDomain
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import LATER, NO, TAKEN, UNSENT, Clock

pytestmark = pytest.mark.django_db
SPAM = Refused(550, "5.7.1 this looks like spam")
GONE = Refused(550, "5.1.1 no such mailbox")
BUSY = Deferred(421, "4.7.0 too many connections")


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    breaker.forget()


def _letters(ask: Ask, count: int, clock: Clock) -> list[Letter]:
    return [deeds.a_confirmed_letter(ask, email=f"d{n}@mail.example", now=clock.now) for n in range(count)]


def _try(ending: Ending, limit: int) -> int:
    """Let so many due deliveries end like this; return how many did."""
    return len(deeds.attempt(ending, limit=limit).ids)


# ── campaigns ────────────────────────────────────────────────────────────────────────────────────────────


def test_too_many_refusals_pause_the_campaign_with_what_the_server_said(ask: Ask, clock: Clock) -> None:
    _letters(ask, 5, clock)
    assert [_try(SPAM, 3) for _ in range(3)] == [3, 3, 3]
    assert Campaign.objects.get().paused_at is None, "nine are not many"
    _try(SPAM, 1)
    campaign = Campaign.objects.get()
    assert campaign.paused_at == clock.now
    assert campaign.paused_cause == Cause.REFUSED
    assert campaign.paused_evidence["refused"] == campaign.paused_evidence["tried"] == 10
    assert campaign.paused_evidence["words"] == "550 5.7.1 this looks like spam"
    assert outbox.claim().ids == [], "nothing leaves while it is paused"


def test_refusals_are_weighed_against_what_is_accepted(ask: Ask, clock: Clock) -> None:
    _letters(ask, 30, clock)
    _try(SPAM, 1)  # counting begins with a first no
    _try(TAKEN, 60)
    _try(SPAM, 11)
    assert Strain.objects.get().accepted == 60
    assert Campaign.objects.get().paused_at is None, "12 of 72 are less than a fifth"


@pytest.mark.parametrize("ending", [GONE, LATER, BUSY, UNSENT])
def test_what_speaks_of_one_mailbox_or_of_now_pauses_no_campaign(ask: Ask, clock: Clock, ending: Ending) -> None:
    _letters(ask, 4, clock)
    _try(ending, 12)
    assert Campaign.objects.get().paused_at is None


def test_our_own_fault_pauses_at_once_and_resuming_lets_the_held_ones_go(
    ask: Ask, clock: Clock, alice: User
) -> None:
    (letter,) = _letters(ask, 1, clock)
    _try(NotSent("535 sign-in refused", hold=True), 1)
    campaign = Campaign.objects.get()
    assert campaign.paused_cause == Cause.OUR_FAULT
    assert steering.held(campaign) == {"our_fault": 1}
    assert steering.resume(campaign=campaign, by=alice, now=clock.now)
    assert deeds.states(letter) == ["queued"] * 3
    deeds.send_all()
    assert deeds.states(letter) == ["sent"] * 3


def test_figures_that_a_person_knew_when_resuming_pause_it_no_second_time(
    ask: Ask, clock: Clock, alice: User
) -> None:
    _letters(ask, 8, clock)
    _try(SPAM, 10)
    campaign = Campaign.objects.get()
    steering.resume(campaign=campaign, by=alice, now=clock.now)
    TroubledDomain.objects.all().delete()
    _try(SPAM, 9)
    assert Campaign.objects.get().paused_at is None, "counted anew from the moment of resuming"
    TroubledDomain.objects.all().delete()
    _try(SPAM, 1)
    assert Campaign.objects.get().paused_at is not None


def test_only_those_who_may_resume_are_told_once_each(
    ask: Ask, clock: Clock, alice: User, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    erin = cast.a_member(cast.organisation_of(alice), "Erin", Role.SENDER)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            breaker.trip(campaign=ask.campaign, cause=Cause.BOUNCES, evidence={"suppressed": 4}, now=clock.now)
    assert {alarm.user for alarm in Alarm.objects.all()} == {alice, erin}
    assert len(alarms.claim(limit=10, now=clock.now)) == 2
    assert alarms.claim(limit=10, now=clock.now) == [], "under a lease"


def test_a_worker_that_died_with_an_alarm_leaves_it_to_the_next(ask: Ask, clock: Clock) -> None:
    breaker.trip(campaign=ask.campaign, cause=Cause.BOUNCES, evidence={}, now=clock.now)
    (first,) = alarms.claim(limit=10, now=clock.now)
    clock.pass_by(minutes=6)
    (again,) = alarms.claim(limit=10, now=clock.now)
    assert again == first
    alarms.record(again, sent=False, refused=False, now=clock.now)
    assert alarms.claim(limit=10, now=clock.now) == [], "after a failure it waits"
    clock.pass_by(hours=1)
    (third,) = alarms.claim(limit=10, now=clock.now)
    alarms.record(third, sent=True, refused=False, now=clock.now)
    assert alarms.claim(limit=10, now=clock.now + timedelta(days=2)) == []


# ── domains ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def one_domain(ask: Ask, clock: Clock) -> str:
    """Return the only domain to which something waits: twelve letters to one office."""
    _letters(ask, 12, clock)
    others = Delivery.objects.exclude(address__value="office@northland.example")
    others.update(due_at=clock.now + timedelta(days=30))
    return "northland.example"


def test_a_domain_that_says_no_rests_longer_each_time_until_one_letter_is_let_through(
    one_domain: str, clock: Clock
) -> None:
    for _ in range(domains.MOST_POLICY):
        _try(BUSY, 1)
    row = TroubledDomain.objects.get(domain=one_domain)
    assert row.rests_until == clock.now + domains.RESTS[0]
    assert outbox.claim().ids == []

    clock.now += domains.RESTS[0]
    domains.tend(now=clock.now)
    assert _try(BUSY, 600) == 1, "the probe alone"
    row.refresh_from_db()
    assert (row.rests, row.rests_until) == (2, clock.now + domains.RESTS[1])

    clock.now += domains.RESTS[1]
    domains.tend(now=clock.now)
    assert _try(TAKEN, 600) == 1
    assert not TroubledDomain.objects.filter(rests_until__isnull=False).exists()
    clock.pass_by(days=1)
    releasing.release(now=clock.now)
    assert _try(TAKEN, 600) == 11, "all the others"


def test_one_yes_begins_the_count_anew(one_domain: str, clock: Clock) -> None:
    for _ in range(domains.MOST_POLICY - 1):
        _try(BUSY, 1)
    _try(TAKEN, 1)
    for _ in range(domains.MOST_POLICY - 1):
        _try(BUSY, 1)
    assert TroubledDomain.objects.get(domain=one_domain).rests_until is None


@pytest.mark.parametrize(
    ("ending", "attempts", "kind"),
    [
        (Accepted(250, "ok"), 1, domains.Kind.YES), (UNSENT, 1, domains.Kind.NOTHING),
        (GONE, 1, domains.Kind.NOTHING), (Deferred(452, "4.2.2 full"), 3, domains.Kind.NOTHING),
        (Deferred(450, "4.7.1 greylisted", at_recipient=True), 1, domains.Kind.NOTHING),
        (Deferred(450, "4.7.1 greylisted", at_recipient=True), 2, domains.Kind.POLICY),
        (SPAM, 1, domains.Kind.POLICY), (NO, 1, domains.Kind.POLICY), (BUSY, 1, domains.Kind.POLICY),
        (Refused(554, "transaction failed"), 1, domains.Kind.NO),
        (Refused(550, "5.1.8 we do not know your domain"), 1, domains.Kind.POLICY),
        (Deferred(451, "4.1.8 your domain has no address"), 3, domains.Kind.POLICY),
    ],
)  # fmt: skip
def test_what_an_answer_says_of_the_domain(ending: Ending, attempts: int, kind: domains.Kind) -> None:
    assert domains.kind_of(ending, attempts=attempts) is kind


def test_what_greylists_once_is_no_trouble(one_domain: str, clock: Clock) -> None:
    _try(Deferred(450, "4.2.0 greylisted", at_recipient=True), 12)
    assert not TroubledDomain.objects.filter(rests_until__isnull=False).exists()


def test_old_trouble_is_forgotten(one_domain: str, clock: Clock) -> None:
    _try(BUSY, 1)
    clock.now += domains.FORGOTTEN_AFTER
    domains.tend(now=clock.now)
    assert not TroubledDomain.objects.exists()

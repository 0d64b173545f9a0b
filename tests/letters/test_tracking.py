"""What is told later of deliveries: in any order and however often, the same comes out."""

import itertools
import random
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import AuditEntry, User
from campaigns.models import Ask, Campaign
from letters import breaker, outbox, statistics, steering, tokens, tracking, unwanted
from letters.arrivals import What
from letters.feedback import Report
from letters.models import Delivery, DeliveryEvent, DeliveryTally, Letter, ProviderName
from letters.stoppages import Alarm
from letters.tracking import Event
from targets import lists, suppressions
from targets.models import Address, Suppression
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
Feedback = Delivery.Feedback
KINDS = [Feedback.DEFERRED, Feedback.DELIVERED, Feedback.BOUNCED, Feedback.COMPLAINED]


def about(delivery: Delivery, kind: Feedback, **more: object) -> Event:
    """Return an event about a delivery."""
    return Event(kind, reference=tokens.reference(delivery.pk), **more)  # type: ignore[arg-type]


def tell(*events: Event, source: str = "mailgun") -> dict[What, int]:
    """Tell all of these at once."""
    return dict(tracking.record(events, source=source, now=cast.NOW))


@pytest.fixture
def sent(letter: Letter) -> list[Delivery]:
    """Return Dana's three deliveries, all taken by the mail server."""
    deeds.send_all()
    return deeds.deliveries(letter)


@pytest.mark.parametrize("order", list(itertools.permutations(KINDS)))
def test_feedback_is_the_maximum_in_whatever_order_it_is_told(sent: list[Delivery], order: tuple[Feedback]) -> None:
    for kind in order:
        tell(about(sent[0], kind))
    tell(*(about(sent[1], kind) for kind in order))
    for delivery in sent[:2]:
        delivery.refresh_from_db()
        assert (delivery.state, delivery.feedback) == ("sent", Feedback.COMPLAINED)
        assert sorted(delivery.reports.values_list("kind", flat=True)) == [3, 4]
    assert statistics.recount(sent[0].campaign) == 0


def test_what_is_told_again_leaves_no_row_and_changes_nothing(sent: list[Delivery]) -> None:
    events = [about(sent[0], kind) for kind in KINDS]
    assert tell(*events) == {What.TAKEN: 1, What.REPEATED: 3}
    models = (Report, DeliveryEvent, DeliveryTally, Suppression, AuditEntry)
    rows = [sorted(model.objects.values_list()) for model in models]
    for event in [*events, *reversed(events)]:
        assert tell(event) == {What.REPEATED: 1}
    assert [sorted(model.objects.values_list()) for model in models] == rows


@pytest.mark.slow
def test_two_hundred_deliveries_come_out_alike_for_three_shuffles_of_five_repetitions(ask: Ask) -> None:
    for number in range(67):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    deeds.send_all()
    ids = list(Delivery.objects.values_list("pk", flat=True))
    assert len(ids) == 201
    plan = random.Random(1)  # noqa: S311  the same each time
    told = {pk: plan.sample(KINDS, plan.randint(1, 3)) for pk in ids}
    outcomes = set()
    for seed in (11, 12, 13):
        Delivery.objects.update(feedback=0)
        Report.objects.all().delete()
        assert statistics.recount(ask.campaign, repair=True) > 0 or seed == 11
        events = [Event(kind, reference=tokens.reference(pk)) for pk, kinds in told.items() for kind in kinds * 5]
        random.Random(seed).shuffle(events)  # noqa: S311
        history = DeliveryEvent.objects.count()
        for start in range(0, len(events), 97):
            tell(*events[start : start + 97])
        assert DeliveryEvent.objects.count() == history
        assert Report.objects.count() == sum(kind >= Feedback.BOUNCED for kinds in told.values() for kind in kinds)
        assert statistics.recount(ask.campaign) == 0
        outcomes.add(tuple(Delivery.objects.order_by("pk").values_list("pk", "state", "feedback")))
    (outcome,) = outcomes
    assert outcome == tuple((pk, "sent", max(told[pk])) for pk in sorted(ids))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("never_twice", [True, False])
def test_an_unclear_delivery_is_sent_once_an_event_proves_it(letter: Letter, kind: Feedback, never_twice: bool) -> None:
    Campaign.objects.update(never_twice=never_twice)
    deeds.attempt(deeds.BROKEN)
    delivery = deeds.deliveries(letter)[0]
    before = "uncertain" if never_twice else "queued"
    assert delivery.state == before
    tell(about(delivery, kind, words="250 2.0.0 taken"))
    delivery.refresh_from_db()
    proves = kind != Feedback.DEFERRED
    assert (delivery.state, delivery.feedback) == ("sent" if proves else before, kind)
    if proves:
        event = DeliveryEvent.objects.filter(delivery=delivery).latest("pk")
        assert (event.from_state, event.to_state, event.reason) == (before, "sent", "reported")
        assert event.words == "250 2.0.0 taken"
        assert delivery.sent_at == delivery.ended_at == cast.NOW
    assert statistics.recount(letter.campaign) == 0
    assert statistics.ledger(letter.campaign).adds_up


@pytest.mark.parametrize("ending", [None, deeds.LATER, deeds.UNSENT])
@pytest.mark.parametrize("kind", KINDS)
def test_an_event_about_what_never_left_is_ignored_and_counted(
    letter: Letter, ending: object, kind: Feedback, caplog: pytest.LogCaptureFixture
) -> None:
    if ending is not None:
        deeds.attempt(ending)  # type: ignore[arg-type]
    delivery = deeds.deliveries(letter)[0]
    before = Delivery.objects.filter(pk=delivery.pk).values().get()
    assert tell(about(delivery, kind, status="5.1.1", is_bad_address=True)) == {What.NEVER_SENT: 1}
    (alarm,) = caplog.records
    assert (alarm.levelname, "mailgun told of 1 deliveries" in alarm.getMessage()) == ("ERROR", True)
    assert Delivery.objects.filter(pk=delivery.pk).values().get() == before
    assert not Report.objects.exists()
    assert not Suppression.objects.exists()
    assert Address.objects.exclude(status__in=["unknown", "working"]).count() == 0


@pytest.mark.parametrize("state", ["failed", "cancelled"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_final_state_is_never_changed(letter: Letter, state: str, kind: Feedback) -> None:
    deeds.attempt(deeds.BROKEN)
    delivery = deeds.put_into(deeds.deliveries(letter)[0], state)
    tell(about(delivery, kind))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.feedback) == (state, kind)


def test_a_refusal_that_the_provider_reports_once_more_is_no_news(letter: Letter) -> None:
    deeds.attempt(deeds.NO)
    assert tell(about(deeds.deliveries(letter)[0], Feedback.BOUNCED)) == {What.REPEATED: 1}


@pytest.mark.parametrize("ending", [deeds.TAKEN, deeds.BROKEN, deeds.UNSENT])
def test_an_event_that_overtakes_the_servers_answer_counts_when_the_attempt_has_ended(
    letter: Letter, ending: object
) -> None:
    claim = outbox.claim()
    outbox.fence(claim.token, deeds.digests(claim))
    delivery = deeds.deliveries(letter)[0]
    assert tell(about(delivery, Feedback.DELIVERED)) == {What.TAKEN: 1}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.feedback) == ("sending", Feedback.DELIVERED)
    assert outbox.record(claim, dict.fromkeys(claim.ids, ending)) == set(claim.ids)  # type: ignore[arg-type]
    assert tracking.settle(now=cast.NOW) == (ending is not deeds.TAKEN)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.feedback) == ("sent", Feedback.DELIVERED)
    assert tracking.settle(now=cast.NOW) == 0
    assert statistics.recount(letter.campaign) == 0


def test_an_attempt_without_a_fence_cannot_have_arrived(letter: Letter) -> None:
    outbox.claim()
    assert tell(about(deeds.deliveries(letter)[0], Feedback.DELIVERED)) == {What.NEVER_SENT: 1}


def test_what_a_restored_backup_does_not_know_to_be_sent_is_learned_from_reports(letter: Letter) -> None:
    delivery = deeds.put_into(deeds.deliveries(letter)[0], "held")
    assert tell(about(delivery, Feedback.DELIVERED)) == {What.NEVER_SENT: 1}
    Delivery.objects.filter(pk=delivery.pk).update(reason="restored")
    tell(about(delivery, Feedback.DELIVERED))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.feedback) == ("sent", Feedback.DELIVERED)
    assert statistics.recount(letter.campaign) == 0


def test_names_that_are_not_ours_are_dropped_and_counted(sent: list[Delivery]) -> None:
    reference = tokens.reference(sent[0].pk)
    forged = [f"{reference[:-1]}{'0' if reference[-1] != '0' else '1'}", tokens.reference(10**9), "", "1-2", "x" * 300]
    assert tell(*(Event(Feedback.BOUNCED, reference=name) for name in forged)) == {What.UNKNOWN: 5}
    assert set(Delivery.objects.values_list("feedback", flat=True)) == {0}


def test_a_provider_may_name_a_delivery_by_its_own_name_alone(sent: list[Delivery]) -> None:
    for delivery, name in zip(sent, ["<one@provider.example>", "twice", "twice"], strict=True):
        ProviderName.objects.create(delivery=delivery, name=name)
    named = [Event(Feedback.DELIVERED, provider_name=name) for name in ("<one@provider.example>", "twice", "none")]
    assert tell(*named) == {What.TAKEN: 1, What.UNKNOWN: 2}
    assert list(Delivery.objects.order_by("pk").values_list("feedback", flat=True)) == [2, 0, 0]


def test_an_address_is_dead_when_two_letters_to_it_came_back_within_a_week(ask: Ask) -> None:
    for number in range(3):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    deeds.send_all()
    to_lund = Delivery.objects.filter(target__name="Anna Lund").order_by("pk")
    events = [about(each, Feedback.BOUNCED, status="5.1.1", is_bad_address=True) for each in to_lund]
    address = to_lund[0].address
    for _ in range(5):
        tell(events[0])
    address.refresh_from_db()
    assert address.status == Address.Status.BOUNCING
    deeds.a_confirmed_letter(ask, email="dana.4@mail.example")
    deeds.send_all()  # the relay takes the next one: it takes everything
    tell(events[1])
    address.refresh_from_db()
    assert address.status == Address.Status.DEAD


def test_a_complaint_suppresses_the_address_for_all_campaigns_once_and_says_so(sent: list[Delivery], ask: Ask) -> None:
    deeds.a_confirmed_letter(ask, email="other@mail.example")
    for _ in range(3):
        tell(about(sent[0], Feedback.COMPLAINED))
    hashed = bytes(sent[0].address.address_hash)
    assert suppressions.covers(hashed, now=cast.NOW)
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.source) == ("complained", "report of mailgun")
    entry = AuditEntry.objects.get(deed__startswith="suppressed")
    assert (entry.by, entry.subject) == (None, "oil-workers: Anna Lund")
    assert entry.details == {"delivery": sent[0].pk}
    unwanted.cancel(now=cast.NOW)
    states = Delivery.objects.filter(address=sent[0].address).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["sent", "cancelled"]


def test_an_office_that_unsubscribed_at_the_provider_is_not_written_to_again(sent: list[Delivery]) -> None:
    tell(about(sent[0], Feedback.NONE, is_unwanted=True))
    assert Suppression.objects.get().reason == "unsubscribed"
    sent[0].refresh_from_db()
    assert sent[0].feedback == Feedback.NONE


@pytest.mark.parametrize("kind", ["bad addresses", "complaints"])
def test_too_many_bounces_or_complaints_pause_the_campaign_with_cause_and_evidence(ask: Ask, kind: str) -> None:
    for number in range(2):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    deeds.send_all()
    bounced, bad = (Feedback.BOUNCED, True) if kind == "bad addresses" else (Feedback.COMPLAINED, False)
    for delivery in Delivery.objects.order_by("pk"):
        tell(about(delivery, bounced, status="5.1.1", is_bad_address=bad))
    campaign = Campaign.objects.get()
    assert campaign.paused_at == cast.NOW
    cause = "bounces" if kind == "bad addresses" else "complaints"
    assert campaign.paused_cause == cause
    assert campaign.paused_evidence
    assert AuditEntry.objects.filter(deed="paused", by=None).count() == 1


def test_a_single_bounce_pauses_nothing(sent: list[Delivery]) -> None:
    tell(about(sent[0], Feedback.BOUNCED, status="5.1.1", is_bad_address=True))
    assert Campaign.objects.get().paused_at is None


def test_words_of_strangers_are_one_line_that_any_database_takes(sent: list[Delivery]) -> None:
    ugly = "550 5.1.1\r\n\0 no\ud800 such\u202e user \x1b[31m" + "x" * 5000
    tell(about(sent[0], Feedback.BOUNCED, words=ugly, status="5.1.1" * 9, at=cast.NOW + timedelta(days=400)))
    report = Report.objects.get()
    assert report.words.startswith("550 5.1.1 no such user [31mxxx")
    assert len(report.words) == 300
    assert report.at == cast.NOW
    assert len(report.status) == 12


def test_more_than_a_thousand_at_once_are_refused(sent: list[Delivery]) -> None:
    with pytest.raises(ValueError, match="1000"):
        tell(*([about(sent[0], Feedback.DELIVERED)] * 1001))
    assert tell(*([about(sent[0], Feedback.DELIVERED)] * 1000)) == {What.TAKEN: 1, What.REPEATED: 999}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, for which everybody waits in turn")
def test_a_delivery_that_others_hold_is_waited_for_and_then_left_to_be_told_again(campaign: Campaign) -> None:
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    deeds.send_all()
    delivery = deeds.deliveries(letter)[0]
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Delivery.objects.select_for_update().get(pk=delivery.pk)
            held.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        with pytest.raises(tracking.Busy):
            tell(about(delivery, Feedback.DELIVERED))
    finally:
        done.set()
        thread.join()
    assert tell(about(delivery, Feedback.DELIVERED)) == {What.TAKEN: 1}


@pytest.mark.parametrize("at_once", [1, 400])
def test_reports_make_at_most_a_few_targets_unreachable_before_a_person_has_looked(ask: Ask, at_once: int) -> None:
    """A thousand "bounced" in a minute (F22): a list that is broken, or somebody who lies to us."""
    with_many_targets(ask, 40)
    for number in range(2):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    deeds.send_all()
    deeds.a_confirmed_letter(ask, email="erik@mail.example")
    told = [
        about(each, Feedback.BOUNCED, status="5.1.1", is_bad_address=True)
        for each in Delivery.objects.filter(state="sent").order_by("letter", "pk")
    ]
    for start in range(0, len(told), at_once):
        tell(*told[start : start + at_once])
    assert Address.objects.filter(status="dead").count() == 3, "the first number above 5 % of 40"
    assert Address.objects.filter(status="bouncing").count() == 37
    assert Report.objects.count() == 80, "all of it was written down"
    campaign = Campaign.objects.get()
    assert (campaign.paused_cause, campaign.paused_evidence) == ("bounces", {"suppressed": 3, "targets": 40})
    assert Alarm.objects.count() == 1
    unwanted.cancel(now=cast.NOW)
    assert Delivery.objects.filter(state="cancelled").count() == 3
    assert Delivery.objects.filter(state="queued").count() == 37
    steering.resume(campaign=campaign, by=User.objects.get(first_name="Alice"), now=cast.NOW)
    assert breaker.room(Campaign.objects.get()) == 3, "what the person knew counts no more"


def test_complaints_beyond_that_stop_letters_for_a_fortnight_alone(ask: Ask) -> None:
    with_many_targets(ask, 40)
    deeds.a_confirmed_letter(ask)
    deeds.send_all()
    deeds.a_confirmed_letter(ask, email="erik@mail.example")
    tell(*(about(each, Feedback.COMPLAINED) for each in Delivery.objects.filter(state="sent")))
    assert Suppression.objects.filter(until=None).count() == 3
    assert Suppression.objects.filter(until=cast.NOW + timedelta(days=14)).count() == 37
    assert breaker.room(Campaign.objects.get()) == 0
    assert breaker.figures(Campaign.objects.get()).unreachable == 3, "what ends by itself makes no room by ending"
    assert unwanted.cancel(now=cast.NOW) == 3
    assert Delivery.objects.filter(state="queued").count() == 37
    assert AuditEntry.objects.filter(deed="suppressed for a fortnight an address that complained").count() == 37


def with_many_targets(ask: Ask, count: int) -> None:
    """Give an ask's list so many targets."""
    for number in range(count - 3):
        values = {"name": f"Office {number}", "country": "DE", "language": "en", "email": f"o{number}@offices.example"}
        lists.save_target(target_list=ask.target_list, values=values, uncapped=True)

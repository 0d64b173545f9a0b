"""Every provider's events reach the delivery they are about, and only that; Anymail reads them, we write them down."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from letters import statistics, tokens, tracking
from letters.feedback import Report
from letters.models import Delivery, ProviderName
from targets.models import Address, Suppression
from tests import cast
from tests.letters import deeds
from tests.web.hooks import senders
from tests.web.hooks.conftest import Poster, counts
from tests.web.hooks.senders import ESPS, Told, post
from web.hooks import views

pytestmark = pytest.mark.django_db
KINDS = {"deferred": 1, "delivered": 2, "bounced": 3, "complained": 4}
TOLD = [(kind, esp) for esp in ESPS for kind in KINDS if (esp, kind) not in senders.SILENT]


@pytest.mark.parametrize(("kind", "esp"), senders.each(TOLD))
def test_an_event_sets_the_feedback_of_its_delivery(sent: list[Delivery], tell: Poster, esp: str, kind: str) -> None:
    request = post(esp, [Told(kind, tokens.reference(sent[0].pk))])
    assert tell(request).status_code == 200
    assert list(Delivery.objects.order_by("pk").values_list("feedback", flat=True)) == [KINDS[kind], 0, 0]
    assert tell(request).status_code == 200
    assert counts() == {"taken": 1, "repeated": 1}
    address = Address.objects.get(pk=sent[0].address_id)
    assert address.status == ("bouncing" if kind == "bounced" else "working"), "a mailbox that does not exist"
    assert Suppression.objects.count() == (kind == "complained")
    if KINDS[kind] >= 3:
        assert Report.objects.get().source == esp
    assert statistics.recount(sent[0].campaign) == 0


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_a_provider_that_lost_our_name_is_understood_by_its_own(sent: list[Delivery], tell: Poster, esp: str) -> None:
    name = "<a-name-of-the-provider>" if esp == "mailgun" else "a-name-of-the-provider"  # as when it was sent
    ProviderName.objects.create(delivery=sent[1], name=name)
    assert tell(post(esp, [Told("delivered", "")])).status_code == 200
    assert list(Delivery.objects.order_by("pk").values_list("feedback", flat=True)) == [0, 2, 0]


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_unknown_foreign_and_erased_deliveries_are_answered_200_dropped_and_counted(
    sent: list[Delivery], tell: Poster, esp: str
) -> None:
    erased = tokens.reference(sent[2].pk)
    sent[2].delete()
    for reference in ("1-" + "0" * 32, erased, "another installation's", ""):
        assert tell(post(esp, [Told("bounced", reference)])).status_code == 200
    assert counts() == {"unknown": 4}
    assert set(Delivery.objects.values_list("feedback", flat=True)) == {0}


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_events_a_week_late_count(sent: list[Delivery], tell: Poster, esp: str) -> None:
    """It is the signature that must be fresh, not what it tells of."""
    at = time.time() - 7 * 86_400
    assert tell(post(esp, [Told("delivered", tokens.reference(sent[0].pk), at=at)])).status_code == 200
    assert counts() == {"taken": 1}


@pytest.mark.parametrize("esp", senders.BATCHES)
def test_a_batch_tells_of_many_deliveries_at_once(sent: list[Delivery], tell: Poster, esp: str) -> None:
    good = [Told("delivered", tokens.reference(each.pk)) for each in sent]
    request = post(esp, [*good, Told("delivered", tokens.reference(sent[0].pk))])
    assert tell(request).status_code == 200
    assert counts() == {"taken": 3, "repeated": 1}


def test_one_event_that_cannot_be_read_does_not_cost_the_others(sent: list[Delivery], tell: Poster) -> None:
    events = json.loads(post("mailjet", [Told("delivered", tokens.reference(sent[0].pk))]).body)
    broken: list[Any] = [
        None, 7, "x", [], {"event": []}, {"event": "bounce", "time": 10**30}, {"event": "sent", "time": "no"}, {},
    ]  # fmt: skip
    request = post("mailjet", []).but(json.dumps([*broken, *events, {"event": "sent", "email": None}]).encode())
    assert tell(request).status_code == 200
    assert Delivery.objects.get(pk=sent[0].pk).feedback == 2
    found = counts()
    assert found["taken"] == 1
    assert found["malformed"] == len(broken)
    assert found["unknown"] == 1


@pytest.mark.parametrize("esp", senders.BATCHES)
def test_a_thousand_events_are_taken_at_once_and_not_one_more(sent: list[Delivery], tell: Poster, esp: str) -> None:
    told = [Told("delivered", tokens.reference(sent[0].pk))] * 1001
    assert tell(post(esp, told)).status_code == 413
    assert counts() == {"too_large": 1}
    assert tell(post(esp, told[:1000])).status_code == 200
    assert counts() == {"too_large": 1, "taken": 1, "repeated": 999}


@pytest.mark.parametrize("body", [b"[" + b",".join([b"{}"] * 100_000) + b"]", b"[" + b"1," * 400_000 + b"1]"])
def test_a_hundred_thousand_events_are_too_many(sent: list[Delivery], tell: Poster, body: bytes) -> None:
    assert len(body) < 1_000_000
    assert tell(post("mailjet", []).but(body)).status_code == 413
    assert counts() == {"too_large": 1}


def test_what_the_provider_tells_besides_is_counted_and_nothing_more(sent: list[Delivery], tell: Poster) -> None:
    reference = tokens.reference(sent[0].pk)
    event = json.loads(post("mailjet", [Told("delivered", reference)]).body)[0]
    listed = [{**event, "event": name} for name in ("open", "click", "something new")]
    assert tell(post("mailjet", []).but(json.dumps(listed).encode())).status_code == 200
    assert counts() == {"opened": 2, "untold": 1}


def test_an_office_that_unsubscribed_is_suppressed(sent: list[Delivery], tell: Poster) -> None:
    event = json.loads(post("mailjet", [Told("delivered", tokens.reference(sent[0].pk))]).body)[0]
    assert tell(post("mailjet", []).but(json.dumps([{**event, "event": "unsub"}]).encode())).status_code == 200
    assert Suppression.objects.get().reason == "unsubscribed"


@pytest.mark.parametrize(("kind", "below", "feedback"), [
    ("Transient", "General", 1), ("Undetermined", "Undetermined", 1), ("Transient", "MailboxFull", 3),
    ("Permanent", "General", 3),
])  # fmt: skip
def test_amazons_passing_bounces_are_none(
    sent: list[Delivery], tell: Poster, kind: str, below: str, feedback: int
) -> None:
    named = [{"name": "X-Metadata", "value": json.dumps({"delivery": tokens.reference(sent[0].pk)})}]
    request = senders.notification({
        "notificationType": "Bounce", "mail": {"messageId": "m", "headers": named},
        "bounce": {"bounceType": kind, "bounceSubType": below, "bouncedRecipients": [{"emailAddress": "a@b.example"}]},
    })  # fmt: skip
    assert tell(request).status_code == 200
    assert Delivery.objects.get(pk=sent[0].pk).feedback == feedback
    assert Address.objects.get(pk=sent[0].address_id).status == "working"


def test_an_unclear_delivery_is_settled_by_its_event(campaign: Campaign, tell: Poster) -> None:
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    deeds.attempt(deeds.BROKEN)
    delivery = deeds.deliveries(letter)[0]
    assert tell(post("mailgun", [Told("delivered", tokens.reference(delivery.pk))])).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, delivery.feedback, delivery.ambiguous) == ("sent", 2, 1)


def test_deliveries_in_use_are_told_again_later(
    sent: list[Delivery], tell: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_named: object) -> None:
        raise tracking.Busy

    monkeypatch.setattr("letters.tracking.record", busy)
    answer = tell(post("mailgun", [Told("delivered", tokens.reference(sent[0].pk))]))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert counts() == {"busy": 1}


def test_a_flood_leaves_room_for_pages(sent: list[Delivery], tell: Poster, client: Client) -> None:
    request = post("mailgun", [Told("delivered", tokens.reference(sent[0].pk))])
    taken = [views._inside.acquire(blocking=False) for _ in range(views.MOST_INSIDE)]
    try:
        assert all(taken)
        answer = tell(request)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert client.get("/healthz").status_code == 200
    finally:
        for _ in taken:
            views._inside.release()
    assert tell(request).status_code == 200
    assert views.MOST_INSIDE < 8


def test_the_time_told_is_kept_but_never_one_to_come(sent: list[Delivery], tell: Poster) -> None:
    for each, days in ((sent[0], -2), (sent[1], 2)):
        at = time.time() + days * 86_400
        assert tell(post("postmark", [Told("bounced", tokens.reference(each.pk), at=at)])).status_code == 200
    first, second = Report.objects.order_by("delivery")
    assert abs(first.at - (timezone.now() - timedelta(days=2))) < timedelta(minutes=1)
    assert second.at <= timezone.now()

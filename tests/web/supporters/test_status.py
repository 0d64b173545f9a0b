"""Where the letter is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Campaign
from letters.feedback import Reply, Report
from letters.models import AttemptAt, Delivery, DeliveryEvent, Letter
from letters.page_words import Word
from letters.stoppages import SendingStop
from targets.models import Address
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page
from web.presentation import date_words, moment_words

NOW = timezone.now()
STATES: list[tuple[dict[str, Any], Word, str]] = [
    ({"state": "queued", "due_at": NOW + timedelta(days=5)}, Word.WAITING, "Yours leaves in about 5 days."),
    ({"state": "queued", "due_at": NOW - timedelta(hours=5)}, Word.WAITING, "any moment now"),
    ({"state": "queued", "due_at": None}, Word.WAITING, "any moment now"),
    ({"state": "queued", "attempts": 1, "due_at": NOW + timedelta(hours=5)}, Word.RETRYING, "We try again on"),
    ({"state": "held"}, Word.WAITING, "held until the organisers"),
    ({"state": "sending", "lease_until": NOW, "token": "t"}, Word.HANDING_OVER, "Going out now."),
    ({"state": "sent", "sent_at": NOW, "ended_at": NOW}, Word.ACCEPTED, "Their mail server accepted it on"),
    ({"state": "sent", "sent_at": NOW, "ended_at": NOW, "feedback": 3}, Word.RETURNED, "It came back"),
    ({"state": "failed", "ended_at": NOW}, Word.RETURNED, "It came back"),
    ({"state": "uncertain"}, Word.UNCLEAR, "It probably arrived"),
    ({"state": "cancelled", "ended_at": NOW, "reason": "withdrawn"}, Word.STOPPED, "Stopped by you on"),
    ({"state": "cancelled", "ended_at": NOW, "reason": "stopped"}, Word.STOPPED, "Stopped before it left"),
    ({"state": "cancelled", "ended_at": NOW, "reason": "stopped", "ambiguous": 1}, Word.STOPPED, "It probably arrived"),
]


@pytest.mark.parametrize(("columns", "word", "sentence"), STATES)
def test_every_state_has_its_word_and_its_sentence(
    dana: Dana, columns: dict[str, Any], word: Word, sentence: str
) -> None:
    dana.confirm()
    Delivery.objects.update(**columns)
    html = page(dana.get(dana.status()))
    assert html.count(f'<span class="stamp stamp-{word.value.replace("_", "-")}">{word.label}</span>') == 31
    assert html.count(sentence) == 30
    assert "<b>30</b> <span" in html.replace("\n", " ").replace("</b>  ", "</b> ")


def test_a_resting_campaign_and_a_pace_are_said(dana: Dana) -> None:
    dana.confirm()
    Delivery.objects.update(due_at=None)
    assert "an hour" not in page(dana.get(dana.status())), "these offices have no pace"
    Address.objects.update(cap_per_hour=12)
    assert page(dana.get(dana.status())).count("Yours leaves any moment now.") == 30
    mailboxes = Address.objects.filter(kind="email")
    AttemptAt.objects.bulk_create(AttemptAt(address=each, at=NOW) for each in [*mailboxes] * 12)
    html = page(dana.get(dana.status()))
    assert html.count("at most 12 letters an hour. Yours leaves within the hour.") == 30
    Delivery.objects.filter(pk__in=Delivery.objects.order_by("pk").values("pk")[:29]).update(due_at=NOW)
    Address.objects.update(cap_per_hour=None, cap_per_day=1)
    assert page(dana.get(dana.status())).count("It waits for its turn at this office. Yours leaves ") == 1
    Campaign.objects.update(paused_at=NOW)
    assert "Delivery rests at the moment" in page(dana.get(dana.status()))


def test_a_stop_of_all_sending_is_a_rest_too(dana: Dana) -> None:
    dana.confirm()
    SendingStop.objects.create(since=NOW, by="Alice")
    assert page(dana.get(dana.status())).count("Delivery rests at the moment") == 30


def test_taking_back_stops_what_has_not_left_and_says_what_has(dana: Dana) -> None:
    dana.confirm()
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[0]
    Delivery.objects.filter(pk=first).update(state="sent", sent_at=NOW, ended_at=NOW)
    html = page(dana.get(dana.status()))
    assert "29 letters still wait" in html
    answer = dana.post(dana.status())
    assert (answer.status_code, answer["Location"]) == (303, dana.status())
    assert Delivery.objects.filter(state="cancelled").count() == 29
    html = page(dana.get(dana.status()))
    assert "Take back" not in html
    assert dana.letter().stage == Letter.Stage.CONFIRMED


def test_a_letter_taken_back_whole_says_so(dana: Dana) -> None:
    dana.confirm()
    dana.post(dana.status())
    assert "Taken back by you." in page(dana.get(dana.status()))


def test_an_unclear_copy_is_neither_called_waiting_nor_stopped_by_its_writer(dana: Dana) -> None:
    dana.confirm()
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[0]
    Delivery.objects.filter(pk=first).update(state="uncertain", attempts=2, ambiguous=2)
    assert "29 letters still wait" in page(dana.get(dana.status()))
    dana.post(dana.status())
    html = page(dana.get(dana.status()))
    assert html.count("Stopped by you on") == 29
    assert html.count("It probably arrived; we do not send it again.") == 1
    assert "Taken back by you" not in html
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert not Delivery.objects.filter(state="uncertain").exists(), "nobody can send it again"


def test_where_all_copies_are_unclear_nothing_is_left_to_stop(dana: Dana) -> None:
    dana.confirm()
    Delivery.objects.update(state="uncertain", attempts=2, ambiguous=2)
    assert "Changed your mind?" not in page(dana.get(dana.status()))


def test_an_erased_text_is_said_to_be_erased(dana: Dana) -> None:
    dana.confirm()
    assert SENTENCE in page(dana.get(dana.status()))
    Letter.objects.update(sealed=b"")
    answer = dana.get(dana.status())
    assert answer.status_code == 200
    assert "The text has been erased" in page(answer)
    assert "Werner Faymann" in page(answer)


def test_a_letter_not_sent_yet_says_what_is_missing(dana: Dana) -> None:
    dana.send()
    assert "Waiting for your confirmation" in page(dana.get(dana.status()))


def test_the_page_asks_the_database_the_same_few_questions_for_any_number_of_targets(
    dana: Dana, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dana.confirm()
    with django_assert_max_num_queries(11):  # two ask for the address and the next ask, two whether anything leaves
        answer = dana.get(dana.status())
    Delivery.objects.update(due_at=None)
    Address.objects.update(cap_per_hour=1)
    with django_assert_max_num_queries(16):
        assert page(dana.get(dana.status())).count("Yours leaves any moment now.") == 30
    assert one_h1(answer) == "Where your letter is"
    assert "As of" in page(answer)


def test_a_status_page_is_private_and_opened_by_its_own_token_alone(dana: Dana) -> None:
    sent = dana.confirm()
    answer = dana.get(dana.status())
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert dana.get(f"/letter/{sent.split('/')[-3]}/").status_code == 404
    assert dana.post("/letter/nonsense/").status_code == 404


def test_the_part_that_moves_is_given_alone_and_says_whether_to_look_again(dana: Dana) -> None:
    dana.confirm()
    part = page(dana.get(f"{dana.status()}?part=live"))
    assert part.lstrip().startswith('<div id="live" data-live=')
    assert "<html" not in part
    assert part.strip() in page(dana.get(dana.status())), "the page holds the very same part"
    Delivery.objects.update(state="sent", sent_at=NOW, ended_at=NOW, due_at=None)
    assert "data-live" not in page(dana.get(f"{dana.status()}?part=live"))


def test_a_reply_is_noted_at_who_wrote_it_and_apart(dana: Dana) -> None:
    dana.confirm()
    assert "Did somebody answer you?" not in page(dana.get(dana.status())), "nothing has arrived yet"
    Delivery.objects.update(state="sent", sent_at=NOW, ended_at=NOW)
    target = dana.letter().deliveries.select_related("target").order_by("pk")[3].target
    answer = dana.post(dana.status(), {"deed": "replied", "target": target.public_id, "kind": "real"})
    assert answer["Location"] == f"{dana.status()}#replies"
    html = page(dana.get(dana.status()))
    assert html.count("You told us: A real answer.") == 1
    assert '<span class="stamp stamp-accepted">Answered</span>' not in html, "that word is for replies that we saw"
    assert dana.letter().stage == Letter.Stage.CONFIRMED


@pytest.mark.parametrize("fields", [{"kind": ""}, {"kind": "shouted"}, {"kind": "real", "target": "nobody"}])
def test_a_reply_that_says_nothing_is_asked_again(dana: Dana, fields: dict[str, str]) -> None:
    dana.confirm()
    Delivery.objects.update(state="sent", sent_at=NOW, ended_at=NOW)
    answer = dana.post(dana.status(), {"deed": "replied", **fields})
    assert answer.status_code == 422
    assert "There is a problem" in page(answer)


def test_a_reply_that_came_is_added_to_the_timeline(dana: Dana) -> None:
    dana.confirm()
    Delivery.objects.update(state="sent", sent_at=NOW, ended_at=NOW)
    delivery = Delivery.objects.order_by("pk")[0]
    Reply.objects.create(
        delivery=delivery, campaign=delivery.campaign, key=bytes(16), digest="d", received_at=NOW, sealed=b""
    )
    html = page(dana.get(dana.status()))
    assert html.count('<span class="stamp stamp-accepted">Answered</span>') == 1
    assert "Answered: " in html


@pytest.mark.parametrize(
    ("words", "gave_up", "sentence"),
    [
        ("5.1.1 no such user", False, "this address no longer exists"),
        ("5.2.2 over quota", False, "their mailbox is full"),
        ("5.7.1 spam", False, "does not take such letters"),
        ("5.3.4 too big", False, "no letters of this length"),
        ("no", False, "refused it, or the address no longer exists"),
        ("4.2.1 later", True, "we tried for five days"),
        ("4.2.2 over quota", True, "their mailbox is full"),
    ],
)
def test_why_it_came_back_is_said_in_a_sentence(dana: Dana, words: str, gave_up: bool, sentence: str) -> None:
    dana.confirm()
    Delivery.objects.update(state="failed", ended_at=NOW)
    for pk in Delivery.objects.values_list("pk", flat=True):
        DeliveryEvent.objects.create(
            delivery_id=pk, at=NOW, from_state="sending", to_state="failed", words=words,
            reason="gave_up" if gave_up else "refused",
        )  # fmt: skip
    assert page(dana.get(dana.status())).count(sentence) == 30


@pytest.mark.parametrize(
    ("code", "words", "sentence"),
    [
        (452, "4.2.2 The email account that you tried to reach is over quota", "Their mailbox is full."),
        (452, "try later", "Their mailbox is full."),
        (450, "mailbox of this person is full", "Their mailbox is full."),
        (452, "4.5.3 too many recipients", "Their mail server was not ready."),
        (452, "4.3.1 insufficient system storage", "Their mail server was not ready."),
        (451, "4.7.1 Greylisting in action, please come back later", "lets letters of new senders wait for a while."),
        (451, "4.7.28 your sending quota for this hour is used up", "Their mail server was not ready."),
        (421, "4.3.2 closing", "Their mail server was not ready."),
        (None, "the line broke after DATA", "The line broke before their mail server had taken it."),
    ],
)
def test_why_it_is_tried_again_and_until_when_is_said(
    dana: Dana, code: int | None, words: str, sentence: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dana.confirm()
    tried, until = NOW - timedelta(days=1), date_words(NOW + timedelta(days=4))
    Delivery.objects.update(attempts=2, first_tried_at=tried, due_at=NOW + timedelta(hours=5))
    for pk in Delivery.objects.values_list("pk", flat=True):
        for said in ((421, "4.3.2 the time before"), (code, words)):
            DeliveryEvent.objects.create(
                delivery_id=pk, at=NOW, from_state="sending", to_state="queued", code=said[0], words=said[1]
            )
    with django_assert_max_num_queries(12):
        html = page(dana.get(dana.status()))
    assert html.count(f"{sentence} We try again on ") == 30
    assert html.count(f", until {until} at the latest. Then this page says what became of it.") == 30
    Delivery.objects.update(due_at=None)
    assert page(dana.get(dana.status())).count(f"{sentence} We try again soon, until {until} at the latest.") == 30


def test_what_came_back_after_it_was_accepted_says_when(dana: Dana) -> None:
    dana.confirm()
    at = NOW - timedelta(days=2)
    Delivery.objects.update(state="sent", sent_at=at, ended_at=at, feedback=Delivery.Feedback.BOUNCED)
    first = Delivery.objects.order_by("pk")[0]
    Report.objects.create(delivery=first, kind=Report.Kind.BOUNCED, at=NOW, status="5.1.1", source="mail")
    html = page(dana.get(dana.status()))
    assert html.count("<li>Came back: ") == 1
    line = f"<li>Accepted by their mail server: {moment_words(at)}</li><li>Came back: {moment_words(NOW)}</li>"
    assert html.count(line) == 1

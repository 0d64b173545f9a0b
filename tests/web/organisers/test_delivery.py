"""The delivery board over real deliveries: a ledger that adds up, its rows, its tables, its deeds."""

import re
from html import unescape

import pytest
from django.test import Client

from accounts.models import Role
from campaigns.models import Campaign
from letters import statistics, tokens
from letters.endings import Accepted, Deferred, Refused
from letters.models import Delivery, DeliveryTally
from letters.page_words import Word, word_of
from tests import cast
from tests.web.organisers.answers import csv_rows
from tests.web.organisers.letters import a_confirmed_letter, a_letter, an_unclear_delivery, deliver
from web.organisers.delivery_rows import BEHIND, behind

BOARD = "/organise/campaigns/oil-workers/delivery/"


def _text(page: bytes) -> str:
    """Return what a reader sees, in single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def _shown(page: str) -> list[list[str]]:
    """Return name and numbers of each line of a ledger table, as the page shows them."""
    lines = re.findall(r'<th scope="row" class="breathe"><bdi>(.*?)</bdi>(.*?)</tr>', page, re.DOTALL)
    cell = re.compile(r'<td class="number">(.*?)</td>', re.DOTALL)
    return [[unescape(name), *re.findall(r"\d+", _text(" ".join(cell.findall(rest)).encode()))] for name, rest in lines]


@pytest.fixture
def mixed(campaign: Campaign) -> Campaign:
    """Return a campaign with six deliveries that came to three ends, and three that wait."""
    ask = cast.the_ask(campaign)
    a_confirmed_letter(ask, number=1)
    deliver(Accepted(250, "ok"), Refused(550, "5.1.1 unknown"), Deferred(451, "4.2.2 full"))
    a_confirmed_letter(ask, number=2)
    a_letter(ask, number=3)
    return campaign


def test_the_ledger_adds_up_and_names_every_word(mixed: Campaign, as_alice: Client) -> None:
    text = _text(as_alice.get(BOARD).content)
    assert "2 letters: 6 deliveries" in text
    for said in (
        "Waiting 3",
        "Retrying 1",
        "Being handed over 0",
        "Accepted 1",
        "Returned 1",
        "Unclear 0",
        "Stopped 0",
    ):
        assert said in text
    assert "✓ adds up" in text
    assert "does not add up" not in text
    assert "1 letter awaits confirmation" in text


def test_a_ledger_that_does_not_add_up_says_so(mixed: Campaign, as_alice: Client) -> None:
    DeliveryTally.objects.filter(state="sent").update(count=5)
    text = _text(as_alice.get(BOARD).content)
    assert "does not add up" in text
    assert "✓ adds up" not in text


def test_an_empty_board_says_that_there_is_nothing_to_send(campaign: Campaign, as_alice: Client) -> None:
    assert "Nothing to send." in _text(as_alice.get(BOARD).content)


@pytest.mark.parametrize("word", list(Word))
def test_the_rows_behind_a_word_are_exactly_those_with_that_word(word: Word, mixed: Campaign) -> None:
    expected = {
        each.pk for each in Delivery.objects.all()
        if word_of(each.state, tried=each.attempts > 0, feedback=each.feedback) == word
    }  # fmt: skip
    assert set(Delivery.objects.filter(BEHIND[word]).values_list("pk", flat=True)) == expected
    assert len(behind(mixed, word)[0]) == statistics.ledger(mixed).counts[word]


def test_the_rows_of_a_word_show_what_the_server_said_and_no_supporter(mixed: Campaign, as_alice: Client) -> None:
    text = _text(as_alice.get(f"{BOARD}rows/?word=returned").content)
    assert "550 5.1.1 unknown" in text
    assert "Their server refused it." in text
    assert "Dana" not in text
    assert "dana1@" not in text
    assert as_alice.get(f"{BOARD}rows/?word=eaten").status_code == 404


def test_long_lists_of_rows_are_walked_page_by_page(campaign: Campaign, as_alice: Client) -> None:
    for number in range(18):
        a_confirmed_letter(cast.the_ask(campaign), number=number)
    first, following = behind(campaign, Word.WAITING)
    second, end = behind(campaign, Word.WAITING, before=following)
    assert (len(first), len(second), end) == (50, 4, 0)
    assert len({row.reference for row in (*first, *second)}) == 54
    assert f"before={following}" in as_alice.get(f"{BOARD}rows/?word=waiting").content.decode()


def test_the_csv_files_have_the_numbers_of_the_page(mixed: Campaign, as_alice: Client) -> None:
    by_ask = csv_rows(as_alice.get(f"{BOARD}ledger.csv?by=ask"))
    assert by_ask[1][0] == "A letter to EU leaders"
    assert by_ask[1][2:] == ["6", "3", "1", "0", "1", "1", "0", "0"]
    by_office = csv_rows(as_alice.get(f"{BOARD}ledger.csv?by=office"))
    assert [sum(int(row[column]) for row in by_office[1:]) for column in range(2, 10)] == [6, 3, 1, 0, 1, 1, 0, 0]
    by_letter, offices = as_alice.get(BOARD).content.decode().split('id="offices"')
    assert _shown(by_letter) == [[row[0], *row[2:]] for row in by_ask[1:]]
    assert _shown(offices) == [[row[0], *row[2:]] for row in by_office[1:]]


def test_offices_can_be_found_and_sorted_and_the_csv_follows(mixed: Campaign, as_alice: Client) -> None:
    query = "?q=northland&sort=accepted"
    text = _text(as_alice.get(BOARD + query).content)
    assert "Anna Lund" in text
    assert "Office of the President" not in text
    rows = csv_rows(as_alice.get(f"{BOARD}ledger.csv{query}&by=office"))[1:]
    assert [row[0] for row in rows] == ["Anna Lund", "Bruno Keller"]
    names = [row[0] for row in csv_rows(as_alice.get(f"{BOARD}ledger.csv?by=office&sort=retrying"))[1:]]
    assert names[0] == "Office of the President"


def test_an_unclear_delivery_goes_again_once_and_only_by_a_person(campaign: Campaign, as_alice: Client) -> None:
    unclear = an_unclear_delivery(cast.the_ask(campaign))
    assert unclear.state == "uncertain"
    again = f"{BOARD}again/{tokens.reference(unclear.pk)}/"
    assert again in as_alice.get(f"{BOARD}rows/?word=unclear").content.decode()
    assert "may get it twice" in as_alice.get(again).content.decode()
    unclear.refresh_from_db()
    assert unclear.state == "uncertain"
    as_alice.post(again)
    unclear.refresh_from_db()
    assert (unclear.state, unclear.sent_again) == ("queued", 1)
    assert "not unclear any more" in as_alice.post(again, follow=True).content.decode()
    unclear.refresh_from_db()
    assert unclear.sent_again == 1


def test_a_forged_reference_leads_nowhere(campaign: Campaign, as_alice: Client) -> None:
    unclear = an_unclear_delivery(cast.the_ask(campaign))
    assert as_alice.post(f"{BOARD}again/{unclear.pk:x}-{'0' * 32}/").status_code == 404


def test_one_target_is_stopped_after_a_question(campaign: Campaign, as_alice: Client) -> None:
    a_confirmed_letter(cast.the_ask(campaign))
    target = cast.the_ask(campaign).target_list.targets.get(name="Anna Lund")
    stop = f"{BOARD}stop/{target.public_id}/"
    assert "1 delivery that has not left is stopped for good." in as_alice.get(stop).content.decode()
    assert not Delivery.objects.filter(state="cancelled").exists()
    as_alice.post(stop)
    assert [each.target_id for each in Delivery.objects.filter(state="cancelled")] == [target.pk]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.ANALYST, Role.TRANSLATOR])
def test_who_may_not_send_may_neither_stop_nor_send_again(role: Role, campaign: Campaign, client: Client) -> None:
    unclear = an_unclear_delivery(cast.the_ask(campaign))
    member = cast.a_member(campaign.organisation, "Mia", role)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(BOARD).status_code == 200
    assert client.post(f"{BOARD}again/{tokens.reference(unclear.pk)}/").status_code == 403
    assert client.post(f"{BOARD}stop/{unclear.target.public_id}/").status_code == 403
    unclear.refresh_from_db()
    assert unclear.state == "uncertain"

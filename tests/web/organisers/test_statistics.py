"""Statistics at the desk: the answer as title, the chart, its table, and the same numbers as CSV."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from letters.endings import Accepted, Refused
from tests import cast
from tests.web.organisers.answers import csv_rows
from tests.web.organisers.letters import a_confirmed_letter, deliver
from web.organisers.statistics import accepted_title, own_words_title

PAGE = "/organise/campaigns/oil-workers/statistics/"


@pytest.fixture
def written(campaign: Campaign) -> Campaign:
    """Return a campaign that opened an hour ago, with two letters, one with own words, and six deliveries."""
    Campaign.objects.filter(pk=campaign.pk).update(opened_at=timezone.now() - timedelta(hours=1))
    ask = cast.the_ask(campaign)
    a_confirmed_letter(ask, number=1)
    a_confirmed_letter(ask, number=2, sentence=cast.DANA["sentence"])
    deliver(Accepted(250, "ok"), Refused(550, "5.7.1 no"))
    return campaign


@pytest.mark.parametrize(
    ("own", "written", "said"),
    [
        (0, 0, "No letters yet"),
        (0, 4, "No letter carries own words yet"),
        (4, 4, "Every letter carries own words"),
        (1, 2, "1 of 2 letters carries own words"),
        (49, 100, "Half of the letters carry own words"),
        (30, 100, "30 % of the letters carry own words"),
        (999, 1000, "99 % of the letters carry own words"),
    ],
)
def test_the_title_is_the_answer(own: int, written: int, said: str) -> None:
    assert own_words_title(own, written) == said


def test_nothing_is_called_complete_that_is_not() -> None:
    assert accepted_title(0, 0) == "Nothing has been handed over yet"
    assert accepted_title(5, 5) == "Everything handed over was accepted"
    assert accepted_title(9999, 10000) == "99 % of what was handed over was accepted"


def test_the_page_shows_answers_charts_and_people(written: Campaign, as_alice: Client) -> None:
    page = as_alice.get(PAGE).content.decode()
    assert "1 of 2 letters carries own words" in page
    assert "83 % of what was handed over was accepted" in page
    assert page.count('role="img"') == 2
    assert "<title" in page.split("<svg")[1]
    assert "per hour" in page
    assert "style=" not in page
    for chart in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert len(chart.encode()) <= 8192


def test_an_older_campaign_is_counted_by_the_day(written: Campaign, as_alice: Client) -> None:
    Campaign.objects.update(opened_at=timezone.now() - timedelta(days=3))
    assert "per day" in as_alice.get(PAGE).content.decode()
    table = csv_rows(as_alice.get(f"{PAGE}letters.csv"))
    assert len(table) == 1 + 12 + 1


def test_the_csv_has_the_numbers_of_the_page(written: Campaign, as_alice: Client) -> None:
    page = as_alice.get(PAGE).content.decode()
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    for which, body in zip(("letters", "deliveries"), bodies, strict=False):
        shown = [
            [cell.strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        ]
        assert csv_rows(as_alice.get(f"{PAGE}{which}.csv"))[1:] == shown
    assert csv_rows(as_alice.get(f"{PAGE}letters.csv"))[-1] == ["All", "1", "0", "1", "0", "2"]
    assert csv_rows(as_alice.get(f"{PAGE}deliveries.csv"))[-1] == ["All", "5", "1", "0", "6"]


def test_an_unknown_table_is_not_found(written: Campaign, as_alice: Client) -> None:
    assert as_alice.get(f"{PAGE}everything.csv").status_code == 404


def test_a_draft_says_that_there_is_nothing_yet(campaign: Campaign, as_alice: Client) -> None:
    page = as_alice.get(PAGE).content.decode()
    assert "No letters yet" in page
    assert "<svg" not in page

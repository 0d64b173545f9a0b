"""Help, at the same place on all pages."""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse

from accounts.models import Organisation
from campaigns.models import Campaign
from tests.web.supporters.conftest import Dana, page
from web.presentation import help_link

MY_DATA = '<a class="line" href="/my/?lang=en">See, change or delete what we hold about you</a>'
QUESTIONS = "Questions? Ask <bdi>Oil Workers' Aid</bdi>: <a href=\"mailto:help@aid.example\">"


def _foot(html: str) -> str:
    found = re.search(r'<footer class="foot">\n<div class="column[^"]*">(.*)</footer>', html, re.DOTALL)
    assert found is not None
    return found[1].strip()


def _pages(dana: Dana) -> Iterator[str]:
    """Yield the pages of a letter's way."""
    yield dana.home
    write = dana.begin(1)
    for step in ("write", "check", "print", "own-mail"):
        yield write.replace("/write/", f"/{step}/")
    yield dana.send()
    yield dana.link()
    yield dana.confirm(2, email="other@mail.example")
    yield dana.status()
    Campaign.objects.update(stage="closed", ending="won")
    yield dana.home


def test_every_page_of_a_campaign_offers_help_first_thing_in_its_foot(dana: Dana) -> None:
    Organisation.objects.update(help_at="help@aid.example")
    seen = 0
    for address in _pages(dana):
        answer = dana.get(address)
        if answer.status_code == 303:
            continue
        html = page(answer)
        assert _foot(html).startswith(f"<p>{MY_DATA}</p>"), address
        assert html.count(QUESTIONS) == 1, address
        seen += 1
    assert seen >= 7


def test_pages_of_no_campaign_lead_to_ones_own_data(dana: Dana) -> None:
    Campaign.objects.update(stage="draft")  # the front door leads to an only one
    for address in (reverse("home"), "/my/", "/en/nowhere/"):
        assert _foot(page(dana.get(address))).startswith(f"<p>{MY_DATA}</p>"), address


def test_without_an_address_nobody_is_sent_to_one(dana: Dana) -> None:
    assert "Questions?" not in page(dana.get(dana.home))


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("help+a&b@aid.example", '<a href="mailto:help%2Ba%26b@aid.example"><bdi dir="ltr">help+a&amp;b@aid.example'),
        (
            "https://aid.example/",
            '<a href="https://aid.example/" target="_blank" rel="noopener noreferrer"><bdi dir="ltr">aid.example',
        ),
    ],
)
def test_the_address_is_a_link(address: str, link: str) -> None:
    assert help_link(address) == f"{link}</bdi></a>"

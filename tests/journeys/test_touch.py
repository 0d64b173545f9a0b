"""What a finger presses on a phone is 44 px high on every supporter page, beside links within running text."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from accounts.models import User
from campaigns.models import Campaign, CampaignText
from tests import parliament
from tests.journeys.test_pseudo import every_page, show
from tests.web.supporters.conftest import DANA, Dana, campaign, dana
from tests.web.supporters.test_misspelt import known
from tests.web.supporters.test_paper import steps

__all__ = ["campaign", "dana", "known"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

# A box to tick is pressed by its label too. In running text stands what has words beside it on its line.
SMALL = """() => {
    const pressed = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    for (const closed of document.querySelectorAll("details")) closed.open = true;
    const is_inline = node => node.nodeType === Node.TEXT_NODE
        || node.nodeType === Node.ELEMENT_NODE && getComputedStyle(node).display.startsWith("inline");
    const is_running = one => is_inline(one) && [...one.parentElement.childNodes].some(beside =>
        beside !== one && is_inline(beside) && beside.textContent.trim()
        && !(beside.matches && beside.matches(pressed)));
    return [...document.querySelectorAll(pressed)].filter(one => {
        if (!one.checkVisibility({checkVisibilityCSS: true}) || one.closest(".unseen, .skip")) return false;
        const box = (one.closest(".choice") || one).getBoundingClientRect();
        return !is_running(one) && box.height < 43.9;
    }).map(one => `${Math.round(one.getBoundingClientRect().height)} px: ${one.outerHTML.slice(0, 120)}`);
}"""


def more_pages(dana: Dana) -> Iterator[tuple[str, Any]]:
    """Walk the pages that a letter's straight way does not touch."""
    check = dana.write(email="dana@mial.example")
    yield "check, a misspelt address", dana.get(check)
    for name, address in zip(("print", "own mail"), steps(check), strict=True):
        yield name, dana.get(address)
    yield "standard letter", dana.get(dana.post(dana.begin(sentence=""), DANA)["Location"])
    yield "my data, asked", dana.get("/my/?asked=yes")
    yield "my data, an error", dana.post("/my/", {"email": "nonsense"})
    other = Campaign.objects.create(
        organisation=dana.campaign.organisation, slug="other", stage="open", opened_at=timezone.now(),
        wrapped_key=dana.campaign.wrapped_key,
    )  # fmt: skip
    CampaignText.objects.create(campaign=other, language="en", title="Free them", summary="They are in prison.")
    yield "front door", dana.get("/")


def faults_of(page: Page, pages: Iterator[tuple[str, Any]]) -> dict[str, str]:
    """Return what is too low, each once, with the first page that has it."""
    found: dict[str, str] = {}
    for where, answer in pages:
        show(page, answer)
        for width in (360, 700):  # where what needs two lines on a phone needs one
            page.set_viewport_size({"width": width, "height": 800})
            for small in page.evaluate(SMALL):
                found.setdefault(small, f"{where}, {width} px")
    return found


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """Return a page as wide as a phone."""
    page = chromium.new_page(viewport={"width": 360, "height": 800})
    yield page
    page.close()


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.usefixtures("known")
def test_everything_is_high_enough_for_a_finger(phone: Page, dana: Dana, language: str) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    found = faults_of(phone, more_pages(dana))
    Campaign.objects.exclude(pk=dana.campaign.pk).delete()
    found |= faults_of(phone, every_page(dana))
    assert not found, "\n".join(f"{where}: {fault}" for fault, where in found.items())


def test_choosing_is_high_enough_for_a_finger(phone: Page, alice: User) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 50, "FR": 9}))

    def pages() -> Iterator[tuple[str, Any]]:
        for ask in dana.campaign.asks.all():
            yield ask.slug, dana.get(f"{dana.home}{ask.slug}/")
        to = dana.post(f"{dana.home}suggested/", {"then": "to"})["Location"]
        yield "to", dana.get(to)
        yield "to, an error", dana.post(to, {})
        yield "to, nobody found", dana.get(f"{to}?q=nobody")

    found = faults_of(phone, pages())
    assert not found, "\n".join(f"{where}: {fault}" for fault, where in found.items())


def test_what_is_too_low_would_be_seen(phone: Page) -> None:
    """The test is only as good as what it looks for."""
    phone.set_content('<p>Read <a href="/a">this</a> first.</p><p><a href="/b">Alone</a></p><button>Low</button>')
    assert [one.rpartition("<")[0][-8:] for one in phone.evaluate(SMALL)] == ['b">Alone', "tton>Low"]

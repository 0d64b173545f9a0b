"""A compact campaign's way by keys alone: the letter on the campaign's page, with what is wrong and without."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_accessibility import look
from tests.journeys.test_everywhere import come_round, faults_of, press, the_summary_leads_to_its_fields
from tests.journeys.test_organiser import sign_in
from tests.journeys.way import SENTENCE

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

CAMPAIGN = "kazakhstan-2011"
CHECK = "form[data-keep] .button:not(.second, .quiet)"
WAYS = list(itertools.product(("en", "ar"), (360, 1280), (True, False)))


@pytest.fixture(scope="module", autouse=True)
def _compact(chromium: Browser, postbag: Postbag) -> Iterator[None]:
    """Tick the box for these tests, as an organiser does, and take it off again."""
    context = chromium.new_context(base_url=postbag.url)
    page = context.new_page()
    sign_in(page, postbag)
    for is_compact in (True, False):
        page.goto(f"/organise/campaigns/{CAMPAIGN}/look/")
        page.locator("[name=is_compact]").set_checked(is_compact)
        page.get_by_role("button", name="Save the look").click()
        if is_compact:
            yield
    context.close()


def pages(page: Page, mailbox: Mailbox, language: str, email: str) -> Iterator[str]:
    """Walk the way by keys alone; yield the name of each page."""
    page.goto(f"/{language}/{CAMPAIGN}/")
    yield "campaign"
    press(page, CHECK, {"sentence": SENTENCE[language], "subject": "", "email": "nobody"})
    yield "write, with errors"
    assert page.locator("#sentence").input_value() == SENTENCE[language]
    the_summary_leads_to_its_fields(page, "write")
    press(page, CHECK, {"subject": "A request before the jubilee", "name": "Dana Writer", "email": email})
    yield "check"
    assert page.locator(".stack .letter").first.inner_text().count(SENTENCE[language]) == 1
    press(page, "#send")
    yield "confirm"
    page.goto(mailbox.wait_for(email).link)
    press(page, "main form .button")
    yield "sent"


@pytest.mark.parametrize(("language", "width", "scripts"), WAYS)
def test_a_letter_finds_its_way_by_keys_and_every_page_can_be_used(
    open_page: OpenPage, mailbox: Mailbox, language: str, width: int, *, scripts: bool
) -> None:
    dark = (width == 360) == scripts
    page = open_page(width=width, dark=dark, scripts=scripts)
    seen = page if scripts else open_page(width=width, dark=dark)  # axe is a script, and waits for others
    faults: dict[str, str] = {}
    for where in pages(page, mailbox, language, f"compact.{language}.{width}.{scripts}@mail.example".lower()):
        if not scripts:
            seen.set_content(page.content(), wait_until="domcontentloaded")
        look(seen, where)
        for fault in faults_of(page, language):
            faults.setdefault(fault, where)
    assert not faults, "\n".join(f"{where}: {fault}" for fault, where in faults.items())


@pytest.mark.parametrize(("language", "width"), [("en", 360), ("ar", 1280)])
def test_tab_comes_round_the_page_in_the_order_of_reading(open_page: OpenPage, language: str, width: int) -> None:
    page = open_page(width=width)
    page.goto(f"/{language}/{CAMPAIGN}/")
    come_round(page, "campaign")


def test_what_was_typed_is_brought_back_with_the_variants_that_it_was_typed_into(open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"/en/{CAMPAIGN}/")
    drawn, body = page.locator("[name=drawn]").input_value(), page.locator("#body").input_value()
    page.locator("#name").fill("Dana Writer")
    page.locator("#body").fill(f"{body}\n\nThis stands last.")
    expect(page.locator("#kept")).to_contain_text("Saved in this tab")
    page.goto(f"/en/{CAMPAIGN}/performers/")
    assert not page.locator("#bring-back").is_visible(), "that is another letter"
    page.goto(f"/en/{CAMPAIGN}/leaders/")
    assert page.locator("[name=drawn]").input_value() != drawn
    page.locator("#bring-back button").click()
    assert page.locator("#body").input_value() == f"{body}\n\nThis stands last."
    assert page.locator("#name").input_value() == "Dana Writer"
    assert page.locator("[name=drawn]").input_value() == drawn

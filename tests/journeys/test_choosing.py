"""Choosing who gets the letter, in a real browser: a long list, by keys alone, with and without scripts."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.gate import OUTSIDE
from tests.journeys.conftest import OpenPage
from tests.journeys.installation import ROOT, Postbag
from tests.journeys.test_accessibility import look

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

HOME = "/en/parliament/suggested/"
STAGED = """
from accounts.models import User
from tests.parliament import a_parliament_campaign
a_parliament_campaign(User.objects.get())
"""


@pytest.fixture(scope="module", autouse=True)
def parliament(postbag: Postbag) -> None:
    """Let the installation have a campaign with 720 people."""
    settings = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    settings |= {"POSTBAG_DATA": str(postbag.data), "DJANGO_SETTINGS_MODULE": "config.settings"}
    staging = [sys.executable, "manage.py", "shell", "-c", STAGED]
    subprocess.run(staging, cwd=ROOT, env=settings, check=True, timeout=120)


def choose(page: Page) -> None:
    """Go to the page of choice as a supporter does."""
    page.goto(HOME)
    page.locator("[name=sentence]").fill("My father worked on a rig.")
    page.get_by_role("button", name="Change").click()
    page.wait_for_url("**/to/")


def ticks(page: Page) -> list[str]:
    """Return who is ticked."""
    return sorted(str(box.get_attribute("value")) for box in page.locator("input[name=to]:checked").all())


@pytest.mark.parametrize(("width", "dark"), [(360, False), (360, True), (1280, False), (1280, True)])
def test_the_page_of_choice_has_no_violation_in_any_of_its_states(
    open_page: OpenPage, width: int, *, dark: bool
) -> None:
    page = open_page(width=width, dark=dark)
    choose(page)
    look(page, "to")
    for box in page.locator("input[name=to]:not(:checked)").all()[:3]:
        box.check()
    look(page, "to, too many")
    page.locator("#take").click()
    expect(page).to_have_title(re.compile("^Error: "))
    look(page, "to, with an error")
    page.locator("#q").fill("Nobody of this name")
    page.keyboard.press("Enter")
    page.get_by_text("Nobody called").wait_for()
    look(page, "to, nobody found")
    page.goto("/en/parliament/by-country/")
    page.get_by_role("button", name="Write my letter").click()
    look(page, "campaign page, without the country")
    page.goto("/en/parliament/up-to/")
    look(page, "campaign page, where supporters choose")
    page.get_by_role("button", name="Choose who gets my letter").click()
    look(page, "to, nobody chosen yet")


def test_an_error_takes_the_focus_and_leads_to_its_box(open_page: OpenPage) -> None:
    page = open_page()
    choose(page)
    for value in ticks(page):
        page.locator(f"[value='{value}']").uncheck()
    page.locator("#take").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(page.locator("#to")).to_be_focused()


def test_the_counter_and_the_button_follow_the_ticks(open_page: OpenPage) -> None:
    page = open_page()
    choose(page)
    expect(page.locator("#counter")).to_have_text("3 of at most 5 chosen")
    page.locator("input[name=to]:not(:checked)").first.check()
    expect(page.locator("#counter")).to_have_text("4 of at most 5 chosen")
    expect(page.locator("#take")).to_have_text("Write to these 4 people")
    expect(page.locator("#counter-said")).to_have_text("4 of at most 5 chosen", timeout=5000)


@pytest.mark.parametrize("scripts", [True, False])
def test_ticks_survive_the_filter_and_the_pages_and_the_letter_goes_to_them(
    open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    choose(page)
    for value in ticks(page)[1:]:
        page.locator(f"[value='{value}']").uncheck()
    page.locator("#country").select_option("MT")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator("input[name=to]:not(:checked)").first.check()
    mine = ticks(page)
    assert len(mine) == 2
    page.locator("#country").select_option("")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("button", name="Those after").click()
    expect(page.get_by_text(re.compile(r"Page 2 of \d+"))).to_be_visible()
    assert ticks(page) == mine
    page.locator("#take").click()
    page.wait_for_url("**/write/")
    expect(page.locator("[name=sentence]")).to_have_value("My father worked on a rig.")
    page.get_by_role("button", name="Change").click()
    assert ticks(page) == mine


def test_the_choice_can_be_made_by_keys_alone_and_nothing_covers_the_focus(open_page: OpenPage) -> None:
    page = open_page(scripts=False)
    choose(page)
    bar = page.locator(".taken").bounding_box()
    assert bar is not None
    seen = 0
    for _ in range(25):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.get_attribute("name") == "to":
            seen += 1
            box = focused.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= bar["y"] + 1  # WCAG 2.2 SC 2.4.11
    assert seen > 10
    page.keyboard.press("Space")
    assert len(ticks(page)) in (2, 4)

"""A letter that does not pass through us: on paper, and from an own mail app, with scripts and without."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage
from tests.journeys.test_accessibility import look
from tests.letters import sheets

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]


OWN = "I have followed this for months, and I talk about it with my neighbours. " * 15  # too long for a link


def write(page: Page) -> None:
    """Write to the embassies, leaving the e-mail address out."""
    page.goto("/en/kazakhstan-2011/embassies/")
    page.locator("[name=sentence]").fill(OWN)
    page.get_by_role("button", name="Write my letter").click()
    page.locator("[name=name]").fill("Dana Writer")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)])
def test_a_letter_is_printed_and_told_of(
    open_page: OpenPage, tmp_path: Path, width: int, *, dark: bool, scripts: bool
) -> None:
    page = open_page(width=width, dark=dark, scripts=scripts)
    write(page)
    page.get_by_role("button", name="Print it and post it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Print, sign, post")
    if scripts:
        look(page, "print")
    page.get_by_role("button", name="Get the letters as a PDF").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    if scripts:
        look(page, "print, with errors")
    page.get_by_label("Embassy of Kazakhstan in Vienna").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Get the letters as a PDF").click()
    kept = tmp_path / "letters.pdf"
    download.value.save_as(kept)
    sheet, *_overleaf = sheets.read(kept.read_bytes()).pages
    assert sheet.line("AUSTRIA")
    assert sheet.line("Dana Writer")
    page.get_by_role("button", name="I posted it").click()  # the tick is still there
    expect(page.get_by_text("We count it as posted by you")).to_be_visible()
    expect(page.get_by_text("Posted", exact=True)).to_be_visible()


def test_a_long_letter_is_copied_for_the_mail_app(open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write(page)
    page.get_by_role("button", name="Use my own mail app").click()
    look(page, "own mail")
    card = page.locator("section").first
    expect(card.get_by_role("link", name="Open mail app")).to_have_attribute("href", re.compile("^mailto:vienna@"))
    card.get_by_role("button", name="Copy").click()
    expect(card.get_by_role("status")).to_have_text("We copied it: paste it into the mail.")
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert copied.startswith("Your Excellency,")
    assert copied.endswith("Dana Writer")
    card.get_by_role("button", name="I sent it").click()
    expect(page.locator("section").first.get_by_text("You sent it")).to_be_visible()
    look(page, "own mail, one sent")


def test_without_scripts_the_letter_is_there_to_copy(open_page: OpenPage) -> None:
    page = open_page(width=360, scripts=False)
    write(page)
    page.get_by_role("button", name="Use my own mail app").click()
    card = page.locator("section").first
    expect(card.get_by_role("button", name="Copy")).to_be_hidden()
    expect(card.get_by_text("Copy it first, then paste it into the mail.")).to_be_visible()
    expect(card.get_by_role("textbox")).to_have_value(re.compile(r"^Your Excellency,[\s\S]*Dana Writer$"))

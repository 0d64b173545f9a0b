"""axe-core over every page of the flow, in its states, phone and desktop, light and dark."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
OUTLINE = """() => {
    const look = getComputedStyle(document.activeElement);
    return [look.outlineStyle, parseFloat(look.outlineWidth)];
}"""
LOOKS = [(360, False), (1280, True)]


def look(page: Page, where: str) -> None:
    """Let axe look at the page, and check that nothing is wider than the window."""
    found = Axe().run(page, options=RULES).response["violations"]
    said = [f"{one['id']}: {one['help']} – {[node['target'] for node in one['nodes']][:3]}" for one in found]
    assert said == [], f"{where}: {said}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"{where} is {wide} px wider than the window"
    assert page.locator("h1").count() == 1, where
    assert page.locator("html").get_attribute("lang"), where


def flow(page: Page, mailbox: Mailbox, email: str) -> Iterator[str]:
    """Walk the supporter's pages in all their usual states; yield the name of each."""
    page.goto("/en/kazakhstan-2011/")
    yield "campaign"
    page.get_by_role("button", name="Write my letter").click()
    yield "write"
    page.locator("[name=subject]").fill("")
    page.get_by_role("button", name="Check my letter").click()
    yield "write, with errors"
    page.locator("[name=subject]").fill("A request before the jubilee")
    page.locator("[name=name]").fill("Wolfeschlegelsteinhausenbergerdorff " * 2)
    page.locator("[name=email]").fill(email)
    page.get_by_role("button", name="Check my letter").click()
    yield "check, a long name, no own words"
    page.get_by_role("button", name=re.compile("Send (my letter|as it is)")).first.click()
    yield "confirm"
    page.locator("[name=code]").fill("000000")
    page.get_by_role("button", name="Confirm with the code").click()
    yield "confirm, wrong code"
    page.goto(mailbox.wait_for(email).link)
    yield "link"
    page.get_by_role("button", name="Send my letter").click()
    yield "sent"
    page.get_by_role("link", name="See where it is").click()
    yield "status"
    page.get_by_role("link", name="See, change or delete what we hold about you").click()
    page.locator("[name=email]").fill("no address")
    page.get_by_role("button", name="Send me a link").click()
    yield "my data, with an error"
    page.locator("[name=email]").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    yield "my data, asked"
    page.goto(mailbox.wait_for_link(email, "/my/open/"))
    yield "my data, the link"
    page.get_by_role("button", name="Show my data").click()
    yield "my data"
    page.get_by_role("button", name="Download my data").click()
    yield "my data, download"
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Delete my data").click()
    yield "my data, delete"
    page.get_by_role("button", name="Delete everything").click()
    yield "my data, deleted"
    page.goto("/en/nothing-here/")
    yield "404"
    page.goto("/postbox/")
    yield "postbox"


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_no_supporter_page_has_a_violation(open_page: OpenPage, mailbox: Mailbox, width: int, *, dark: bool) -> None:
    page = open_page(width=width, dark=dark)
    for where in flow(page, mailbox, f"axe.{width}@mail.example"):
        look(page, where)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_no_organiser_page_has_a_violation(open_page: OpenPage, postbag: Postbag, width: int, *, dark: bool) -> None:
    page = open_page(width=width, dark=dark)
    page.goto("/organise/")
    look(page, "sign-in")
    page.locator("[name=login]").fill(postbag.email)
    page.locator("[name=password]").fill(postbag.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    campaign = "/organise/campaigns/kazakhstan-2011"
    for path in (
        "/organise/", "/organise/targets/", "/organise/targets/new/", "/organise/campaigns/",
        "/organise/campaigns/new/", f"{campaign}/", f"{campaign}/page/", f"{campaign}/look/", f"{campaign}/delivery/",
        f"{campaign}/statistics/", f"{campaign}/new-letter/", f"{campaign}/embassies/edit/",
        f"{campaign}/leaders/wording/", f"{campaign}/close/",
    ):  # fmt: skip
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, path
        look(page, path)
    page.goto("/organise/targets/")
    page.locator("main table a").first.click()
    look(page, "one list")
    for name in ("Import", "Add a target"):
        link = page.get_by_role("link", name=re.compile(name)).first
        link.click()
        look(page, name)
        page.go_back()


def test_focus_can_be_seen_and_the_first_tab_skips_to_the_content(open_page: OpenPage) -> None:
    page = open_page(width=1280)
    page.goto("/en/kazakhstan-2011/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    for _ in range(6):
        page.keyboard.press("Tab")
        outline = page.evaluate(OUTLINE)
        assert outline[0] != "none", page.evaluate("document.activeElement.outerHTML")
        assert outline[1] >= 2

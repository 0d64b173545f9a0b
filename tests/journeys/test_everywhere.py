"""A letter's whole way by keys alone: scripts or none, English or Arabic, light or dark, on a phone or a desk.

Every page on the way is looked at: axe, headings, landmarks, language and direction, reflow, larger text, focus.
"""

import itertools
from collections.abc import Iterator

import pytest
from django.utils.translation import gettext, override
from playwright.sync_api import Page

from tests.journeys.conftest import OpenPage
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_accessibility import look
from tests.journeys.test_pseudo import CUT

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

EVERYWHERE = list(itertools.product(("en", "ar"), (360, 1280), (False, True), (True, False)))
MOST_KEYS = 200  # to come round a page; more is a trap
NARROWEST = 320  # CSS px (WCAG 1.4.10)
NAME = "Wolfeschlegelsteinhausenbergerdorff"
OUTLINE = """() => [...document.querySelectorAll(
    "h1, h2:not(.error-summary h2), h3, h4, h5, h6")].map(heading => +heading.tagName[1])"""
LANDMARKS = """() => ["body > header", "body > main", "body > footer"].map(
    landmark => document.querySelectorAll(landmark).length)"""
# WCAG 1.4.12: what people set who read better so.
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`p { margin-bottom: 2em !important }
        * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }`);
    document.adoptedStyleSheets = [sheet];
}"""
# Of what has the focus: is it seen, where does it stand, and does it follow on what had it before?
FOCUSED = """() => {
    const now = document.activeElement, before = window.before, box = now.getBoundingClientRect();
    window.before = now;
    if (now === document.body) return null;
    const look = getComputedStyle(now), middle = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 20)];
    const on_top = document.elementFromPoint(...middle);
    return {
        is: now.outerHTML.slice(0, 120),
        seen: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2,
        covered: !(on_top && (now.contains(on_top) || on_top.contains(now))),
        follows: !before || before === document.body || !before.isConnected
            || !!(before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING),
        box: [box.left, box.right, box.top + scrollY, box.bottom + scrollY],
    };
}"""
# How far a label begins from where its field begins, on the side on which reading begins.
STARTS = """() => [...document.querySelectorAll(".form-row:not(.choice) > label")].map(label => {
    const range = document.createRange(), field = document.getElementById(label.htmlFor);
    range.selectNodeContents(label);
    const words = range.getBoundingClientRect(), box = field.getBoundingClientRect();
    const is_rtl = document.documentElement.dir === "rtl";
    return [label.innerText, is_rtl ? box.right - words.right : words.left - box.left];
})"""


def faults_of(page: Page, language: str) -> Iterator[str]:
    """Return what is wrong with a page, at its usual size, then narrow, then with larger and looser text."""
    levels = page.evaluate(OUTLINE)
    if levels[0] != 1 or any(after > before + 1 for before, after in itertools.pairwise(levels)):
        yield f"its headings go {levels}"
    if (marks := page.evaluate(LANDMARKS)) != [1, 1, 1]:
        yield f"it has so many of header, main and footer: {marks}"
    spoken = [page.locator("html").get_attribute(name) for name in ("lang", "dir")]
    if spoken != [language, "rtl" if language == "ar" else "ltr"]:
        yield f"it speaks {spoken}"
    for label, apart in page.evaluate(STARTS):
        if not -1 <= apart <= 16:  # a letter's text stands under its label, and its field around it
            yield f"“{label}” begins {apart} px from its field"
    addresses = page.locator("input[type=email]")
    if "rtl" in addresses.evaluate_all("fields => fields.map(field => getComputedStyle(field).direction)"):
        yield "an address is written from right to left"
    size = page.viewport_size
    assert size is not None
    narrow = NARROWEST if size["width"] < 1000 else size["width"] // 2  # as a desk's zoom to 200 % makes it
    page.set_viewport_size({"width": narrow, "height": size["height"]})
    yield from (f"is cut at {narrow} px: {element}" for element in page.evaluate(CUT))
    page.set_viewport_size(size)
    if size["width"] < 1000:  # where a phone's text is set to 200 %
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        yield from (f"is cut where text is twice as large: {element}" for element in page.evaluate(CUT))
        page.evaluate("document.documentElement.style.fontSize = ''")
    page.evaluate(SPACED)
    yield from (f"is cut where text is set loosely: {element}" for element in page.evaluate(CUT))
    page.evaluate("document.adoptedStyleSheets = []")


def come_round(page: Page, where: str) -> None:
    """Go round the whole page by Tab: each stop is seen, uncovered, and follows on the last one, as lines are read."""
    is_rtl = page.locator("html").get_attribute("dir") == "rtl"
    before: dict[str, list[float]] | None = None
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now is None:
            return
        assert now["seen"], f"{where}: the focus is not seen on {now['is']}"
        assert not now["covered"], f"{where}: something covers {now['is']}"
        if not now["follows"]:  # round once more
            assert "skip" in now["is"], f"{where}: {now['is']} stands before what had the focus"
            return
        if before and _on_one_line(before["box"], now["box"]):
            on = before["box"][0] >= now["box"][1] - 1 if is_rtl else before["box"][1] <= now["box"][0] + 1
            assert on, f"{where}: {now['is']} stands before {before['is']}"
        before = now if "skip" not in now["is"] else None  # which lies above the page
    raise AssertionError(f"{where}: Tab does not come round")


def _on_one_line(one: list[float], other: list[float]) -> bool:
    middles, heights = [(box[2] + box[3]) / 2 for box in (one, other)], [box[3] - box[2] for box in (one, other)]
    return abs(middles[0] - middles[1]) < min(heights) / 2


def press(page: Page, wanted: str, typed: dict[str, str] | None = None) -> None:
    """Go forward by Tab, type into the fields named, until what is wanted has the focus; then press Enter."""
    untyped = dict(typed or {})
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        name, is_wanted = page.evaluate(
            "wanted => [document.activeElement.name || '', document.activeElement.matches(wanted)]", wanted
        )
        if name in untyped:
            page.keyboard.press("Control+A")
            page.keyboard.press("Delete")
            page.keyboard.insert_text(untyped.pop(name))
        if is_wanted and not untyped:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


def the_summary_leads_to_its_fields(page: Page, where: str) -> None:
    """After an error the summary has the focus, and each of its links takes it to a field that says the same."""
    assert page.evaluate("document.activeElement.className") == "error-summary", where
    with override(page.locator("html").get_attribute("lang") or ""):
        assert page.title().startswith(gettext("Error: ")), where
    for link in page.locator(".error-summary a").all():
        link.press("Enter")
        field = (link.get_attribute("href") or "")[1:]
        assert page.evaluate("document.activeElement.id") == field, where
        assert page.locator(f"[id='{field}']").get_attribute("aria-invalid") == "true", where
        described = page.locator(f"[id='{field}']").get_attribute("aria-describedby") or ""
        said = [page.locator(f"[id='{one}']").inner_text() for one in described.split()]
        assert any(link.inner_text() in one for one in said), f"{where}: {said}"


def pages(page: Page, mailbox: Mailbox, language: str, email: str) -> Iterator[str]:
    """Walk a letter's way by keys alone; yield the name of each page."""
    page.goto(f"/{language}/kazakhstan-2011/")
    yield "campaign"
    press(page, "#write .button", {"sentence": "I keep bees, and I read about the strikers every morning."})
    yield "write"
    check = "form[data-keep] .button:not(.second, .quiet)"
    press(page, check, {"subject": "", "name": NAME})
    yield "write, with errors"
    the_summary_leads_to_its_fields(page, "write")
    press(page, check, {"subject": "A request before the jubilee", "name": f"{NAME} {NAME}", "email": email})
    yield "check"
    press(page, "#send")
    yield "confirm"
    press(page, "main form .button", {"code": "000000"})
    yield "confirm, with an error"
    the_summary_leads_to_its_fields(page, "confirm")
    page.goto(mailbox.wait_for(email).link)
    yield "link"
    press(page, "main form .button")
    yield "sent"
    press(page, "main .panel a.line")
    yield "status"
    press(page, "footer a[href*='/my/']")
    press(page, "main form .button", {"email": "no address"})
    yield "my data, with an error"
    page.goto(f"/{language}/nothing-here/")
    yield "no page"


@pytest.mark.parametrize(("language", "width", "dark", "scripts"), EVERYWHERE)
def test_a_letter_finds_its_way_and_every_page_can_be_used(
    open_page: OpenPage, mailbox: Mailbox, language: str, width: int, *, dark: bool, scripts: bool
) -> None:
    page = open_page(width=width, dark=dark, scripts=scripts)
    seen = page if scripts else open_page(width=width, dark=dark)  # axe is a script, and waits for others
    email = f"everywhere.{language}.{width}.{dark}.{scripts}@mail.example".lower()
    titles: set[str] = set()
    faults: dict[str, str] = {}  # each once, with the first page that has it
    for where in pages(page, mailbox, language, email):
        if not scripts:
            seen.set_content(page.content(), wait_until="domcontentloaded")
        look(seen, where)
        titles.add(page.title())
        for fault in faults_of(page, language):
            faults.setdefault(fault, where)
    assert not faults, "\n".join(f"{where}: {fault}" for fault, where in faults.items())
    assert len(titles) >= 8, titles


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [360, 1280])
def test_tab_comes_round_every_page_in_the_order_of_reading(
    open_page: OpenPage, mailbox: Mailbox, language: str, width: int
) -> None:
    page = open_page(width=width)
    for where in pages(page, mailbox, language, f"round.{language}.{width}@mail.example"):
        if "error" not in where:  # there the summary has the focus, which is looked at elsewhere
            page.reload()
            come_round(page, where)

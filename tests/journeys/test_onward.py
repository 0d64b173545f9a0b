"""On a phone the campaign page's button comes along past its form: never twice on the screen, never over the focus."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

SENTENCE = "My father worked on a rig."
# What of the two buttons is on the screen, in px, and whether the one that comes along lies over the focus.
SEEN = """() => {
    const seen = selector => {
        const box = document.querySelector(selector).getBoundingClientRect();
        return box.height ? Math.max(0, Math.min(box.bottom, innerHeight) - Math.max(box.top, 0)) : 0;
    };
    const bar = document.querySelector(".onward .taken").getBoundingClientRect();
    const focus = document.activeElement.getBoundingClientRect();
    return {form: seen("#write > .button"), along: seen(".onward .taken"), whole: bar.height,
            focus: document.activeElement.outerHTML.slice(0, 100),
            covered: bar.height > 0 && document.activeElement !== document.body
                && Math.min(bar.bottom, focus.bottom) > Math.max(bar.top, focus.top) + 0.5
                && !document.activeElement.contains(document.querySelector(".onward"))};
}"""

# Focus one stop of the page's end without scrolling, and scroll until another one stands at the foot of the screen.
UNDER = """([at, to]) => {
    const stops = document.querySelectorAll(".more summary, .more a");
    stops[at].focus({preventScroll: true});
    scrollBy(0, stops[to].getBoundingClientRect().bottom - innerHeight + 10);
    const bar = document.querySelector(".onward .taken").getBoundingClientRect();
    return bar.height > 0 && stops[to].getBoundingClientRect().bottom > bar.top;
}"""


def come(open_page: OpenPage, *, lang: str = "en", unfolded: bool = True, **how: Any) -> Page:
    """Open the campaign page on a phone of 640 px, all there is to read unfolded."""
    page = open_page(**how)
    page.set_viewport_size({"width": how.get("width", 360), "height": 640})
    page.goto(f"/{lang}/kazakhstan-2011/")
    if unfolded:
        page.evaluate("document.querySelectorAll('main .more details').forEach(one => one.open = true)")
    return page


def scrolled(page: Page) -> list[dict[str, Any]]:
    """Scroll through the whole page; return what is seen on the way."""
    found = []
    for at in range(0, page.evaluate("document.body.scrollHeight"), 40):
        page.evaluate(f"scrollTo(0, {at})")
        found.append(page.evaluate(SEEN))
    return found


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_it_comes_once_the_forms_own_button_has_left_the_screen(open_page: OpenPage, lang: str) -> None:
    seen = scrolled(come(open_page, lang=lang))
    assert seen[0]["along"] == 0
    assert any(one["form"] > 40 for one in seen)
    assert any(one["along"] == one["whole"] > 60 for one in seen)
    assert not [one for one in seen if one["form"] and one["along"]]


def test_where_little_follows_the_form_it_does_not_come(open_page: OpenPage) -> None:
    assert not [one for one in scrolled(come(open_page, unfolded=False)) if one["along"]]


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_it_never_takes_the_focus(open_page: OpenPage, lang: str) -> None:
    page = come(open_page, lang=lang)
    stops = []
    for _ in range(120):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(SEEN))
        if stops[-1]["focus"].startswith("<body"):
            break
    assert any(stop["along"] for stop in stops), "it was there to lie over something"
    assert not [stop["focus"] for stop in stops if stop["covered"]]
    assert sum('class="button"' in stop["focus"] for stop in stops) == 1, "the form's own"


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_what_takes_the_focus_under_it_is_moved_out(open_page: OpenPage, lang: str, key: str) -> None:
    """WCAG 2.4.11: also where the next stop is on the screen already, with the button over it."""
    page = come(open_page, lang=lang)
    last = page.evaluate("document.querySelectorAll('.more summary, .more a').length") - 1
    under = []
    for number in range(last):
        at, to = (number, number + 1) if key == "Tab" else (number + 1, number)
        was_under = page.evaluate(UNDER, [at, to])
        page.keyboard.press(key)
        seen = page.evaluate(SEEN)
        assert not seen["covered"], seen["focus"]
        under.append(was_under)
    assert any(under), "a stop was under it before"


@pytest.mark.parametrize("scripts", [True, False])
def test_it_is_the_forms_button_and_takes_the_sentence_along(open_page: OpenPage, *, scripts: bool) -> None:
    page = come(open_page, scripts=scripts)
    page.locator("#sentence").fill(SENTENCE)
    page.locator(".more details").last.scroll_into_view_if_needed()
    page.locator(".onward .button").click()
    page.wait_for_url("**/write/")
    expect(page.locator("[name=sentence]")).to_have_value(SENTENCE)


def test_whoever_listens_hears_one_button(open_page: OpenPage) -> None:
    page = come(open_page)
    expect(page.get_by_role("button", name="Write my letter")).to_have_count(1)


def test_it_is_for_phones_and_not_for_paper(open_page: OpenPage) -> None:
    page = come(open_page, width=700)
    assert not [one for one in scrolled(page) if one["along"]]
    page = come(open_page)
    page.emulate_media(media="print")
    assert not [one for one in scrolled(page) if one["along"]]

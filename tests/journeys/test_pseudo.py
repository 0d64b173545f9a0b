"""Every supporter page in a language that nobody speaks: nothing is left in English, nothing is cut on a phone."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, Page

from campaigns.models import Campaign, Partner
from letters.models import Delivery, Letter
from tests.journeys import pseudo
from tests.web.supporters.conftest import DANA, Dana, campaign, dana

__all__ = ["campaign", "dana"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

# What is not ours to translate: names, what people typed, and a campaign's own words, which are marked as another
# language. Everything else that a page says, to the eye or to a screen reader, is looked at.
SAID = """language => {
    const not_ours = "bdi, textarea, input, style, script, title, .letter, option[dir=auto], svg, "
        + "[lang]:not([lang='" + language + "'])";
    const said = [];
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest(not_ours)) said.push(walker.currentNode.data);
    for (const name of ["aria-label", "title", "placeholder", "alt"])
        for (const element of document.querySelectorAll("[" + name + "]"))
            if (!element.closest("bdi, svg")) said.push(element.getAttribute(name));
    return said;
}"""
CUT = """() => [...document.body.querySelectorAll("*")].filter(element => {
    const box = element.getBoundingClientRect(), look = getComputedStyle(element);
    if (element.closest(".unseen, .skip, svg, input, .languages ul") || !box.width) return false;
    const clipped = look.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1
        || look.overflowY === "hidden" && element.scrollHeight > element.clientHeight + 1;
    return clipped || box.left < -1 || box.right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 160))"""


@pytest.fixture
def languages(tmp_path: Path) -> Iterator[None]:
    """Offer both languages that nobody speaks."""
    pseudo.write(tmp_path)
    offered = [("en", "English"), (pseudo.LEFT_TO_RIGHT, "⟦→⟧"), (pseudo.RIGHT_TO_LEFT, "⟦←⟧")]
    with override_settings(LOCALE_PATHS=[tmp_path], LANGUAGES=offered):
        yield


def every_page(dana: Dana) -> Iterator[tuple[str, Any]]:
    """Walk the supporter's pages in all their states; yield the name of each, and the answer."""
    yield "campaign", dana.get(dana.home)
    Campaign.objects.update(is_compact=True)
    yield "campaign, with the letter", dana.get(dana.home)
    Campaign.objects.update(is_compact=False)
    yield "campaign, with an error", dana.post(f"{dana.home}{dana.ask().slug}/", {"sentence": "x" * 3000})
    write = dana.begin(1)
    yield "write, with a warning", dana.get(write)
    yield "write, empty", dana.post(write, {"subject": "", "body": "", "name": "", "email": "", "sentence": ""})
    yield "write, wrong", dana.post(write, {**DANA, "body": "x" * 30_000, "email": "a@b@c", "name": "a\nb"})
    check = dana.write()
    yield "check", dana.get(check)
    confirm = dana.post(check)["Location"]
    yield "confirm", dana.get(confirm)
    yield "confirm, wrong code", dana.post(confirm, {"code": "1"})
    yield "waiting", dana.get(dana.status())
    yield "link", dana.get(dana.link())
    sent = dana.press(dana.link())["Location"]
    yield "sent", dana.get(sent)
    yield "already", dana.get(dana.link())
    for columns in EVERY_STATE:
        Delivery.objects.update(**columns)
        yield f"status, {columns}", dana.get(dana.status())
    again = dana.get(sent.replace("/sent/", "/write/"))
    assert again.status_code == 303
    yield "no page", dana.get(f"{dana.home}no/such/page/at/all/")
    yield "foreign form", dana.post(write, {**DANA}, **{"sec-fetch-site": "cross-site"})
    yield "too large", dana.post(write, {"body": "x" * 300_000})
    Campaign.objects.update(paused_at=timezone.now())
    yield "status, resting", dana.get(dana.status())
    Letter.objects.update(sealed=b"")
    yield "status, erased", dana.get(dana.status())
    for ending in Campaign.Ending.values:
        Campaign.objects.update(stage="closed", ending=ending, closed_at=timezone.now())
        yield f"closed, {ending}", dana.get(dana.home)
    shown = f"/embed/{dana.campaign.slug}/?lang={dana.home[1:3]}"
    Campaign.objects.update(stage="open", ending="", closed_at=None)
    yield "a card on a partner's page", dana.get(shown)
    partner = Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    yield "the form on a partner's page", dana.get(f"{shown}&partner={partner.slug}")
    for ending in Campaign.Ending.values:
        Campaign.objects.update(stage="closed", ending=ending)
        yield f"a card of a closed campaign, {ending}", dana.get(shown)
    yield "no campaign", dana.browser.get("/", headers={"accept-language": dana.home[1:3]})


NOW = timezone.now()
EVERY_STATE: list[dict[str, Any]] = [
    {"state": "queued", "due_at": NOW + timedelta(hours=5)},
    {"state": "queued", "due_at": None},
    {"state": "queued", "attempts": 1, "due_at": NOW + timedelta(hours=5)},
    {"state": "held"},
    {"state": "sending", "lease_until": NOW, "token": "t"},
    {"state": "sent", "sent_at": NOW, "ended_at": NOW, "first_tried_at": NOW, "lease_until": None, "token": ""},
    {"state": "failed", "ended_at": NOW, "sent_at": None},
    {"state": "uncertain"},
    {"state": "cancelled", "ended_at": NOW, "reason": "withdrawn"},
]


def english(said: list[str], language: str) -> list[str]:
    """Return what was said in plain Latin letters; dates, zones and our own name are not English."""
    locale = Locale.parse(language)
    known = {"Postbag", "UTC", "Oil Workers' Aid", "Telegram", "WhatsApp", "Mastodon", "Bluesky", "Facebook"}
    for words in (locale.languages, locale.months["format"]["wide"], locale.periods, locale.list_patterns["standard"]):
        known |= {word.strip(" {}01,") for word in words.values()} - {""}
    words = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    found = []
    for text in said:
        rest = re.sub(rf"\b(?:{words})\b|%\(\w+\)s", "", " ".join(text.split()))
        if re.search(r"[A-Za-z]{2,}", rest):
            found.append(text.strip())
    return found


def show(page: Page, answer: HttpResponse) -> None:
    """Show an answer in the browser: the style sheet stands in it, and nothing else is needed."""
    page.set_content(answer.content.decode(), wait_until="domcontentloaded")


@pytest.mark.parametrize("language", [pseudo.LEFT_TO_RIGHT, pseudo.RIGHT_TO_LEFT])
def test_nothing_is_left_in_english_and_nothing_is_cut(
    chromium: Browser, dana: Dana, languages: None, language: str
) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    page = chromium.new_page(viewport={"width": 360, "height": 800}, java_script_enabled=True)
    faults: dict[str, str] = {}  # each once, with the first page that has it
    seen = 0
    for where, answer in every_page(dana):
        seen += 1
        show(page, answer)
        html = page.locator("html")
        if (html.get_attribute("lang"), html.get_attribute("dir")) != (
            language, "rtl" if language == pseudo.RIGHT_TO_LEFT else "ltr",
        ):  # fmt: skip
            faults[f"is in {html.get_attribute('lang')}, {html.get_attribute('dir')}"] = where
            continue
        for text in english(page.evaluate(SAID, language), language):
            faults.setdefault(f"is not translated: “{text}”", where)
        for element in page.evaluate(CUT):
            faults.setdefault(f"is cut or outside: {element}", where)
    page.close()
    assert not faults, "\n".join(f"{where}: {fault}" for fault, where in faults.items())
    assert seen > 25


def test_a_text_that_was_forgotten_would_be_seen(chromium: Browser) -> None:
    """The test is only as good as what it looks for."""
    page = chromium.new_page(viewport={"width": 360, "height": 800})
    month = Locale("eo").months["format"]["wide"][11]
    page.set_content(
        '<html lang="eo"><p>⟦Šéñđ⟧ Send it</p><p title="Read me">⟦š⟧</p><p lang="en">The campaign</p>'
        f'<p>⟦Ţö⟧ <bdi>Anna Lund</bdi> 3 {month} 2011</p>'
        '<div style="overflow:hidden;width:50px">'
        '<span style="white-space:nowrap">⟦very wide indeed, wider than that⟧</span></div></html>'
    )
    assert english(page.evaluate(SAID, "eo"), "eo") == [
        "⟦Šéñđ⟧ Send it", "⟦very wide indeed, wider than that⟧", "Read me"
    ]  # fmt: skip
    assert len(page.evaluate(CUT)) == 1
    page.close()

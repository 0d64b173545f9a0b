"""What supporters' pages weigh as they are sent, how many requests they need, and that nothing comes from elsewhere."""

import gzip
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from campaigns import dressing
from campaigns.models import Campaign, Partner
from letters import outbox, writing
from letters.models import Letter
from tests import parliament
from tests.letters import deeds
from tests.web.supporters.conftest import DANA, Dana, campaign, dana
from tests.web.supporters.test_paper import steps
from worker import supporter_mail

__all__ = ["campaign", "dana"]
pytestmark = pytest.mark.django_db

KB = 1024
LANGUAGES = ["en", "ru", "ar"]  # the shortest, the letters that weigh twice, the other direction
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src",
         "embed": "src", "object": "data", "link": "href", "input": "src", "track": "src"}  # fmt: skip
LINKS_ALONE = {"canonical", "alternate", "author", "license", "next", "prev", "help", "search"}
FROM_CSS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


@dataclass
class Page(HTMLParser):
    """A page as sent: its own bytes, its style sheet, and the addresses that a browser fetches for it."""

    name: str
    html: str
    sent: int
    fetched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read the page."""
        super().__init__()
        self.styles: list[str] = []
        self._in_style = False
        self.feed(self.html)
        for one, other in FROM_CSS.findall("".join(self.styles)):
            self._fetch(one or other)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what this element makes a browser fetch."""
        has = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.styles.append(has.get("style", ""))
        if tag in LOADS and not (tag == "link" and has.get("rel") in LINKS_ALONE):
            self._fetch(has.get(LOADS[tag], ""))
        for several in (has.get("srcset", ""), has.get("imagesrcset", "")):
            for one in several.split(","):
                self._fetch(one.strip().partition(" ")[0])
        self._fetch(has.get("poster", ""))
        assert not has.get("ping"), self.name

    def handle_data(self, data: str) -> None:
        """Keep the style sheet."""
        if self._in_style:
            self.styles.append(data)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  the parser names it
        """End the style sheet."""
        self._in_style = False

    def _fetch(self, address: str) -> None:
        if address and not address.startswith("data:"):
            self.fetched.add(address)

    @property
    def css(self) -> int:
        """The style sheet's share."""
        return packed("".join(self.styles))

    @property
    def scripts(self) -> int:
        """The scripts' bytes."""
        return sum(packed(script(address)) for address in self.fetched)

    @property
    def requests(self) -> int:
        """The page and what it fetches."""
        return 1 + len(self.fetched)

    @property
    def total(self) -> int:
        """Everything a first visit transfers."""
        return self.sent + self.scripts


def packed(text: str) -> int:
    """Return how many bytes a text weighs in transfer."""
    return len(gzip.compress(text.encode(), mtime=0))


def script(address: str) -> str:
    """Return one of our scripts by its address."""
    assert address.startswith("/static/js/"), f"{address} is not ours"
    return (Path(settings.STATICFILES_DIRS[0]) / address.removeprefix("/static/")).read_text(encoding="utf-8")


def weigh(
    dana: Dana,
    name: str,
    address: str,
    *,
    posted: dict[str, object] | None = None,
    site: str = "same-origin",
    language: str = "",
) -> Page:
    """Fetch a page as browsers do, packed; follow no redirect."""
    headers = {"accept-encoding": "gzip", "sec-fetch-site": site, "accept-language": language}
    client: Any = dana.browser
    ask = client.get if posted is None else client.post
    answer = ask(address, posted or {}, headers=headers)
    assert answer["Content-Type"].startswith("text/html"), name
    assert answer["Content-Encoding"] == "gzip", name
    assert not answer.cookies, name
    found = Page(name, gzip.decompress(answer.content).decode(), len(answer.content))
    assert f'lang="{dana.home[1:3]}"' in found.html, name
    return found


def within(page: Page, *, html: float, total: float, requests: int) -> bool:
    """Say yes; fail where a page weighs more than this many KB, or asks for more."""
    markup = page.sent - page.css
    said = f"{page.name}: {markup} + CSS {page.css} + scripts {page.scripts} bytes, {page.requests} requests"
    assert page.css <= 6 * KB, said
    assert markup <= html * KB, said
    assert page.total <= total * KB, said
    assert page.requests <= requests, said
    return True


def way(dana: Dana) -> Iterator[Page]:
    """Walk Dana's way from the first letter to its status; yield each page that has a form to fill."""
    nothing = {"subject": "", "body": "", "name": "", "email": "", "sentence": ""}
    yield weigh(dana, "write, with errors", dana.begin(), posted={**nothing})
    write = dana.begin()
    yield weigh(dana, "write", write)
    check = dana.post(write, {**DANA})["Location"]
    yield weigh(dana, "check", check)
    for name, address in zip(("print", "own mail"), steps(check), strict=True):
        yield weigh(dana, name, address)
    confirm = dana.post(check)["Location"]
    yield weigh(dana, "confirm", confirm)
    yield weigh(dana, "confirm, wrong code", confirm, posted={"code": "1"})
    yield weigh(dana, "link", dana.link())
    sent = dana.press(dana.link())["Location"]
    yield weigh(dana, "sent", sent)
    yield weigh(dana, "status", dana.status(), language=dana.home[1:3])
    yield weigh(dana, "warned", dana.begin(1))


def readers(dana: Dana) -> Iterator[Dana]:
    """Let Dana read in each of the languages."""
    for language in LANGUAGES:
        dana.home = f"/{language}/{dana.campaign.slug}/"
        yield dana


def test_the_campaigns_page_is_there_in_the_first_packets(dana: Dana) -> None:
    for reader in readers(dana):
        page = weigh(reader, "campaign", reader.home)
        assert page.sent <= 14 * KB, f"{page.sent} bytes"
        within(page, html=8, total=20, requests=5)
        for ask in reader.campaign.asks.all():
            within(weigh(reader, ask.slug, f"{reader.home}{ask.slug}/"), html=8, total=20, requests=5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_light(dana: Dana, language: str) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    seen = [page.name for page in way(dana) if within(page, html=8, total=14, requests=3)]
    assert len(seen) == 11


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_campaigns_look_and_logo_keep_every_page_within_its_budget(dana: Dana, alice: User, language: str) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    chance = random.Random(8)  # noqa: S311  what packs badly, as paths do
    heavy = " ".join(f"{chance.randrange(10_000) / 10}" for _ in range(1350))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99"><path d="M{heavy}"/></svg>'
    wished = {"accent": "#fec50c", "edge_1": "#00afca", "edge_2": "#1b2430", "voice": "sans"}
    dressing.save(campaign=dana.campaign, by=alice, values=wished, logo=svg.encode())
    page = weigh(dana, "campaign", dana.home)
    assert "--edge-1:#00afca" in page.html
    assert page.sent <= 14 * KB, f"{page.sent} bytes"
    logos = {address for address in page.fetched if address.startswith("/look/")}
    (logo,) = logos
    drawn = dana.browser.get(logo, headers={"accept-encoding": "gzip"})
    assert 7 * KB < len(gzip.decompress(drawn.content)) <= 8 * KB
    page.fetched -= logos
    within(page, html=8, total=20 - len(drawn.content) / KB, requests=4)
    for step in way(dana):
        within(step, html=8, total=14, requests=3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_on_the_campaigns_page_keeps_it_in_the_first_packets(dana: Dana, language: str) -> None:
    Campaign.objects.update(is_compact=True)
    dana.home = f"/{language}/{dana.campaign.slug}/"
    for address in (dana.home, f"{dana.home}performers/"):
        page = weigh(dana, "compact", address)
        assert page.sent <= 14 * KB, f"{page.sent} bytes"
        within(page, html=8, total=20, requests=5)
    drawn = re.findall(r'name="drawn" value="([^"]+)"', page.html)
    posted: dict[str, object] = {"drawn": drawn, "subject": "", "body": "", "name": "", "email": "", "sentence": ""}
    wrong = weigh(dana, "compact, with errors", f"{dana.home}performers/", posted=posted)
    assert "error-summary" in wrong.html
    within(wrong, html=8, total=14, requests=3)


def test_pages_that_say_what_went_wrong_are_one_request(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    dana.browser.raise_request_exception = False
    for reader in readers(dana):
        write = reader.begin()
        pages = [
            weigh(reader, "404", f"{reader.home}no/such/page/"),
            weigh(reader, "403", write, posted={**DANA}, site="cross-site"),
            weigh(reader, "413", write, posted={"body": "x" * 600_000}),
        ]
        with monkeypatch.context() as broken:
            broken.setattr(writing, "read", _raise)
            pages.append(weigh(reader, "500", write, posted={**DANA}))
        for page in pages:
            within(page, html=8, total=8, requests=1)


def _raise(letter: Letter) -> None:
    raise RuntimeError


def test_choosing_among_720_people_is_light(alice: User) -> None:
    for reader in readers(Dana(parliament.a_parliament_campaign(alice))):
        for mode in ("suggested", "by-country", "up-to"):
            answer = reader.post(f"{reader.home}{mode}/", {"sentence": "", "country": "DE", "then": "to"})
            page = weigh(reader, f"to, {mode}", answer["Location"])
            within(page, html=30, total=40, requests=4)


def test_the_form_on_a_partners_page_and_the_script_that_makes_room_for_it_are_light(dana: Dana) -> None:
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    for reader in readers(dana):
        shown = f"/embed/{reader.campaign.slug}/?lang={reader.home[1:3]}"
        for name, address in (("form", f"{shown}&partner=ports"), ("card", shown)):
            page = weigh(reader, name, address)
            within(page, html=8, total=22, requests=3)
            assert page.scripts <= 6 * KB
    loader = dana.browser.get("/embed/postbag.js", headers={"accept-encoding": "gzip"})
    assert len(loader.content) <= 1.5 * KB


def test_a_partners_consent_line_adds_little_to_each_step(dana: Dana) -> None:
    line = "The Port Workers may write to me about strikes. ".ljust(200, "ß")
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", consent_line=line)
    for reader in readers(dana):
        posted = {"partner": "ports", "lang": reader.home[1:3]}
        write = reader.post(f"/embed/{reader.campaign.slug}/{reader.ask().slug}/", posted)["Location"]
        page = weigh(reader, "write", write)
        mark = re.findall(r'name="partner_mail" value="([0-9a-f]+)"', page.html)
        within(page, html=8, total=14, requests=3)
        check = reader.post(write, {**DANA, "partner_mail": mark})["Location"]
        within(weigh(reader, "check", check), html=8, total=14, requests=3)
        confirm = reader.post(check.partition("?")[0], {"partner_mail": mark})["Location"]
        for name, address in (("confirm", confirm), ("link", reader.link())):
            page = weigh(reader, name, address)
            assert line in page.html, name
            within(page, html=8, total=14, requests=3)


def test_the_page_of_a_closed_campaign_is_light(dana: Dana) -> None:
    for ending in Campaign.Ending.values:
        Campaign.objects.update(stage="closed", ending=ending)
        for reader in readers(dana):
            within(weigh(reader, ending, reader.home), html=8, total=14, requests=3)


def test_all_scripts_that_supporters_can_meet_weigh_little() -> None:
    pages = [*settings.ROOT.glob("templates/pages/supporters/*.html"), settings.ROOT / "templates/pages/base.html",
             *settings.ROOT.glob("templates/pages/e[mr]*/*.html")]  # fmt: skip
    named = set(re.findall(r"static\('(js/[^']+)'\)", "".join(one.read_text(encoding="utf-8") for one in pages)))
    assert "js/choosing.js" in named
    assert sum(packed(script(f"/static/{one}")) for one in {*named, "js/embed.js"}) <= 6 * KB


def test_mail_loads_nothing_and_leads_nowhere_but_here(dana: Dana) -> None:
    dana.confirm()
    confirmation = supporter_mail.compose(dana.notice(), DANA["email"])
    letters = list(deeds.composed(_claimed()).values())
    assert letters
    for message in (confirmation, *letters):
        mail = message_from_bytes(message.data, policy=policy.default)
        assert [part.get_content_type() for part in mail.walk()] == ["text/plain"]
    said = message_from_bytes(confirmation.data, policy=policy.default).get_content()
    links = re.findall(r"\w+://\S+", said)
    assert links
    assert all(link.startswith(f"{settings.BASE_URL}/") for link in links)


def _claimed() -> Any:
    return outbox.claim(limit=3)


def test_what_comes_from_elsewhere_would_be_seen() -> None:
    """The tests are only as good as what they look for."""
    html = (
        '<link rel="stylesheet" href="//cdn.example/a.css"><style>a { b: url(https://f.example/f) }</style>'
        '<img srcset="https://i.example/1 1x, /i.png 2x" src="data:,"><a href="https://a.example">'
        '<link rel="canonical" href="https://c.example"><p style="background: url(\'https://s.example/\')">'
    )
    page = Page("x", html, 0)
    assert page.fetched == {
        "//cdn.example/a.css", "https://f.example/f", "https://i.example/1", "/i.png", "https://s.example/"
    }  # fmt: skip
    with pytest.raises(AssertionError, match="is not ours"):
        _ = page.scripts

"""Simulated supporters: they write through the same deeds as the pages, every tenth through the pages themselves."""

import http.client
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from bs4 import BeautifulSoup
from django.utils import timezone

from campaigns.models import Ask, Campaign
from config.rehearsal import own_words
from letters import notices, tokens, writing
from letters.models import Letter, Notice
from postbox.store import Store, read

THROUGH_THE_PAGES = 10  # every tenth
MAIL_WITHIN = 60.0  # seconds until a confirmation mail must have come

_GIVEN = (
    "Ada", "Björn", "Chloé", "Dmytro", "Eleni", "Fatma", "Grzegorz", "Hana", "Íris", "Jürgen", "Kateřina", "Łukasz",
    "Małgorzata", "Niamh", "Ömer", "Péter", "Renée", "Søren", "Þóra", "Vasilij", "Жанар", "Ерлан", "Ξένια", "مريم",
)  # fmt: skip
_FAMILY = (
    "Bell", "Åkesson", "Côté", "D'Arcy", "Erdoğan", "Fernández", "Grün", "Højgaard", "Iván-Kiss", "Jóhannsdóttir",
    "Kovač", "Lévesque", "Müller", "Nowak", "O'Neill", "Popescu", "Quintão", "Růžička", "Şahin", "Turner",
    "Ибраева", "Παπαδάκη",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What a simulated supporter wrote: what the receiving side is compared with."""

    name: str
    own: tuple[str, ...] = ()  # their own paragraph, and what they put in elsewhere


@dataclass
class Crowd:
    """The supporters of one rehearsal; the same seed gives the same people."""

    campaign: Campaign
    store: Store
    own_words: float  # share of the letters that are put into own words
    port: int
    seed: int = 2011
    written: dict[int, Written] = field(default_factory=dict)  # by letter id
    through_pages: int = 0

    def write(self, number: int) -> int:
        """Let supporter `number` write every letter of the campaign and confirm; return how many letters."""
        chance = random.Random(f"{self.seed}:{number}")
        name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
        writer = Writer(name, f"supporter.{number}@mail.example", own_words.town(chance), chance, self.own_words)
        if number % THROUGH_THE_PAGES == 0:
            letters = list(Visit(self.port, self.store, self.campaign, writer).letters())
            self.through_pages += 1
        else:
            letters = list(self._by_deeds(writer))
        for letter, own in letters:
            self.written[letter.pk] = Written(name, own)
        return len(letters)

    def _asks(self) -> list[Ask]:
        return list(self.campaign.asks.select_related("campaign__organisation", "target_list"))

    def _by_deeds(self, writer: "Writer") -> Iterator[tuple[Letter, tuple[str, ...]]]:
        before: Letter | None = None
        for ask in self._asks():
            now = timezone.now()
            own = writer.opening()
            letter = writing.begin(
                ask=ask, language="en", now=now, sentence=own, after=before, proven=before is not None
            )
            body, added = writer.edit(writing.read(letter).body, own)
            writing.revise(letter, posted={**writer.details(), "body": body}, now=now)
            if not writing.submit(letter, now=now):
                notice = notices.open_confirmation(letter)
                assert notice is not None, "no confirmation was queued"  # noqa: S101
                writing.confirm_by_link(notice, chosen=None, now=timezone.now())
            before = letter
            yield letter, added


@dataclass
class Writer:
    """One simulated supporter, and how they write."""

    name: str
    email: str
    town: str
    chance: random.Random
    own_words: float  # how likely they are to put a letter into their own words

    def details(self) -> dict[str, str]:
        """Return what a form asks about them."""
        return {"name": self.name, "email": self.email, "town": self.town}

    def opening(self) -> str:
        """Return their own paragraph for a letter; empty where they send it as it is."""
        return own_words.paragraph(self.chance) if self.chance.random() < self.own_words else ""

    def edit(self, body: str, opening: str) -> tuple[str, tuple[str, ...]]:
        """Return the body as they leave it, and every passage in it that is their own."""
        if not opening:
            return body, ()
        body, added = own_words.edited(body, self.chance)
        return body, (opening, *added)


class PageFailed(Exception):
    """A page did not answer as a supporter needs it to."""


@dataclass
class Visit:
    """One supporter's visit to the pages, as a browser without scripts or cookies would make it."""

    port: int
    store: Store
    campaign: Campaign
    writer: Writer

    def letters(self) -> Iterator[tuple[Letter, tuple[str, ...]]]:
        """Write and confirm every letter; yield each with what is their own in it."""
        slug, after = self.campaign.slug, ""
        for ask in self.campaign.asks.all():
            self._get(f"/en/{slug}/")
            own = self.writer.opening()
            write = self._post(f"/en/{slug}/{ask.slug}/", {"sentence": own, "after": after})
            form = _filled(self._get(write))
            body, added = self.writer.edit(form["body"], own)
            check = self._post(write, {**form, **self.writer.details(), "body": body})
            self._get(check)
            arrived = self._post(check, {"send": "yes"})
            letter = self._letter(write)
            if "/confirm/" in arrived:
                arrived = self._confirm(arrived, letter)
            page = self._get(arrived)
            after = _filled(page).get("after", "")
            yield letter, added

    def _confirm(self, page: str, letter: Letter) -> str:
        """Confirm by the code or by the link, as the mail offers both."""
        code, link = self._mail(letter)
        if letter.pk % 2:
            return self._post(page, {"code": code})
        self._get(link)
        return self._post(link, {"confirm": "yes", **_filled(self._get(link))})

    def _mail(self, letter: Letter) -> tuple[str, str]:
        until = time.monotonic() + MAIL_WITHIN
        while time.monotonic() < until:
            for entry in self.store.letters_in(self.writer.email, limit=5, offset=0):
                whole = self.store.get(entry.id)
                text = read(whole.raw).text if whole else ""
                code = re.search(r"\b(\d{3}) ?(\d{3})\b", text)
                link = re.search(r"https?://\S+/confirm/\S+/", text)
                if code and link:
                    return code[1] + code[2], urlsplit(link[0]).path
            time.sleep(0.05)
        state = Notice.objects.filter(letter=letter).values_list("state", flat=True).first()
        raise PageFailed(f"no confirmation mail came to {self.writer.email} (its state: {state})")

    def _letter(self, path: str) -> Letter:
        token = path.partition("/draft/")[2].partition("/")[0]
        found = writing.find((tokens.DRAFT, tokens.PROVEN), token)
        if found is None:
            raise PageFailed(f"{path} names no letter")
        return found[0]

    def _get(self, path: str) -> BeautifulSoup:
        status, _, body = self._ask("GET", path, b"")
        if status != http.HTTPStatus.OK:
            raise PageFailed(f"GET {path} answered {status}")
        return BeautifulSoup(body, "html.parser")

    def _post(self, path: str, values: dict[str, str]) -> str:
        status, location, body = self._ask("POST", path, urlencode(values).encode())
        if status not in {http.HTTPStatus.FOUND, http.HTTPStatus.SEE_OTHER} or not location:
            said = BeautifulSoup(body, "html.parser").find("title")
            raise PageFailed(f"POST {path} answered {status}: {said.get_text(strip=True) if said else ''}")
        return urlsplit(location).path

    def _ask(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Host": f"localhost:{self.port}"}
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            line.request(method, path, body=body or None, headers=headers)
            answer = line.getresponse()
            return answer.status, answer.getheader("Location") or "", answer.read()
        finally:
            line.close()


def _filled(page: BeautifulSoup) -> dict[str, str]:
    """Return what the page's main form would post as it stands (without buttons)."""
    values: dict[str, str] = {}
    for form in page.select("main form"):
        for item in form.select("input[name], textarea[name]"):
            kind = str(item.get("type", "text"))
            if kind in {"submit", "button"} or (kind in {"checkbox", "radio"} and not item.has_attr("checked")):
                continue
            text = item.get_text() if item.name == "textarea" else str(item.get("value", ""))
            values.setdefault(str(item["name"]), text.removeprefix("\n"))
        if values:
            break
    return values

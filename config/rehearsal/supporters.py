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
_TOWNS = ("Ghent", "Łódź", "Århus", "Málaga", "Linz", "Brno", "Cork", "Turku", "Plovdiv", "Győr", "Tartu", "Graz")
_WHO = (
    "My father worked on a rig", "I am a nurse", "I teach chemistry", "I drive a bus", "We run a small bakery",
    "I am a welder", "I have just finished school", "My sister lives near the Caspian Sea", "I am retired now",
    "I repair bicycles", "I sing in a choir", "I study law", "I once went on strike myself", "I keep bees",
)  # fmt: skip
_AND = (
    "and I know what it means to lose one's wages", "and safety at work was never given to us for nothing",
    "and I read about the strikers every evening", "and a fair trial matters to me",
    "and nobody should go to prison for giving advice", "and I would want somebody to speak for me",
    "and I cannot look away", "and my colleagues feel the same", "and I pay attention to what you say in public",
    "and I remember how much a visit from abroad can change", "and I was moved by the families' letters",
)  # fmt: skip
_SO = (
    "That is why I write to you.", "Please think of them on that day.", "It would mean a lot to many of us here.",
    "I hope that you will find the words.", "We talk about it at work.", "I would be proud of you.",
    "My neighbours asked me to add their greetings.", "I tell my children why this matters.",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What a simulated supporter wrote: what the receiving side is compared with."""

    name: str
    sentence: str


@dataclass
class Crowd:
    """The supporters of one rehearsal; the same seed gives the same people."""

    campaign: Campaign
    store: Store
    own_words: float  # share of those who add a sentence of their own
    port: int
    seed: int = 2011
    written: dict[int, Written] = field(default_factory=dict)  # by letter id
    through_pages: int = 0

    def write(self, number: int) -> int:
        """Let supporter `number` write every letter of the campaign and confirm; return how many letters."""
        chance = random.Random(f"{self.seed}:{number}")
        name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
        town = chance.choice(_TOWNS)
        email = f"supporter.{number}@mail.example"
        sentences = [self._sentence(chance, number) for _ in self._asks()]
        if number % THROUGH_THE_PAGES == 0:
            letters = list(Visit(self.port, self.store, self.campaign, name, email, town, sentences).letters())
            self.through_pages += 1
        else:
            letters = list(self._by_deeds(name, email, town, sentences))
        for letter, sentence in zip(letters, sentences, strict=True):
            self.written[letter.pk] = Written(name, sentence)
        return len(letters)

    def _asks(self) -> list[Ask]:
        return list(self.campaign.asks.select_related("campaign__organisation", "target_list"))

    def _by_deeds(self, name: str, email: str, town: str, sentences: list[str]) -> Iterator[Letter]:
        before: Letter | None = None
        for ask, sentence in zip(self._asks(), sentences, strict=True):
            now = timezone.now()
            letter = writing.begin(
                ask=ask, language="en", now=now, sentence=sentence, after=before, proven=before is not None
            )
            writing.revise(letter, posted={"name": name, "email": email, "town": town}, now=now)
            if not writing.submit(letter, now=now):
                notice = notices.open_confirmation(letter)
                assert notice is not None, "no confirmation was queued"  # noqa: S101
                writing.confirm_by_link(notice, chosen=None, now=timezone.now())
            before = letter
            yield letter

    def _sentence(self, chance: random.Random, number: int) -> str:
        if chance.random() >= self.own_words:
            return ""
        parts = [f"{chance.choice(_WHO)} in {chance.choice(_TOWNS)} {chance.choice(_AND)}."]
        parts += chance.sample(_SO, k=chance.randint(1, 3))
        if number % 3 == 0:
            parts.insert(1, f"For {chance.randint(2, 40)} years I have followed the news from there.")
        return " ".join(parts)


class PageFailed(Exception):
    """A page did not answer as a supporter needs it to."""


@dataclass
class Visit:
    """One supporter's visit to the pages, as a browser without scripts or cookies would make it."""

    port: int
    store: Store
    campaign: Campaign
    name: str
    email: str
    town: str
    sentences: list[str]

    def letters(self) -> Iterator[Letter]:
        """Write and confirm every letter; yield them."""
        slug, after = self.campaign.slug, ""
        for ask, sentence in zip(self.campaign.asks.all(), self.sentences, strict=True):
            self._get(f"/en/{slug}/")
            write = self._post(f"/en/{slug}/{ask.slug}/", {"sentence": sentence, "after": after})
            page = self._get(write)
            check = self._post(write, {
                **_filled(page), "name": self.name, "email": self.email, "town": self.town,
            })  # fmt: skip
            self._get(check)
            arrived = self._post(check, {"send": "yes"})
            letter = self._letter(write)
            if "/confirm/" in arrived:
                arrived = self._confirm(arrived, letter)
            page = self._get(arrived)
            after = _filled(page).get("after", "")
            yield letter

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
            for entry in self.store.letters_in(self.email, limit=5, offset=0):
                whole = self.store.get(entry.id)
                text = read(whole.raw).text if whole else ""
                code = re.search(r"\b(\d{3}) ?(\d{3})\b", text)
                link = re.search(r"https?://\S+/confirm/\S+/", text)
                if code and link:
                    return code[1] + code[2], urlsplit(link[0]).path
            time.sleep(0.05)
        state = Notice.objects.filter(letter=letter).values_list("state", flat=True).first()
        raise PageFailed(f"no confirmation mail came to {self.email} (its state: {state})")

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

"""Each line of an error summary leads to an element that is there, can be gone to, and says the same."""

from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import User
from campaigns.models import Ask, Campaign, Partner
from letters import choosing, drafts
from letters.models import Delivery, Letter
from targets.models import Address, Target
from tests import parliament
from tests.web.supporters.conftest import DANA, Dana, page
from web import throttling

_VOID = {"input", "meta", "link", "br", "path", "circle"}
_GONE_TO = {"input", "textarea", "select", "button", "a"}
TOO_LONG = "word " * 1000


@dataclass
class Element:
    """An element with an id: how it stands in the page and what it says."""

    tag: str
    attributes: dict[str, str]
    within: list["Element"]  # what it stands in, also without an id
    text: str = ""


class Summary(HTMLParser):
    """What a page's error summary says (id → sentence), and the elements with an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[Element] = []
        self.known: dict[str, Element] = {}
        self.lines: dict[str, str] = {}
        self._line = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self.open))
        if "id" in element.attributes:
            assert element.attributes["id"] not in self.known, "each id once"
            self.known[element.attributes["id"]] = element
        in_summary = any("error-summary" in one.attributes.get("class", "").split() for one in self.open)
        self._line = element.attributes.get("href", "")[1:] if in_summary and tag == "a" else self._line
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self.open):
            while self.open.pop().tag != tag:
                pass
        self._line = "" if tag == "a" else self._line

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data
        if self._line:
            self.lines[self._line] = self.lines.get(self._line, "") + data

    def says(self, element: Element, sentence: str) -> bool:
        """Return whether an element says it itself, or something that describes it, or the group that it is in."""
        for one in (element, *(group for group in element.within if group.tag == "fieldset")):
            described = one.attributes.get("aria-describedby", "").split()
            said = any(sentence in self.known[name].text for name in described)
            if said and (one.attributes.get("aria-invalid") == "true" or one.tag == "button"):
                return True
        return element.tag not in _GONE_TO and sentence in element.text


def leads_to(answer: HttpResponse, status: int = 422) -> set[str]:
    """Check every line of a page's summary; return where they lead."""
    assert answer.status_code == status
    found = Summary(page(answer))
    assert found.lines, "there is no summary"
    for name, sentence in found.lines.items():
        assert name in found.known, f"#{name} is not there: {sentence}"
        element = found.known[name]
        assert element.tag in _GONE_TO or element.attributes.get("tabindex") == "-1", f"#{name} cannot be gone to"
        assert found.says(element, sentence), f"#{name} does not say: {sentence}"
    return set(found.lines)


def test_where_a_letter_begins(dana: Dana) -> None:
    ask = f"{dana.home}{dana.ask().slug}/"
    assert leads_to(dana.post(ask, {"sentence": TOO_LONG})) == {"sentence"}
    Ask.objects.update(mode=Ask.Mode.BY_COUNTRY, suggested_targets=1)
    assert leads_to(dana.post(ask, {"sentence": TOO_LONG})) == {"sentence", "country"}
    assert leads_to(dana.post(ask, {"country": "DE", "named-for": "DE", "to": "nobody"})) == {"to"}
    Address.objects.update(status=Address.Status.DEAD)
    refused = dana.post(ask, {"sentence": TOO_LONG, "to": "nobody", "named-for": ""})
    assert leads_to(refused) == {"sentence", "to"}
    assert TOO_LONG.strip() in page(refused), "nothing typed is lost"


def test_where_a_letter_begins_in_a_partners_frame(dana: Dana) -> None:
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    Ask.objects.update(mode=Ask.Mode.BY_COUNTRY, suggested_targets=1)
    frame = f"/embed/{dana.campaign.slug}/{dana.ask().slug}/"
    posted = {"partner": "ports", "sentence": TOO_LONG}
    assert leads_to(dana.post(frame, posted)) == {"sentence", "country"}
    assert leads_to(dana.post(frame, {**posted, "to": "nobody", "named-for": ""})) == {"sentence", "to"}
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(frame, {**posted, "to": "nobody", "named-for": ""})) == {"sentence", "to"}


def test_writing(dana: Dana) -> None:
    Ask.objects.update(shows_town=True)
    wrong = {"sentence": TOO_LONG, "subject": "", "body": "", "name": "", "email": "dana@", "town": "Leip\ufffdig"}
    assert leads_to(dana.post(dana.begin(), wrong)) == set(wrong)


def test_choosing(dana: Dana) -> None:
    Ask.objects.update(mode=Ask.Mode.UP_TO, most_targets=2, suggested_targets=1)
    step = dana.begin(then="to")
    assert leads_to(dana.post(step, {})) == {"to"}
    Target.objects.update(post=None)
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(step, {})) == {"take"}


def test_checking_what_nobody_can_get(dana: Dana) -> None:
    step = dana.write()
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(step)) == {"to"}


def test_confirming_by_code(dana: Dana) -> None:
    assert leads_to(dana.post(dana.send(), {"code": ""})) == {"code"}


def test_confirming_by_link(dana: Dana) -> None:
    dana.send()
    addresses = dict(Address.objects.values_list("pk", "status"))
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.press(dana.link())) == {"letter"}
    for pk, status in addresses.items():
        Address.objects.filter(pk=pk).update(status=status)
    dana.send()
    link = dana.link()
    assert leads_to(dana.press(link)) == {"letter"}
    both = [str(pk) for pk in Letter.objects.values_list("pk", flat=True)]
    refused = dana.press(link, {"letter": both})
    assert leads_to(refused) == {"letter"}
    assert page(refused).count(" checked") == 2, "what was ticked stays"


@pytest.mark.parametrize("is_sent", [False, True])
def test_printing(dana: Dana, is_sent: bool) -> None:
    here = dana.write().replace("/check/", "/print/")
    if is_sent:
        dana.confirm()
        here = f"{dana.status()}print/"
    assert leads_to(dana.post(here)) == {"to"}
    assert leads_to(dana.post(f"{here}letters.pdf", {"address": "\n".join("abcdefg")})) == {"to", "address"}
    Target.objects.update(post=None)
    assert dana.post(f"{here}letters.pdf")["Location"] == here, "which says that nobody has a postal address"
    answer = dana.post(here)
    assert answer.status_code == 200
    assert not Summary(page(answer)).lines


def test_noting_a_reply(dana: Dana) -> None:
    dana.confirm()
    replied = {"deed": "replied", "kind": "real", "target": "nobody"}
    assert dana.post(dana.status(), replied)["Location"] == dana.status(), "nobody can have answered yet"
    first = Delivery.objects.order_by("pk")[0].pk
    Delivery.objects.filter(pk=first).update(state="sent", sent_at=timezone.now(), ended_at=timezone.now())
    assert leads_to(dana.post(dana.status(), replied)) == {"target"}
    Delivery.objects.update(state="sent", sent_at=timezone.now(), ended_at=timezone.now())
    assert leads_to(dana.post(dana.status(), replied)) == {"target"}
    assert leads_to(dana.post(dana.status(), {**replied, "kind": ""})) == {"kind"}


def test_being_told_once_and_asking_for_ones_data(dana: Dana) -> None:
    assert leads_to(dana.post("/my/", {"email": "dana@"})) == {"email"}
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    assert leads_to(dana.post(f"{dana.home}once/", {"email": "dana@"})) == {"email"}


@pytest.fixture
def _busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody send right now."""
    monkeypatch.setattr(throttling.must_wait, "__kwdefaults__", {"most": 0})


@pytest.mark.usefixtures("_busy")
def test_a_standard_letter_that_has_to_wait_leads_to_its_button(dana: Dana) -> None:
    write = dana.begin(sentence="")
    check = dana.post(write, DANA)["Location"]
    answer = dana.post(check)
    assert leads_to(answer, 429) == {"send"}
    assert "Send as it is" in page(answer)


@pytest.mark.usefixtures("_busy")
def test_a_letter_that_has_to_wait_and_that_nobody_can_get_leads_to_whom_it_is_for(dana: Dana) -> None:
    check = dana.write()
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(check), 429) == {"to"}


def test_a_letter_sent_meanwhile_from_another_page_leads_to_where_that_is_said(
    dana: Dana, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = dana.begin()

    def sent_meanwhile(letter: Letter, content: Any) -> None:
        keep(letter, content)
        Letter.objects.update(stage=Letter.Stage.AWAITING)

    keep = drafts.keep
    monkeypatch.setattr(drafts, "keep", sent_meanwhile)
    answer = dana.post(write, DANA)
    assert leads_to(answer) == {"letter"}


def test_a_town_that_this_letter_does_not_ask_for_leads_to_where_it_is_named(dana: Dana) -> None:
    answer = dana.post(dana.begin(1), {**DANA, "town": "a\nb"})
    assert leads_to(answer) == {"town"}


def test_a_choice_that_was_changed_meanwhile_leads_to_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 3}))
    write = dana.post(f"{dana.home}suggested/", {})["Location"]
    check = dana.post(write, {**DANA, "body": "A whole sentence of mine."})
    assert check.status_code == 303, page(check)
    seen = iter([True])
    monkeypatch.setattr(choosing, "fits", lambda *_args: next(seen, False))  # changed between two looks
    answer = dana.post(check["Location"])
    assert leads_to(answer) == {"to"}


def test_where_there_is_nobody_to_choose_the_summary_leads_to_the_button(alice: User) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 3}))
    to = dana.post(f"{dana.home}suggested/", {"then": "to"})["Location"]
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(to, {})) == {"take"}


def test_a_sentence_that_is_too_long_leads_somewhere_also_where_nobody_can_get_a_letter(dana: Dana) -> None:
    posted = {"sentence": "word " * 500}
    assert leads_to(dana.post(f"{dana.home}leaders/", posted)) == {"sentence"}
    Address.objects.update(status=Address.Status.DEAD)
    assert leads_to(dana.post(f"{dana.home}leaders/", posted)) == {"sentence"}, "it can be posted"
    Target.objects.update(post=None)
    assert leads_to(dana.post(f"{dana.home}leaders/", posted)) == {"sentence"}

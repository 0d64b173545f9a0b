"""Dana at the demonstration campaign's pages, with a browser that keeps what she is given."""

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from html import unescape
from typing import Any, cast

import pytest
from django.apps import apps
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organisation
from campaigns.demonstration.loading import load
from campaigns.models import Ask, Campaign
from letters import tokens, writing
from letters.composing import Content
from letters.models import Letter, Notice
from letters.privacy import new_wrapped_key

DANA = {"name": "Dana Writer", "email": "dana@mail.example", "town": "Leipzig"}
SENTENCE = "My grandfather worked on the oil fields, and I know what a strike in winter means."


class Dana:
    """A supporter in a browser: every step is a request, every answer a page."""

    def __init__(self, campaign: Campaign) -> None:
        self.browser = Client(enforce_csrf_checks=True)
        self.campaign = campaign
        self.home = f"/en/{campaign.slug}/"

    def ask(self, position: int = 0) -> Ask:
        """Return one of the campaign's asks, in order."""
        return self.campaign.asks.all()[position]

    def get(self, address: str) -> HttpResponse:
        """Open an address."""
        return cast("HttpResponse", self.browser.get(address))

    def post(self, address: str, fields: Mapping[str, object] | None = None, **headers: str) -> HttpResponse:
        """Send a form as this site's own page would."""
        return cast(
            "HttpResponse",
            self.browser.post(address, fields or {}, headers={"sec-fetch-site": "same-origin", **headers}),
        )

    def press(self, address: str, fields: Mapping[str, object] | None = None) -> HttpResponse:
        """Look at the page and send its form, hidden fields and all, as a browser does."""
        shown = re.findall(r'<input type="hidden" name="(shown-[0-9]+)" value="([^"]*)"', page(self.get(address)))
        return self.post(address, {**dict(shown), **(fields or {})})

    def begin(self, position: int = 0, **fields: str) -> str:
        """Begin a letter; return the address of the page to write it on."""
        answer = self.post(f"{self.home}{self.ask(position).slug}/", {"sentence": SENTENCE, **fields})
        assert answer.status_code == 303, page(answer)
        return answer["Location"]

    def write(self, position: int = 0, **changes: str) -> str:
        """Write a whole letter; return the address of the page to check it on."""
        address = self.begin(position)
        answer = self.post(address, {**DANA, **changes})
        assert answer.status_code == 303, page(answer)
        return answer["Location"]

    def send(self, position: int = 0, **changes: str) -> str:
        """Write and send a letter; return the address that waits for the mail."""
        answer = self.post(self.write(position, **changes))
        assert answer.status_code == 303
        return answer["Location"]

    def confirm(self, position: int = 0, **changes: str) -> str:
        """Write, send and confirm a letter by its code; return the address of the sent page."""
        answer = self.post(self.send(position, **changes), {"code": self.code()})
        assert answer.status_code == 303
        return answer["Location"]

    def notice(self) -> Notice:
        """Return the newest mail."""
        return Notice.objects.select_related("supporter").latest("id")

    def code(self) -> str:
        """Return the six digits of the newest mail."""
        return tokens.code(bytes(self.notice().key))

    def link(self) -> str:
        """Return the address in the newest mail."""
        return f"{self.home}confirm/{tokens.make(tokens.CONFIRM, bytes(self.notice().key))}/"

    def letter(self) -> Letter:
        """Return the newest letter."""
        return Letter.objects.select_related("campaign", "ask", "template", "supporter").latest("id")

    def content(self) -> Content:
        """Return what the newest letter holds."""
        return writing.read(self.letter())

    def status(self) -> str:
        """Return the address of the newest letter's status."""
        return f"/letter/{tokens.make(tokens.STATUS, bytes(self.letter().key))}/"


def page(answer: Any) -> str:
    """Return a page as read: entities resolved."""
    return unescape(str(answer.content.decode()))


def values(answer: HttpResponse) -> dict[str, str]:
    """Return the values of a page's fields by name."""
    html = answer.content.decode()
    found = {
        re.search(r'name="([^"]*)"', tag)[1]: unescape(re.search(r'value="([^"]*)"', tag)[1])  # type: ignore[index]
        for tag in re.findall(r"<input [^>]*>", html)
        if "name=" in tag and "value=" in tag
    }
    for name, text in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL):
        found[name] = unescape(text)
    return found


def one_h1(answer: Any) -> str:
    """Return the page's only first heading."""
    headings = re.findall(r"<h1[^>]*>(.*?)</h1>", page(answer), re.DOTALL)
    assert len(headings) == 1, headings
    return str(headings[0])


_loaded: list[tuple[type[Model], list[Model]]] = []  # the demonstration's rows, so that it is read once


@pytest.fixture
def campaign(db: None) -> Campaign:
    """Return the demonstration campaign, open."""
    if not _loaded:
        organisation = Organisation.objects.create(name="Oil Workers' Aid")
        at = datetime(2011, 11, 23, 10, tzinfo=UTC)
        load(organisation=organisation, by=None, wrapped_key=new_wrapped_key(), now=at)
        for label in ("accounts", "targets", "campaigns"):
            for model in apps.get_app_config(label).get_models():
                _loaded.append((model, list(model._default_manager.all())))  # noqa: PERF401  reads better
    else:
        for model, rows in _loaded:
            model._default_manager.bulk_create(deepcopy(rows))
    return Campaign.objects.get()


@pytest.fixture
def dana(campaign: Campaign) -> Dana:
    """Return Dana, who has not written yet."""
    return Dana(campaign)

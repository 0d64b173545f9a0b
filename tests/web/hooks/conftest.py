"""What tests of the hooks begin with: all of them open, Amazon's certificate at hand, deliveries that were sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns.models import Campaign
from config import hooks
from letters import arrivals
from letters.models import Delivery
from tests import cast
from tests.letters import deeds
from tests.web.hooks import senders
from tests.web.hooks.senders import Post
from web.hooks import sns

Poster = Callable[[Post], HttpResponse]


@pytest.fixture(autouse=True)
def _open_hooks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    named = " ".join(senders.ESPS)
    settings.HOOKS = hooks.read(named, senders.SECRET, senders.keys(), None)
    settings.BASE_URL = senders.BASE_URL
    sns._key.cache_clear()
    monkeypatch.setattr(sns, "fetch", lambda _address: senders.certificate())
    monkeypatch.setattr("worker.doorbell.ring", lambda: None)
    arrivals.forget_gathered()
    yield
    sns._key.cache_clear()


@pytest.fixture
def sent(campaign: Campaign) -> list[Delivery]:
    """Return Dana's three deliveries, all taken by the provider."""
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    deeds.send_all()
    return deeds.deliveries(letter)


@pytest.fixture
def tell(client: Client) -> Poster:
    """Return what posts a request as a provider does."""

    def deliver(post: Post) -> HttpResponse:
        kind = post.headers["Content-Type"]
        answer: Any = client.generic("POST", post.path, post.body, content_type=kind, headers=dict(post.headers))
        assert isinstance(answer, HttpResponse)
        return answer

    assert settings.HOOKS.open
    return deliver


def counts() -> dict[str, int]:
    """Return what was counted, by what was made of it."""
    found: dict[str, int] = {}
    for row in arrivals.days(since=timezone.now()):
        found[row.what] = found.get(row.what, 0) + row.count
    return found

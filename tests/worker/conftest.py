"""What tests of the worker begin with: a mail server that misbehaves on request, and deliveries that wait."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from campaigns.models import Ask, Campaign
from tests import cast
from tests.worker.faulty_server import FaultyServer
from worker.loop import Loop


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.doorbell.ring", lambda: None)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Let the worker under test be the only one: it has no others to share a domain's lines with."""
    with override_settings(WORKERS=1):
        yield


@pytest.fixture(autouse=True)
def _loops_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what loops keep open while they rest, as a worker does when it ends."""
    made: list[Loop] = []
    begin = Loop.__init__

    def keep(loop: Loop) -> None:
        begin(loop)
        made.append(loop)

    monkeypatch.setattr(Loop, "__init__", keep)
    yield
    for loop in made:
        loop._close_lines()


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """Return an honest server until a test scripts it."""
    with FaultyServer() as server:
        yield server


@pytest.fixture
def ask(campaign: Campaign) -> Ask:
    """Return the campaign's only ask, to three targets."""
    return cast.the_ask(campaign)

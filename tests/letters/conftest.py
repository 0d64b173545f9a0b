"""What tests about letters begin with."""

import pytest

from campaigns.models import Ask, Campaign
from letters.models import Letter
from tests import cast
from tests.letters import deeds


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.doorbell.ring", lambda: None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> deeds.Clock:
    """Return the database's clock, which stands at the morning of 23 November 2011 until a test moves it."""
    clock = deeds.Clock(cast.NOW)
    monkeypatch.setattr("letters.clock.database_now", clock)
    return clock


@pytest.fixture
def ask(campaign: Campaign) -> Ask:
    """Return the campaign's only ask, to three targets."""
    return cast.the_ask(campaign)


@pytest.fixture
def letter(ask: Ask) -> Letter:
    """Return Dana's confirmed letter; three deliveries wait."""
    return deeds.a_confirmed_letter(ask)

"""Dana, who may choose among many."""

import pytest

from accounts.models import User
from campaigns.models import Campaign
from tests import parliament
from tests.web.supporters.conftest import Dana

SEATS = {"DE": 30, "FR": 30, "DK": 15}


@pytest.fixture
def campaign(alice: User) -> Campaign:
    """Return an open campaign with one ask in each mode, to 75 people of three countries."""
    return parliament.a_parliament_campaign(alice, seats=SEATS)


@pytest.fixture
def dana(campaign: Campaign) -> Dana:
    """Return Dana, who has not written yet."""
    return Dana(campaign)

"""How long a campaign would take: also where one letter goes to some of a list."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from campaigns.models import Ask, Campaign
from config.rehearsal.forecast import forecast


@pytest.mark.parametrize(("mode", "deliveries", "hours"), [("fixed", 720, 3), ("suggested", 240, 1), ("up_to", 240, 1)])
def test_the_forecast_shares_letters_out_as_the_ask_does(
    campaign: Campaign, now: datetime, settings: Settings, mode: str, deliveries: int, hours: int
) -> None:
    Ask.objects.update(mode=mode, suggested_targets=1)
    (told,) = forecast(campaign, supporters=240, now=now, usual_pace=True)
    assert (told.targets, told.deliveries) == (3, deliveries)
    assert told.last_leaves_at == now + timedelta(hours=hours)

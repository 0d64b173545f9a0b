"""What organisers see while a restored backup waits for the operator."""

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from letters import holding, standing
from letters.models import Instance
from tests import cast
from tests.web.organisers.letters import a_confirmed_letter

PAGES = ["/organise/", "/organise/campaigns/oil-workers/delivery/", "/organise/targets/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_why_nothing_leaves_and_whom_to_ask(campaign: Campaign, as_alice: Client, path: str) -> None:
    assert "Nothing leaves." not in as_alice.get(path).content.decode()
    standing.the_row()
    assert "Nothing leaves." not in as_alice.get(path).content.decode()
    Instance.objects.update(on_hold_since=timezone.now(), on_hold_because="restored")
    page = as_alice.get(path).content.decode()
    assert "Nothing leaves." in page
    assert "a backup was restored" in page
    assert "manage.py adopt" in page


def test_a_held_delivery_says_why(campaign: Campaign, as_alice: Client) -> None:
    a_confirmed_letter(cast.the_ask(campaign), number=1)
    standing.the_row()
    holding.begin(Instance.objects.get(), because=Instance.Because.RESTORED, now=timezone.now())
    page = as_alice.get("/organise/campaigns/oil-workers/delivery/rows/?word=waiting").content.decode()
    assert page.count("it may have been sent already. The operator decides.") == 3

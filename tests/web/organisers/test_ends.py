"""Setting at the desk when a campaign closes by itself."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from campaigns import publishing
from campaigns.models import Campaign
from tests import cast
from tests.web.organisers.test_campaigns import BASE, PAGE, SignIn, sign_in

__all__ = ["sign_in"]
END = {"closes_on": "2030-12-16", "closes_at": "18:00", "time_zone": "Europe/Berlin"}
AT = datetime(2030, 12, 16, 17, tzinfo=UTC)
PASSED = {"closes_on": "2020-12-16", "closes_at": "18:00", "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def _this_decade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep 2030 in the future, whenever this runs."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 29, 12, tzinfo=UTC))


def _field(page: str, name: str) -> str:
    found = re.search(rf'<input id="{name}"[^>]*>', page)
    assert found, name
    return found[0]


def test_an_end_is_set_with_the_draft_shown_and_offered_again(as_alice: Client) -> None:
    assert as_alice.post(f"{BASE}new/", {**PAGE, **END}).status_code == 302
    made = Campaign.objects.get()
    assert (made.closes_at, made.time_zone) == (AT, "Europe/Berlin")
    assert "16 December 2030, 18:00 (Europe/Berlin)" in as_alice.get(f"{BASE}free-natalia/").content.decode()
    form = as_alice.get(f"{BASE}free-natalia/page/").content.decode()
    assert 'type="date" value="2030-12-16"' in _field(form, "closes_on")
    assert 'type="time" value="18:00"' in _field(form, "closes_at")
    assert '<option value="Europe/Berlin" selected>' in form
    assert '<option value="Europe/Berlin" selected>' in as_alice.get(f"{BASE}new/").content.decode(), "as told last"


def test_an_end_is_taken_away_again(campaign: Campaign, as_alice: Client) -> None:
    page = f"{BASE}oil-workers/page/"
    assert as_alice.post(page, {**PAGE, **END}).status_code == 302
    assert Campaign.objects.get().closes_at == AT
    assert as_alice.post(page, {**PAGE, **END, "closes_on": "", "closes_at": ""}).status_code == 302
    assert Campaign.objects.get().closes_at is None


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"closes_on": "16.12.2030"}, "closes_on", "Write the day like"),
        ({"closes_on": ""}, "closes_on", "Say on which day"),
        ({"closes_at": "24:00"}, "closes_at", "Write the time like 18:00"),
        ({"time_zone": "Mars/Base"}, "time_zone", "Choose a time zone of the list"),
        (PASSED, "closes_on", "This moment has passed"),
        ({"closes_on": "2030-03-31", "closes_at": "02:30"}, "closes_at", "Clocks go forward that day"),
    ],
)
@pytest.mark.parametrize("address", ["new/", "oil-workers/page/"])
def test_a_bad_end_is_said_at_its_field_and_loses_nothing(
    campaign: Campaign, as_alice: Client, address: str, changes: dict[str, str], field: str, said: str
) -> None:
    posted = {**PAGE, **END, **changes}
    answer = as_alice.post(BASE + address, posted)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{field}"' in page
    assert page.count(said) == 2
    assert re.search(rf'id="{field}"[^>]*aria-describedby="{field}-error[^>]*aria-invalid="true"', page)
    assert "Guests can ask what strikers cannot." in page
    for name in ("closes_on", "closes_at"):
        assert f'value="{posted[name]}"' in _field(page, name)
    kept = Campaign.objects.get()
    assert kept.closes_at is None
    assert publishing.page_text(kept).title != PAGE["title"], "nothing by halves"


def test_what_is_wrong_with_the_page_and_with_its_end_is_said_at_once(as_alice: Client) -> None:
    page = as_alice.post(f"{BASE}new/", {**PAGE, **END, "closes_at": "late", "summary": ""}).content.decode()
    assert 'href="#summary"' in page
    assert 'href="#closes_at"' in page
    assert not Campaign.objects.exists()


def test_an_editor_changes_the_words_of_an_open_campaign_and_not_its_end(
    campaign: Campaign, sign_in: SignIn
) -> None:
    Campaign.objects.update(closes_at=AT, time_zone="Europe/Berlin")
    editor = sign_in(cast.a_member(campaign.organisation, "Ed", Role.EDITOR))
    page = f"{BASE}oil-workers/page/"
    assert 'name="closes_on"' not in editor.get(page).content.decode()
    assert editor.post(page, {**PAGE, **END, "closes_on": "2026-11-30"}).status_code == 302
    kept = Campaign.objects.get()
    assert publishing.page_text(kept).title == PAGE["title"]
    assert (kept.closes_at, kept.time_zone) == (AT, "Europe/Berlin")
    Campaign.objects.update(stage=Campaign.Stage.DRAFT)
    assert 'name="closes_on"' in editor.get(page).content.decode()


def test_a_closed_campaigns_words_may_still_change(campaign: Campaign, as_alice: Client) -> None:
    Campaign.objects.update(
        stage=Campaign.Stage.CLOSED, ending="ended", closes_at=datetime(2020, 12, 16, 18, tzinfo=UTC)
    )
    assert as_alice.post(f"{BASE}oil-workers/page/", {**PAGE, **PASSED}).status_code == 302
    assert publishing.page_text(Campaign.objects.get()).title == PAGE["title"]


def test_the_checklist_names_the_end_and_one_that_has_passed_stands_in_the_way(
    campaign: Campaign, as_alice: Client
) -> None:
    Campaign.objects.update(stage=Campaign.Stage.DRAFT, closes_at=AT, time_zone="Europe/Berlin")
    publish = f"{BASE}oil-workers/publish/"
    assert "It closes by itself on 16 December 2030, 18:00 (Europe/Berlin)." in as_alice.get(publish).content.decode()
    Campaign.objects.update(closes_at=datetime(2020, 12, 16, tzinfo=UTC))
    page = as_alice.get(publish).content.decode()
    assert "The moment has passed at which it closes." in page
    assert f'href="{BASE}oil-workers/page/"' in page
    assert "It closes by itself on" not in page
    assert as_alice.post(publish).status_code == 422
    assert Campaign.objects.get().stage == Campaign.Stage.DRAFT


def test_the_dashboard_says_two_days_before_that_it_closes(campaign: Campaign, as_alice: Client) -> None:
    said = "It closes by itself on"
    Campaign.objects.update(closes_at=timezone.now() + timedelta(days=3))
    assert said not in as_alice.get("/organise/").content.decode()
    Campaign.objects.update(closes_at=timezone.now() + timedelta(hours=47))
    assert said in as_alice.get("/organise/").content.decode()
    Campaign.objects.update(stage=Campaign.Stage.CLOSED)
    assert said not in as_alice.get("/organise/").content.decode()

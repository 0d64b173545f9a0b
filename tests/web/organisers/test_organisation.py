"""The organisation at the desk, and where supporters read of it."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Organisation, User
from campaigns.models import Campaign

pytestmark = pytest.mark.django_db
PAGE = "/organise/settings/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.mark.parametrize("help_at", ["help@aid.example", "https://aid.example/help", ""])
def test_an_owner_says_how_supporters_reach_somebody(campaign: Campaign, as_alice: Client, help_at: str) -> None:
    answer = as_alice.post(PAGE, {"name": "  Workers'  Aid ", "help_at": help_at})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    organisation = Organisation.objects.get()
    assert (organisation.name, organisation.help_at) == ("Workers' Aid", help_at)
    assert AuditEntry.objects.filter(deed="changed organisation").count() == 1
    assert help_at in as_alice.get(PAGE).content.decode()
    page = Client().get("/en/oil-workers/").content.decode()
    assert ("Questions? Ask" in page) == bool(help_at)


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"name": " ", "help_at": ""}, "name"), ({"name": "x" * 121, "help_at": ""}, "name"),
        ({"name": "Aid", "help_at": "javascript:alert(1)"}, "help_at"), ({"name": "Aid", "help_at": "none"}, "help_at"),
        ({"name": "Aid", "help_at": "https://"}, "help_at"),
        ({"name": "Aid", "help_at": f"https://aid.example/{'x' * 200}"}, "help_at"),
    ],
)  # fmt: skip
def test_what_nobody_can_follow_is_refused_and_given_back(
    as_alice: Client, posted: dict[str, str], field: str
) -> None:
    answer = as_alice.post(PAGE, posted)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in html
    assert f'value="{posted["help_at"]}"' in html
    assert Organisation.objects.get().help_at == ""


def test_an_editor_reads_it_and_changes_nothing(bob: User) -> None:
    browser = Client()
    browser.force_login(bob, backend=BACKEND)
    html = browser.get(PAGE).content.decode()
    assert "Only an owner changes this." in html
    assert "Save the organisation" not in html
    assert browser.post(PAGE, {"name": "Ours", "help_at": ""}).status_code == 403
    assert Organisation.objects.get().name == "Oil Workers' Aid"

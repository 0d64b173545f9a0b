"""A partner's consent line at the desk: who writes it, how many agreed, and who may take the list."""

import csv
import io

import pytest
from django.test import Client

from accounts.models import AuditEntry, Role, User
from campaigns.models import Campaign, Partner
from letters import agreed
from letters.models import Letter, Supporter
from letters.rights import Consent
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
BASE = "/organise/campaigns/oil-workers/partners/"
LINE = "The Port Workers' Union may write to me about strikes."
POSTED = {"name": "Ports", "origins": "https://ports.example", "accent": "#0b5a67", "paper": "#ffffff", "corner": "3",
          "scale": "100"}  # fmt: skip


@pytest.fixture
def ports(campaign: Campaign) -> Partner:
    """Return a partner to whose line Dana agreed, and somebody whose name a spreadsheet would calculate."""
    ports = Partner.objects.create(campaign=campaign, slug="ports", name="Ports", consent_line=LINE)
    for name, email in (("Dana Writer", "dana@mail.example"), ("=cmd()", "eve@mail.example")):
        supporter = deeds.a_confirmed_letter(cast.the_ask(campaign), email=email, name=name).supporter
        assert supporter is not None
        assert agreed.agree(supporter, ports, words=LINE, now=cast.NOW)
    return ports


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def table_of(response: object) -> list[list[str]]:
    sent = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(sent.decode(), newline="")))


def test_the_line_is_written_on_the_partners_form_and_given_back(as_alice: Client, campaign: Campaign) -> None:
    as_alice.post(f"{BASE}new/", {**POSTED, "consent_line": LINE})
    assert Partner.objects.get().consent_line == LINE
    page = text_of(as_alice.get(f"{BASE}ports/"))
    assert "The Port Workers&#39; Union may write to me about strikes." in page
    assert "0 people agree at the moment." in page
    refused = as_alice.post(f"{BASE}ports/", {**POSTED, "consent_line": "x" * 201})
    assert refused.status_code == 422
    assert text_of(refused).count("Say it in at most 200 characters.") == 2
    assert "x" * 201 in text_of(refused)
    as_alice.post(f"{BASE}ports/", POSTED)
    assert Partner.objects.get().consent_line == ""
    assert "agree at the moment" not in text_of(as_alice.get(f"{BASE}ports/"))


def test_the_list_is_safe_for_spreadsheets_and_written_down(as_alice: Client, alice: User, ports: Partner) -> None:
    assert "2 people agree at the moment." in text_of(as_alice.get(f"{BASE}ports/"))
    answer = as_alice.post(f"{BASE}ports/agreed.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="oil-workers-ports-agreed.csv"'
    assert "no-store" in answer["Cache-Control"]
    assert table_of(answer) == [
        ["name", "email", "partner", "words", "language", "given_at"],
        ["Dana Writer", "dana@mail.example", "Ports", LINE, "en", cast.NOW.isoformat()],
        ["'=cmd()", "eve@mail.example", "Ports", LINE, "en", cast.NOW.isoformat()],
    ]
    taken = AuditEntry.objects.get(deed="took a partner's list")
    assert (taken.by, taken.details) == (alice, {"people": 2})


@pytest.mark.parametrize("role", Role.values)
def test_only_roles_that_may_see_who_writes_take_the_list(
    client: Client, alice: User, ports: Partner, role: str
) -> None:
    client.force_login(cast.a_member(cast.organisation_of(alice), "Erin", role), backend=BACKEND)
    allowed = role in {Role.OWNER, Role.REPLIES}
    page = text_of(client.get(f"{BASE}ports/"))
    assert ("agreed.csv" in page) is allowed
    assert "dana@mail.example" not in page
    assert client.post(f"{BASE}ports/agreed.csv").status_code == (200 if allowed else 403)
    assert AuditEntry.objects.filter(deed="took a partner's list").exists() is allowed


def test_looking_takes_nothing_and_another_organisations_list_is_absent(
    as_alice: Client, client: Client, charlie: User, ports: Partner
) -> None:
    assert as_alice.get(f"{BASE}ports/agreed.csv").status_code == 405
    assert as_alice.post(f"{BASE}nobody/agreed.csv").status_code == 404
    client.force_login(charlie, backend=BACKEND)
    assert client.post(f"{BASE}ports/agreed.csv").status_code == 404
    assert not AuditEntry.objects.filter(deed="took a partner's list").exists()


def test_taking_a_partner_off_says_what_ends_and_ends_it(as_alice: Client, ports: Partner) -> None:
    assert "2 people agreed to hear from them. That ends" in text_of(as_alice.get(f"{BASE}ports/remove/"))
    as_alice.post(f"{BASE}ports/remove/")
    assert not Partner.objects.exists()
    assert not Consent.objects.filter(withdrawn_at=None).exists()
    assert (Letter.objects.count(), Supporter.objects.count()) == (2, 2)

"""The page from which letters to one target are printed."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Role, User
from campaigns.models import Campaign
from letters import paper, press, told, without_us
from targets.models import Target
from tests import cast
from tests.letters import deeds, sheets

BACKEND = "django.contrib.auth.backends.ModelBackend"


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


@pytest.fixture
def address(campaign: Campaign) -> str:
    """Return the page's address for Anna Lund, to whom two people wrote."""
    ask = cast.the_ask(campaign)
    deeds.a_confirmed_letter(ask)
    deeds.a_confirmed_letter(ask, email="erin@mail.example", name="Erin Bell")
    anna = Target.objects.get(name="Anna Lund")
    return f"/organise/targets/{ask.target_list.public_id}/{anna.public_id}/letters/"


def test_the_letters_are_printed_and_it_is_written_down(
    as_alice: Client, alice: User, campaign: Campaign, address: str
) -> None:
    shown = text_of(as_alice.get(address))
    assert "2 letters" in shown
    assert not AuditEntry.objects.filter(deed="printed letters").exists()
    form = {"ask": cast.the_ask(campaign).pk, "which": "all", "paper": "number-10"}
    got = as_alice.post(address, form)
    assert got["Content-Type"] == "application/pdf"
    assert got["Content-Disposition"] == 'attachment; filename="eu-leaders-anna-lund.pdf"'
    assert "no-store" in got["Cache-Control"]
    pages = sheets.read(got.content).pages
    assert [round(page.width) for page in pages] == [216, 216]
    assert "Dana Writer" in pages[0].text
    assert "Erin Bell" in pages[1].text
    assert AuditEntry.objects.get(deed="printed letters").by == alice


@pytest.mark.parametrize("role", Role.values)
def test_only_roles_that_may_see_letters_print_them(client: Client, alice: User, address: str, role: str) -> None:
    client.force_login(cast.a_member(cast.organisation_of(alice), "Erin", role), backend=BACKEND)
    allowed = role in {Role.OWNER, Role.REPLIES}
    assert client.get(address).status_code == (200 if allowed else 403)
    assert client.post(address, {}).status_code == (422 if allowed else 403)
    of_list = client.get(address.rsplit("/", 3)[0] + "/")
    assert ("letters to Anna Lund" in text_of(of_list)) is allowed


def test_another_organisations_target_is_as_absent_as_none(client: Client, charlie: User, address: str) -> None:
    client.force_login(charlie, backend=BACKEND)
    assert client.get(address).status_code == 404
    assert client.post(address, {}).status_code == 404


def test_a_choice_that_gives_nothing_is_explained(as_alice: Client, campaign: Campaign, address: str) -> None:
    ask = cast.the_ask(campaign).pk
    for form, sentence in (
        ({}, "Choose the letters to print."),
        ({"ask": "999999"}, "Choose the letters to print."),
        ({"ask": ask, "which": "returned"}, "There is no such letter to print."),
        ({"ask": ask, "part": "7"}, "There is no such letter to print."),
    ):
        answer = as_alice.post(address, form)
        assert answer.status_code == 422
        assert text_of(answer).count(sentence) == 2
    assert not AuditEntry.objects.filter(deed="printed letters").exists()


def test_a_jam_and_missing_typefaces_are_said(
    as_alice: Client, campaign: Campaign, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def jam(*_args: object, **_kwargs: object) -> bytes:
        raise press.NotPrinted

    assert "lacks the typefaces" not in text_of(as_alice.get(address))
    monkeypatch.setattr(press, "typefaces", lambda: ("Libertinus Serif",))
    assert "lacks the typefaces" in text_of(as_alice.get(address))
    monkeypatch.setattr(paper, "bundle", jam)
    answer = as_alice.post(address, {"ask": cast.the_ask(campaign).pk})
    assert answer.status_code == 503
    assert not AuditEntry.objects.filter(deed="printed letters").exists()


def test_a_big_pile_is_offered_in_parts(as_alice: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'name="part"' not in text_of(as_alice.get(address))
    monkeypatch.setattr(paper, "MOST_SHEETS", 1)
    assert 'name="part"' in text_of(as_alice.get(address))


def test_without_letters_the_page_says_when_there_are_some(as_alice: Client, campaign: Campaign) -> None:
    target_list = cast.the_ask(campaign).target_list
    anna = Target.objects.get(name="Anna Lund")
    page = text_of(as_alice.get(f"/organise/targets/{target_list.public_id}/{anna.public_id}/letters/"))
    assert "No letters to print" in page


def test_what_supporters_told_us_stands_apart_in_the_statistics(as_alice: Client, campaign: Campaign) -> None:
    letter = deeds.a_draft(cast.the_ask(campaign))
    told.take_down(
        letter, kind=told.Kind.POSTED, targets=without_us.targets_of(letter, now=cast.NOW), now=cast.NOW
    )
    page = " ".join(text_of(as_alice.get(f"/organise/campaigns/{campaign.slug}/statistics/")).split())
    assert '<th scope="row">Posted on paper</th><td class="number">3</td>' in page
    assert '<th scope="row">Sent from their own mail app</th><td class="number">0</td>' in page
    assert "<dt>Letters sent</dt><dd>0</dd>" in page

"""A campaign's look at the desk: what is wished for, what became of it, and a logo that only draws."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, Role, User
from campaigns import dressing, logos
from campaigns.models import Campaign, Logo
from tests import cast

pytestmark = pytest.mark.django_db
LOOK = "/organise/campaigns/oil-workers/look/"
POSTED = {"accent": "#0b5a67", "edge_1": "#0b5a67", "edge_2": "#a3231b", "voice": "serif"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z" fill="#00afca"/></svg>'


def file(content: bytes = SVG) -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.svg", content, content_type="image/svg+xml")


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def test_colours_that_can_be_read_are_kept_and_others_moved_with_a_word_of_it(
    as_alice: Client, campaign: Campaign
) -> None:
    wished = {"accent": "#FEC50C", "edge_1": "#00afca", "edge_2": "#1b2430", "voice": "sans"}
    page = text_of(as_alice.post(LOOK, wished, follow=True))
    assert page.count("#fec50c would be hard to see in the light: there it is #8c6c01.") == 2, "told, and at its field"
    assert page.count("#1b2430 would be hard to see in the dark: there it is #303f55.") == 2
    assert "#00afca would" not in page
    assert 'value="#fec50c"' in page, "what was wished for stands in the form, so that saving again moves nothing"
    assert '<input type="radio" id="voice-2" name="voice" value="sans" checked' in page
    assert page.count("<svg") == 2
    for shown in ("#8c6c01", "#fec50c", "#303f55"):
        assert f'fill="{shown}"' in page or f'stroke="{shown}"' in page
    campaign.refresh_from_db()
    assert campaign.look["accent"] == {"wished": "#fec50c", "light": "#8c6c01", "dark": "#fec50c"}
    as_alice.post(LOOK, wished)
    again = Campaign.objects.get()
    assert again.look == campaign.look
    assert AuditEntry.objects.filter(deed="changed look").count() == 2
    as_alice.post(LOOK, POSTED)
    assert Campaign.objects.get().look == {}, "ours leaves no trace"


def test_what_is_wrong_is_said_at_its_field_and_all_that_was_right_is_kept(
    as_alice: Client, campaign: Campaign
) -> None:
    answer = as_alice.post(LOOK, {**POSTED, "accent": "gold", "edge_2": "#fec50c", "voice": "loud", "logo": file()})
    page = text_of(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert page.count("Write a colour as # and six digits, such as #0b5a67.") == 2
    assert page.count("Choose the type that letters stand in.") == 2
    assert 'value="gold"' in page
    assert 'value="#fec50c"' in page
    kept = logos.drawn_anew(SVG).svg
    assert "The file that you chose is kept." in page
    assert not Logo.objects.exists()
    as_alice.post(LOOK, {**POSTED, "kept_logo": kept})
    assert Logo.objects.get().svg == kept


def test_a_logo_is_drawn_anew_replaced_and_taken_away(as_alice: Client, campaign: Campaign) -> None:
    assert "Take the logo away" not in text_of(as_alice.get(LOOK))
    page = text_of(as_alice.post(LOOK, {**POSTED, "logo": file()}, follow=True))
    first = Logo.objects.get()
    address = f"/look/oil-workers/{first.digest}.svg"
    assert page.count(f'href="{address}"') == 2
    assert text_of(as_alice.get(address)) == logos.drawn_anew(SVG).svg, "also while the campaign is a draft"
    as_alice.post(LOOK, POSTED)
    assert Logo.objects.get() == first, "saving other things keeps it"
    as_alice.post(LOOK, {**POSTED, "logo": file(SVG.replace(b"#00afca", b"#fec50c"))})
    assert Logo.objects.get().digest != first.digest
    assert as_alice.get(address).status_code == 404
    as_alice.post(LOOK, {**POSTED, "without_logo": "yes"})
    assert not Logo.objects.exists()
    assert dressing.logo_of(Campaign.objects.get()) is None


def test_a_hostile_logo_is_refused_and_the_one_before_stays(as_alice: Client, campaign: Campaign) -> None:
    as_alice.post(LOOK, {**POSTED, "logo": file()})
    for content in (SVG.replace(b"<path", b"<script/><path"), b"x" * 70_000, b"\xff\xfe", b"<!DOCTYPE svg>" + SVG):
        answer = as_alice.post(LOOK, {**POSTED, "accent": "#fec50c", "logo": file(content)})
        page = text_of(answer)
        assert answer.status_code == 422
        assert 'id="logo-error"' in page
        assert 'href="#logo"' in page
        assert 'value="#fec50c"' in page
    hidden = as_alice.post(LOOK, {**POSTED, "kept_logo": SVG.decode().replace("<path", '<path onload="x"')})
    assert "“onload”, which runs a script" in text_of(hidden), "what the form kept is trusted no more than a file"
    assert dressing.drawing(slug="oil-workers", digest=Logo.objects.get().digest) == logos.drawn_anew(SVG).svg


@pytest.mark.parametrize("role", Role.values)
def test_only_roles_that_change_campaigns_change_the_look(
    client: Client, alice: User, campaign: Campaign, role: str
) -> None:
    member = cast.a_member(cast.organisation_of(alice), "Erin", role)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    allowed = role in {Role.OWNER, Role.EDITOR}
    assert client.post(LOOK, {**POSTED, "voice": "sans"}).status_code == (302 if allowed else 403)
    assert client.get(LOOK).status_code == (200 if allowed else 403)
    assert bool(Campaign.objects.get().look) == allowed
    assert ("Change how it looks" in text_of(client.get("/organise/campaigns/oil-workers/"))) == allowed


def test_a_new_partners_form_begins_with_the_campaigns_accent(as_alice: Client, campaign: Campaign) -> None:
    as_alice.post(LOOK, {**POSTED, "accent": "#fec50c"})
    assert 'value="#8c6c01"' in text_of(as_alice.get("/organise/campaigns/oil-workers/partners/new/"))


def test_the_letter_comes_onto_the_campaigns_page_by_a_box_that_is_written_down(
    as_alice: Client, campaign: Campaign
) -> None:
    box = '<input type="checkbox" id="is_compact" name="is_compact" value="yes"'
    assert f"{box} aria" in text_of(as_alice.get(LOOK)), "unticked at first"
    page = text_of(as_alice.post(LOOK, {**POSTED, "is_compact": "yes"}, follow=True))
    assert f"{box} checked" in page
    assert Campaign.objects.get().is_compact
    assert AuditEntry.objects.filter(deed="changed look").latest("pk").details["is_compact"] is True
    assert 'name="drawn"' in text_of(as_alice.get("/en/oil-workers/"))
    wrong = as_alice.post(LOOK, {**POSTED, "accent": "gold"})
    assert f"{box} aria" in text_of(wrong), "what was wished for stands in the form"
    assert Campaign.objects.get().is_compact, "and nothing is saved"
    as_alice.post(LOOK, POSTED)
    assert not Campaign.objects.get().is_compact
    assert 'name="drawn"' not in text_of(as_alice.get("/en/oil-workers/"))

"""The form on partners' pages: framed by whom the campaign lists, a card for everybody else."""

import re
from html import unescape

import pytest
from django.test import Client

from accounts.models import User
from campaigns import partners, publishing
from campaigns.models import Ask, Campaign, Partner
from letters import tallies, tokens
from letters.models import Letter
from targets.models import Address, Target
from tests import cast
from web.supporters.finding import draft_url

pytestmark = pytest.mark.django_db
FRAME = "/embed/oil-workers/"
POSTED = {"name": "Ports", "accent": "#ffee00", "paper": "#ffffff"}
ENDINGS = {
    "won": "This campaign has reached its goal. Thank you.",
    "ended": "This campaign ended on 23 November 2011.",
    "paused": "This campaign rests at the moment.",
    "moved": "This campaign goes on elsewhere.",
}
LISTED, OTHER = "https://ports.example", "https://evil.example"


@pytest.fixture
def partner(campaign: Campaign, alice: User) -> Partner:
    """Return the Union of Ports, which shows Alice's campaign."""
    values = {**POSTED, "origins": f"{LISTED}\nhttps://www.ports.example"}
    return partners.save_partner(campaign=campaign, by=alice, values=values)[0]


def _ancestors(response: object) -> str:
    found = re.search(r"frame-ancestors ([^;]*)", response["Content-Security-Policy"])  # type: ignore[index]
    return found[1] if found else ""


@pytest.mark.parametrize("referer", [f"{LISTED}/act", "", "http://localhost:8000/x"])
def test_a_listed_page_shows_the_form(partner: Partner, client: Client, referer: str) -> None:
    """A page that lets no referrer out is judged by the browser alone, which knows who frames."""
    response = client.get(f"{FRAME}?partner=ports", headers={"Referer": referer} if referer else {})
    page = response.content.decode()
    assert "<form" in page
    assert _ancestors(response) == f"{LISTED} https://www.ports.example"
    assert "X-Frame-Options" not in response
    assert not response.cookies
    assert '<a class="line" href="/my/?lang=en" target="_blank" rel="noopener">' in page, "which nobody may frame"


def test_a_letter_that_no_mail_delivers_is_begun_in_the_frame_for_the_post(
    partner: Partner, client: Client, campaign: Campaign
) -> None:
    Address.objects.filter(kind="email").update(status=Address.Status.DEAD)
    page = client.get(f"{FRAME}?partner=ports", headers={"Referer": f"{LISTED}/"}).content.decode()
    assert "you can write it here, print it and post it" in page
    assert "Write my letter" in page
    Target.objects.update(post=None)
    page = client.get(f"{FRAME}?partner=ports", headers={"Referer": f"{LISTED}/"}).content.decode()
    assert "Please come back in a few days" in page
    assert "Write my letter" not in page


def test_a_page_is_known_by_its_site_alone(partner: Partner, client: Client) -> None:
    assert "<form" in client.get(FRAME, headers={"Referer": f"{LISTED}/"}).content.decode()


@pytest.mark.parametrize("query", ["", "?partner=ports", "?partner=nobody"])
def test_any_other_page_gets_a_card_with_a_link(partner: Partner, client: Client, query: str) -> None:
    response = client.get(f"{FRAME}{query}", headers={"Referer": f"{OTHER}/"})
    page = response.content.decode()
    assert "<form" not in page
    assert 'href="/en/oil-workers/" target="_blank"' in page
    assert _ancestors(response) == "*"


def test_a_letter_begun_in_a_frame_stays_in_it(partner: Partner, client: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    posted = {"partner": "ports", "lang": "en", "sentence": "My father worked on a rig."}
    response = client.post(f"{FRAME}{ask.slug}/", posted)
    assert response.status_code == 303
    letter = Letter.objects.get()
    assert letter.source == "embed:ports"
    step = client.get(response["Location"])
    assert _ancestors(step) == f"{LISTED} https://www.ports.example"
    assert 'class="framed"' in step.content.decode()
    again = client.post(f"/en/oil-workers/{ask.slug}/", {"after": tokens.make(tokens.DRAFT, bytes(letter.key))})
    assert again.status_code == 303
    assert {one.source for one in Letter.objects.all()} == {"embed:ports"}


def test_no_address_can_pretend_to_come_from_a_frame(partner: Partner, client: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    client.post(f"/en/oil-workers/{ask.slug}/", {"via": "embed:ports"})
    letter = Letter.objects.get()
    assert letter.source == "embedports"
    page = client.get(draft_url(letter, tokens.DRAFT, "write", lang="en"))
    assert _ancestors(page) == "'none'"
    assert page["X-Frame-Options"] == "DENY"


def test_a_refused_sentence_is_given_back_in_the_frame(partner: Partner, client: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    response = client.post(f"{FRAME}{ask.slug}/", {"partner": "ports", "sentence": "word " * 1000})
    assert response.status_code == 422
    assert _ancestors(response).startswith(LISTED)
    assert "word word word" in response.content.decode()
    assert not Letter.objects.exists()


def test_a_foreign_page_begins_no_letter(partner: Partner, client: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    response = client.post(f"{FRAME}{ask.slug}/", {"partner": "ports"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert client.post(f"{FRAME}{ask.slug}/", {"partner": "nobody"}).status_code == 404
    assert not Letter.objects.exists()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_closed_campaign_says_in_the_frame_how_it_ended(
    partner: Partner, client: Client, campaign: Campaign, alice: User, ending: str
) -> None:
    ask = cast.the_ask(campaign)
    target = ask.target_list.targets.all()[0]
    tallies.count({(campaign.pk, ask.pk, target.pk, "sent", True, 0): 12_408})
    publishing.close(
        campaign=campaign, by=alice, ending=ending, words="The court let them go.", link="https://next.example/",
        now=cast.NOW,
    )  # fmt: skip
    posted = {"partner": "ports", "sentence": "My father worked on a rig."}
    for response in (
        client.get(f"{FRAME}?partner=ports", headers={"Referer": f"{LISTED}/"}),
        client.get(FRAME, headers={"Referer": f"{OTHER}/"}),
        client.post(f"{FRAME}{ask.slug}/", posted),
    ):
        page = unescape(response.content.decode())
        assert response.status_code == 200
        assert [each for each, said in ENDINGS.items() if said in page] == [ending]
        for words in ("The court let them go.", "12,408 <span>letters sent", "See what became of it"):
            assert words in page


def test_a_draft_campaign_is_shown_to_nobody(client: Client, campaign: Campaign) -> None:
    Campaign.objects.update(stage="draft")
    assert client.get(FRAME).status_code == 404


def test_the_look_is_in_the_frame_and_nowhere_else(partner: Partner, client: Client) -> None:
    accent = partners.look_of(partner).accent
    assert accent != "#ffee00"
    assert accent in client.get(f"{FRAME}?partner=ports").content.decode()
    assert accent not in client.get("/en/oil-workers/").content.decode()


def test_other_pages_let_nobody_frame_them(partner: Partner, client: Client) -> None:
    for path in ("/en/oil-workers/", "/", "/organise/sign-in/login/"):
        assert _ancestors(client.get(path)) == "'none'", path


def test_the_loader_is_small_and_may_be_loaded_by_everybody(client: Client) -> None:
    response = client.get("/embed/postbag.js")
    assert len(response.content) <= 1536
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Type"].startswith("text/javascript")


def test_organisers_list_partners_and_see_what_they_paste(campaign: Campaign, as_alice: Client) -> None:
    base = "/organise/campaigns/oil-workers/partners/"
    assert "No partner yet" in as_alice.get(base).content.decode()
    posted = {**POSTED, "origins": LISTED, "corner": "3", "scale": "100"}
    page = as_alice.post(f"{base}new/", posted, follow=True).content.decode()
    assert "#ffee00 was hard to read there" in page
    assert "data-postbag=&#34;http://" in page
    assert "embed/oil-workers/?partner=ports" in page
    refused = as_alice.post(f"{base}new/", {**posted, "origins": "http://ports.example"})
    assert refused.status_code == 422
    assert "is not the address of a secure site" in refused.content.decode()
    assert "Take Ports off the list?" in as_alice.get(f"{base}ports/remove/").content.decode()
    as_alice.post(f"{base}ports/remove/")
    assert not Partner.objects.exists()


def test_another_organisation_s_partners_are_absent(partner: Partner, client: Client, charlie: User) -> None:
    client.force_login(charlie, backend="django.contrib.auth.backends.ModelBackend")
    for path in ("", "new/", "ports/", "ports/remove/"):
        assert client.get(f"/organise/campaigns/oil-workers/partners/{path}").status_code == 404


def test_the_frame_asks_for_the_country_where_it_decides_and_lets_people_be_chosen(
    partner: Partner, client: Client, campaign: Campaign
) -> None:
    Ask.objects.update(mode=Ask.Mode.BY_COUNTRY, suggested_targets=1)
    posted = {"partner": "ports", "lang": "en", "sentence": "My father worked on a rig."}
    response = client.post(f"{FRAME}eu-leaders/", posted)
    assert response.status_code == 422
    assert 'href="#country"' in response.content.decode()
    assert posted["sentence"] in response.content.decode()
    response = client.post(f"{FRAME}eu-leaders/", {**posted, "country": "FR", "then": "to"})
    assert response["Location"].endswith("/to/")
    page = client.get(response["Location"])
    assert "Office of the President" in page.content.decode()
    assert _ancestors(page) == f"{LISTED} https://www.ports.example"

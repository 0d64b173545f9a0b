"""A campaign's look on its pages: its colours everywhere, its logo at the top of its own page, and nobody else's."""

import re

import pytest

from accounts.models import User
from campaigns import dressing
from campaigns.models import Campaign, Partner
from tests.web.supporters.conftest import DANA, Dana, page

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z"/></svg>'
LIGHT = "--action:#8c6c01;--action-hover:#8c6c01;--edge-1:#00afca;--edge-2:#fec50c"
DARK = "--action:#fec50c;--action-hover:#fec50c;--edge-1:#00afca;--edge-2:#fec50c"
RULES = (
    "@media not all and (prefers-contrast:more){@media not all and (forced-colors:active){"
    f":root:not(.light){{{LIGHT}}}@media (prefers-color-scheme:dark){{:root:not(.light){{{DARK}}}}}}}}}"
)
SANS = ".letter,.sheet textarea,textarea[readonly],.starters{font-family:var(--sans)}"


@pytest.fixture
def dressed(dana: Dana, alice: User) -> Dana:
    """Return Dana at a campaign in blue and gold."""
    wished = {"accent": "#fec50c", "edge_1": "#00afca", "edge_2": "#fec50c", "voice": "sans"}
    dressing.save(campaign=dana.campaign, by=alice, values=wished, logo=SVG)
    return dana


def test_every_page_of_the_campaign_has_its_look(dressed: Dana) -> None:
    write = dressed.begin()
    check = dressed.post(write, {**DANA})["Location"]
    steps = (check, check.replace("/check/", "/print/"), check.replace("/check/", "/own-mail/"))
    for address in (dressed.home, f"{dressed.home}embassies/", write, *steps):
        assert f"{RULES}{SANS}</style>" in page(dressed.get(address)), address
    confirm = dressed.post(check)["Location"]
    for address in (confirm, dressed.link()):
        assert f"{RULES}{SANS}</style>" in page(dressed.get(address)), address
    sent = dressed.press(dressed.link())["Location"]
    for address in (sent, dressed.status()):
        assert f"{RULES}{SANS}</style>" in page(dressed.get(address)), address
    Campaign.objects.update(stage="closed", ending="won")
    assert f"{RULES}{SANS}</style>" in page(dressed.get(dressed.home))


def test_pages_of_no_campaign_and_of_others_have_ours(dressed: Dana) -> None:
    for address in ("/my/", "/en/nowhere/", f"{dressed.home}draft/none/write/"):
        html = page(dressed.get(address))
        assert "--action:#8c6c01" not in html
        assert "<img" not in html
    Campaign.objects.update(look={})
    assert "forced-colors:active){:root" not in page(dressed.get(dressed.home))


def test_in_a_frame_the_partners_look_wins_and_one_without_a_look_keeps_the_campaigns(dressed: Dana) -> None:
    look = {"accent": "#5b4b9a", "dark_accent": "#b3a4f0", "paper": "#ffffff", "corner": 9, "scale": 100}
    Partner.objects.create(campaign=dressed.campaign, slug="ports", name="Ports", origins=["https://ports.example"],
                           look=look)  # fmt: skip
    Partner.objects.create(campaign=dressed.campaign, slug="plain", name="Plain", origins=["https://plain.example"])
    html = page(dressed.get(f"/embed/{dressed.campaign.slug}/?partner=ports"))
    assert html.index(LIGHT) < html.index("--action:#5b4b9a"), "what comes later wins"
    assert html.index(DARK) < html.index("--action:#b3a4f0")
    assert "<img" not in html
    assert RULES in page(dressed.get(f"/embed/{dressed.campaign.slug}/?partner=plain"))


def test_the_logo_stands_for_the_name_on_the_campaigns_page_and_on_no_step(dressed: Dana) -> None:
    found = dressing.logo_of(Campaign.objects.get())
    assert found is not None
    image = (
        f'<img src="/look/{dressed.campaign.slug}/{found.digest}.svg" alt="Oil Workers&#x27; Aid" '
        'width="72" height="36"></a>'
    )
    for lang in ("en", "ar"):
        html = dressed.get(f"/{lang}/{dressed.campaign.slug}/").content.decode()
        assert html.count(image) == 1
        assert not re.search(r'class="brand">[^\n]*<bdi>', html)
    assert "<img" not in page(dressed.get(dressed.begin()))
    Campaign.objects.update(stage="closed", ending="ended")
    assert image in dressed.get(dressed.home).content.decode()


def test_the_logo_by_itself_can_run_and_load_nothing_and_is_kept_for_good(dressed: Dana) -> None:
    found = dressing.logo_of(Campaign.objects.get())
    assert found is not None
    answer = dressed.get(f"/look/{dressed.campaign.slug}/{found.digest}.svg")
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    policy = answer["Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not answer.cookies
    assert answer.content.startswith(b"<svg ")
    other = "0" * 16
    for address in (f"/look/{dressed.campaign.slug}/{other}.svg", f"/look/nowhere/{found.digest}.svg"):
        assert dressed.get(address).status_code == 404

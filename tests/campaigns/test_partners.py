"""Whose pages may show a campaign's form: sites, not wishes."""

import pytest

from accounts.models import AuditEntry, User
from campaigns import partners
from campaigns.models import Campaign
from campaigns.publishing import CampaignRefused

pytestmark = pytest.mark.django_db
GOOD = {"name": "Union of Ports", "origins": "https://ports.example", "accent": "#0b5a67", "paper": "#ffffff"}


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://ports.example", "https://ports.example"), ("https://Ports.Example/act?x=1#y", "https://ports.example"),
        ("https://ports.example:443/", "https://ports.example"), ("https://ports.example:8443", "https://ports.example:8443"),
        ("https://häfen.example", "https://xn--hfen-loa.example"), ("http://localhost:9000/x", "http://localhost:9000"),
        ("http://ports.example", ""), ("javascript:alert(1)", ""), ("https://", ""), ("https://*.example", ""),
        ("https://ports", ""), ("https://a b.example", ""), ("https://ports.example;frame-ancestors *", ""),
        ("https://x.example:99999", ""), ("data:text/html,x", ""), ("https://-a.example", ""), ("", ""), ("null", ""),
    ],
)  # fmt: skip
def test_an_origin_is_what_browsers_compare_or_nothing(address: str, origin: str) -> None:
    assert partners.origin_of(address) == origin


def test_a_partner_keeps_its_address_when_its_name_changes(campaign: Campaign, alice: User) -> None:
    partner, _ = partners.save_partner(campaign=campaign, by=alice, values=GOOD)
    assert (partner.slug, partner.origins) == ("union-of-ports", ["https://ports.example"])
    partners.save_partner(campaign=campaign, by=alice, values={**GOOD, "name": "Ports"}, partner=partner)
    other, _ = partners.save_partner(campaign=campaign, by=alice, values=GOOD)
    assert {(p.slug, p.name) for p in campaign.partners.all()} == {
        ("union-of-ports", "Ports"), ("union-of-ports-2", "Union of Ports"),
    }  # fmt: skip
    partners.remove_partner(partner=other, by=alice)
    assert campaign.partners.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"), ({"origins": ""}, "origins"), ({"origins": "http://ports.example"}, "origins"),
        ({"origins": "\n".join(f"https://p{n}.example" for n in range(11))}, "origins"), ({"accent": "red"}, "accent"),
        ({"paper": "url(//evil.example)"}, "paper"), ({"consent_line": "x" * 201}, "consent_line"),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_field(campaign: Campaign, alice: User, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(CampaignRefused) as refused:
        partners.save_partner(campaign=campaign, by=alice, values={**GOOD, **wrong})
    assert list(refused.value.errors) == [field]


def test_a_consent_line_is_one_line_and_who_wrote_it_is_known(campaign: Campaign, alice: User) -> None:
    line = {"consent_line": "  The union may write to me\nabout strikes. "}
    partner, _ = partners.save_partner(campaign=campaign, by=alice, values={**GOOD, **line})
    assert partner.consent_line == "The union may write to me about strikes."
    saved = AuditEntry.objects.get(deed="saved partner")
    assert (saved.by, saved.details["consent_line"]) == (alice, partner.consent_line)
    partners.save_partner(campaign=campaign, by=alice, values={**GOOD, "consent_line": "x" * 200}, partner=partner)
    assert len(campaign.partners.get().consent_line) == 200
    partners.save_partner(campaign=campaign, by=alice, values=GOOD, partner=partner)
    assert campaign.partners.get().consent_line == ""


def test_only_a_frame_of_ours_gives_a_letter_a_partner(campaign: Campaign, alice: User) -> None:
    partner, _ = partners.save_partner(campaign=campaign, by=alice, values=GOOD)
    assert partners.of_source(campaign, partners.source_of(partner)) == partner
    assert partners.of_source(campaign, partner.slug) is None
    assert partners.of_source(campaign, "embed:another") is None

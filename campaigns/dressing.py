"""How a campaign looks on its own pages, and on how many a letter is written: kept, read, and the logo found."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db import transaction

from accounts import audit
from accounts.models import User
from campaigns import logos, looks
from campaigns.looks import CampaignLook, Voice
from campaigns.models import Campaign, Logo
from campaigns.publishing import CampaignRefused

COLOURS = ("accent", "edge_1", "edge_2")


@dataclass(frozen=True)
class Picture:
    """What a page needs to know of a campaign's logo: its address says the digest, its size is in pixels."""

    digest: str
    width: int
    height: int


@transaction.atomic
def save(
    *,
    campaign: Campaign,
    by: User,
    values: Mapping[str, str],
    is_compact: bool = False,
    logo: bytes = b"",
    without_logo: bool = False,
) -> CampaignLook:
    """Keep how a campaign looks; return the look, whose colours say how they were wished for.

    `values` holds accent, edge_1 and edge_2 (`#rrggbb`) and voice; `is_compact`: letters are written on the campaign's
    own page, where nothing has to be chosen or said before. `logo` is an SVG file; empty, the one there is
    stays unless `without_logo`. Raises CampaignRefused with a sentence for each field.
    """
    errors: dict[str, str] = {}
    colours = {name: values.get(name, "").strip().lower() for name in COLOURS}
    for name, colour in colours.items():
        if not looks.is_colour(colour):
            errors[name] = "Write a colour as # and six digits, such as #0b5a67."
    voice = values.get("voice", "")
    if voice not in list(Voice):
        errors["voice"] = "Choose the type that letters stand in."
    drawing = None
    if logo:
        try:
            drawing = logos.drawn_anew(logo)
        except logos.LogoRefused as refused:
            errors["logo"] = refused.sentence
    if errors:
        raise CampaignRefused(errors)
    look = looks.for_campaign(
        accent=colours["accent"], edges=(colours["edge_1"], colours["edge_2"]), voice=voice
    )
    campaign.look = {} if look.is_usual else look.as_json()
    if drawing is not None:
        digest = hashlib.sha256(drawing.svg.encode()).hexdigest()[:16]
        Logo.objects.update_or_create(campaign=campaign, defaults={"svg": drawing.svg, "digest": digest})
        campaign.logo = asdict(Picture(digest, drawing.width, drawing.height))
    elif without_logo:
        Logo.objects.filter(campaign=campaign).delete()
        campaign.logo = {}
    campaign.is_compact = is_compact
    campaign.save(update_fields=["look", "logo", "is_compact"])
    audit.record(
        organisation=campaign.organisation, by=by, deed="changed look", subject=campaign.slug,
        logo=campaign.logo, is_compact=is_compact,
    )  # fmt: skip
    return look


def look_of(campaign: Campaign) -> CampaignLook:
    """Return how a campaign's pages look."""
    return CampaignLook.of(campaign.look)


def logo_of(campaign: Campaign) -> Picture | None:
    """Return what pages say of a campaign's logo; None where it has none."""
    return Picture(**campaign.logo) if campaign.logo else None


def drawing(*, slug: str, digest: str) -> str | None:
    """Return the SVG of a campaign's logo; None for any other digest than the one it has."""
    return Logo.objects.filter(campaign__slug=slug, digest=digest).values_list("svg", flat=True).first()

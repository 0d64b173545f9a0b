"""Who shows a campaign's form on pages of their own: which pages may, how it looks there, where letters came from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import User
from campaigns import looks
from campaigns.looks import Look
from campaigns.models import Campaign, Partner
from campaigns.publishing import CampaignRefused

MOST_ORIGINS = 10
LINE_LIMIT = 200  # characters of a consent line
SOURCE = "embed:"  # before a partner's slug in a letter's source: no address of ours can claim it (`?via=`)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
_LOCAL = {"localhost", "127.0.0.1"}


@transaction.atomic
def save_partner(
    *, campaign: Campaign, by: User, values: Mapping[str, Any], partner: Partner | None = None
) -> tuple[Partner, Look]:
    """Save a partner; return it with the look that was wished for, which may have been made readable.

    `values` holds name, origins (a text, one a line), accent and paper (`#rrggbb`), corner (pixels), scale (per cent),
    and consent_line: what supporters may agree to, in the campaign's default language; "" for nothing.
    Raises CampaignRefused with a sentence for each field.
    """
    errors: dict[str, str] = {}
    name = str(values.get("name", "")).strip()
    if not name or len(name) > 120:
        errors["name"] = "Say whose pages these are, in at most 120 characters."
    origins = _origins(str(values.get("origins", "")), errors)
    accent, paper = (str(values.get(key, "")).strip().lower() for key in ("accent", "paper"))
    for key, colour in (("accent", accent), ("paper", paper)):
        if not looks.is_colour(colour):
            errors[key] = "Write a colour as # and six digits, such as #0b5a67."
    line = " ".join(str(values.get("consent_line", "")).split())
    if len(line) > LINE_LIMIT:
        errors["consent_line"] = f"Say it in at most {LINE_LIMIT} characters."
    if errors:
        raise CampaignRefused(errors)
    wished = Look(accent=accent, paper=paper, corner=int(values.get("corner", 3)), scale=int(values.get("scale", 100)))
    partner = partner or Partner(campaign=campaign, slug=_free_slug(campaign, name))
    partner.name, partner.origins, partner.consent_line = name, origins, line
    partner.look = looks.readable(
        accent=wished.accent, paper=wished.paper, corner=wished.corner, scale=wished.scale
    ).as_json()
    partner.save()
    audit.record(
        organisation=campaign.organisation, by=by, deed="saved partner", subject=f"{campaign.slug}/{partner.slug}",
        origins=origins, consent_line=line,
    )  # fmt: skip
    return partner, wished


@transaction.atomic
def remove_partner(*, partner: Partner, by: User) -> None:
    """Take a partner's pages off the list; letters that came from there stay as they are.

    What people agreed to towards it is ended before, by `letters.agreed`.
    """
    audit.record(
        organisation=partner.campaign.organisation, by=by, deed="removed partner",
        subject=f"{partner.campaign.slug}/{partner.slug}",
    )  # fmt: skip
    partner.delete()


def find(campaign: Campaign, *, slug: str, origin: str) -> Partner | None:
    """Return the partner of this slug; without one, or with an unknown one, the one on whose page this origin is."""
    known = list(campaign.partners.order_by("pk"))
    named = next((partner for partner in known if partner.slug == slug), None)
    return named or next((partner for partner in known if origin and origin in partner.origins), None)


def look_of(partner: Partner) -> Look:
    """Return how a partner's frame looks."""
    return Look(**partner.look)


def source_of(partner: Partner) -> str:
    """Return what letters that begin in this partner's frame name as their source."""
    return f"{SOURCE}{partner.slug}"


def of_source(campaign: Campaign, source: str) -> Partner | None:
    """Return the partner in whose frame a letter with this source began; None for any other source."""
    if not source.startswith(SOURCE):
        return None
    return campaign.partners.filter(slug=source.removeprefix(SOURCE)).first()


def origin_of(address: str) -> str:
    """Return the origin of a web address in the form that browsers compare; "" where it has none that may frame us.

    Only https, and http on this machine: anything else could be changed on its way.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError):
        return ""
    is_local = host in _LOCAL
    if parts.scheme not in ({"http", "https"} if is_local else {"https"}) or not (is_local or _HOST.fullmatch(host)):
        return ""
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, usual} else "")


def _origins(text: str, errors: dict[str, str]) -> Sequence[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [origin_of(line) for line in lines]
    if not lines or len(lines) > MOST_ORIGINS:
        errors["origins"] = f"Name at least one site and at most {MOST_ORIGINS}, one a line."
    elif "" in found:
        wrong = lines[found.index("")][:80]
        errors["origins"] = f"“{wrong}” is not the address of a secure site, such as https://partner.example."
    return list(dict.fromkeys(found))


def _free_slug(campaign: Campaign, name: str) -> str:
    slug = slugify(name)[:24] or "partner"
    taken = set(campaign.partners.values_list("slug", flat=True))
    return next(
        tried for tried in (slug, *(f"{slug}-{n}" for n in range(2, 10_000))) if tried not in taken
    )

"""Partners at the desk: whose pages may show a campaign's form, how it looks there, and what they paste."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import access
from campaigns import dressing, looks, partners, publishing
from campaigns.looks import Look
from campaigns.models import Campaign, Partner
from campaigns.publishing import CampaignRefused
from letters import agreed
from web.organisers import posted
from web.organisers.campaign_frame import campaign_page, find, note, number
from web.organisers.csv_answers import csv_answer
from web.organisers.desk import Desk, for_members
from web.organisers.launching import check

FIXED_HEIGHT = 900  # pixels of a frame without script: the form fits a phone


@dataclass(frozen=True)
class Snippets:
    """What a partner pastes: a frame of fixed height without script, or a link that a script turns into a frame."""

    plain: str
    growing: str


@for_members()
def partners_page(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """List whose pages may show the form."""
    campaign = find(desk, slug)
    return campaign_page(
        request, desk, campaign, "organisers/partners/list.html", tab="overview",
        partners=list(campaign.partners.order_by("name")),
    )  # fmt: skip


@for_members(to_see=access.may_edit_campaigns)
def new_partner(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Add a partner."""
    return _form(request, desk, find(desk, slug), None)


@for_members(to_change=access.may_edit_campaigns)
def edit_partner(request: HttpRequest, desk: Desk, slug: str, partner_slug: str) -> HttpResponse:
    """Show what a partner pastes; change which pages may show the form and how it looks there."""
    campaign = find(desk, slug)
    return _form(request, desk, campaign, _find(campaign, partner_slug))


@require_POST
@for_members(to_see=access.may_read_letters)
def agreed_csv(_request: HttpRequest, desk: Desk, slug: str, partner_slug: str) -> HttpResponseBase:
    """Give who agreed that a partner may write to them, as a file; who took it is written down."""
    partner = _find(find(desk, slug), partner_slug)
    return csv_answer(
        f"{slug}-{partner_slug}-agreed", agreed.hand_out(partner, by=desk.person, now=timezone.now())
    )


@for_members(to_see=access.may_edit_campaigns)
def remove_partner(request: HttpRequest, desk: Desk, slug: str, partner_slug: str) -> HttpResponse:
    """Ask whether a partner's pages shall show the form no more; by POST take them off the list."""
    campaign = find(desk, slug)
    partner = _find(campaign, partner_slug)
    back = reverse("organisers:partners", args=[campaign.slug])
    if request.method == "POST":
        agreed.remove_partner(partner=partner, by=desk.person, now=timezone.now())
        note(request, _("%(name)s shows the form no more.") % {"name": partner.name})
        return redirect(back)
    return campaign_page(
        request, desk, campaign, "organisers/delivery/check.html", tab="overview",
        **check(
            title=_("Take %(name)s off the list?") % {"name": partner.name},
            sentences=[
                _("Their pages show a card with a link instead of the form, at once."),
                _("Letters that came from there stay as they are."),
                *_what_ends(partner),
            ],
            button=_("Take it off"), back=back, dangerous=True,
        ),
    )  # fmt: skip


def snippets(partner: Partner) -> Snippets:
    """Return what a partner pastes into a page."""
    campaign = partner.campaign
    title = publishing.page_text(campaign).title
    page = reverse("supporters:campaign", args=[campaign.default_language, campaign.slug])
    frame = f"{settings.BASE_URL}{reverse('embed:frame', args=[campaign.slug])}?partner={partner.slug}"
    loader = f"{settings.BASE_URL}{reverse('embed:loader')}"
    plain = format_html(
        '<iframe src="{}" title="{}" loading="lazy" width="100%" height="{}" style="border:0" '
        'allow="clipboard-write; web-share"></iframe>',
        frame, title, FIXED_HEIGHT,
    )  # fmt: skip
    growing = format_html(
        '<a href="{}{}" data-postbag="{}">{}</a>\n<script src="{}" async></script>',
        settings.BASE_URL, page, frame, title, loader,
    )  # fmt: skip
    return Snippets(plain + "", growing + "")  # plain text again: the page shows their source


def _form(request: HttpRequest, desk: Desk, campaign: Campaign, partner: Partner | None) -> HttpResponse:
    values, errors = _values(campaign, partner), dict[str, str]()
    if request.method == "POST":
        values = _read(request)
        try:
            saved, wished = partners.save_partner(campaign=campaign, by=desk.person, values=values, partner=partner)
        except CampaignRefused as refused:
            errors = refused.errors
        else:
            note(request, _said(saved, wished))
            return redirect("organisers:partner", campaign.slug, saved.slug)
    return campaign_page(
        request, desk, campaign, "organisers/partners/form.html", tab="overview", status=422 if errors else 200,
        partner=partner, values=values, errors=errors, snippets=snippets(partner) if partner else None,
        scales=[(str(scale), f"{scale} %") for scale in looks.SCALES], line_limit=partners.LINE_LIMIT,
        agreed=agreed.people(partner, now=timezone.now()).count() if partner else 0,
    )  # fmt: skip


def _what_ends(partner: Partner) -> list[str]:
    n = agreed.people(partner, now=timezone.now()).count()
    if not n:
        return []
    return [
        ngettext(
            "%(n)s person agreed to hear from them. That ends, and nobody can get the list any more.",
            "%(n)s people agreed to hear from them. That ends, and nobody can get the list any more.",
            n,
        ) % {"n": number(n)}
    ]  # fmt: skip


def _said(partner: Partner, wished: Look) -> str:
    """Say that it is saved, and which colours were moved so that everybody can read them."""
    kept = partners.look_of(partner)
    moved = [
        _("%(wished)s was hard to read there: it is %(kept)s now.") % {"wished": before, "kept": after}
        for before, after in ((wished.accent, kept.accent), (wished.paper, kept.paper))
        if before != after
    ]
    return " ".join([_("Saved."), *moved])


def _read(request: HttpRequest) -> dict[str, Any]:
    form = request.POST
    return {
        "name": posted.line(form, "name"),
        "origins": posted.text(form, "origins"),
        "consent_line": posted.line(form, "consent_line"),
        "accent": posted.line(form, "accent"),
        "paper": posted.line(form, "paper"),
        "corner": posted.whole(form, "corner", most=looks.MOST_CORNER, otherwise=3),
        "scale": posted.whole(form, "scale", least=looks.SCALES[0], most=looks.SCALES[-1], otherwise=100),
    }


def _values(campaign: Campaign, partner: Partner | None) -> dict[str, Any]:
    look = partners.look_of(partner) if partner else Look(accent=dressing.look_of(campaign).accent.light)
    return {
        "name": partner.name if partner else "",
        "origins": "\n".join(partner.origins) if partner else "",
        "consent_line": partner.consent_line if partner else "",
        "accent": look.accent, "paper": look.paper, "corner": look.corner, "scale": look.scale,
    }  # fmt: skip


def _find(campaign: Campaign, slug: str) -> Partner:
    found = campaign.partners.filter(slug=slug).first()
    if found is None:
        raise Http404
    return found

"""From an address to what it names: campaigns by slug, letters by token; anything else is a 404."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import override

from campaigns import partners
from campaigns.models import Ask, Campaign
from letters import tokens, writing
from letters.models import Letter
from web import framing, languages
from web.same_origin import same_origin_only
from web.supporters import endings, partner_lines

_YES = re.compile("yes")
# What goes along from step to step in the address, and what it looks like.
CARRIED = {"news": _YES, "asked": _YES, partner_lines.BOX: partner_lines.MARK}


class SeeOther(HttpResponseRedirect):
    """303: whatever was posted is done; what there is to see stands elsewhere."""

    status_code = 303


@dataclass(frozen=True)
class Draft:
    """A letter on its way through the steps, and the token that opened it."""

    letter: Letter
    purpose: str
    token: str
    lang: str

    def url(self, step: str, **carried: str) -> str:
        """Return the address of one of the steps: to, write, check, confirm, sent."""
        return draft_url(self.letter, self.purpose, step, lang=self.lang, **carried)


def draft_url(letter: Letter, purpose: str, step: str, *, lang: str, **carried: str) -> str:
    """Return the address of a letter's step, opened by a token of this purpose."""
    token = tokens.make(purpose, bytes(letter.key))
    address = reverse(f"supporters:{step}", kwargs={"lang": lang, "campaign": letter.campaign.slug, "token": token})
    kept = {name: value for name, value in carried.items() if value}
    return f"{address}?{urlencode(kept)}" if kept else address


def status_url(letter: Letter) -> str:
    """Return the address under which a letter's fate can be followed."""
    return reverse("supporters:status", kwargs={"token": tokens.make(tokens.STATUS, bytes(letter.key))})


def carried(request: HttpRequest) -> dict[str, str]:
    """Return the answers that go along in the address, from the form or the query."""
    given = (request.POST, request.GET)
    found = {}
    for name, looks in CARRIED.items():
        values = (str(form.get(name, "")) for form in given)
        if value := next(filter(looks.fullmatch, values), ""):
            found[name] = value
    return found


def campaign_of(lang: str, slug: str) -> Campaign:
    """Return a campaign that the public may see; raises Http404."""
    known_language(lang)
    campaigns = Campaign.objects.exclude(stage=Campaign.Stage.DRAFT).select_related("organisation")
    campaign = campaigns.prefetch_related("texts").filter(slug=slug).first()
    if campaign is None:
        raise Http404
    return campaign


def ask_of(campaign: Campaign, slug: str) -> Ask:
    """Return one of a campaign's asks; raises Http404."""
    ask = campaign.asks.select_related("target_list").prefetch_related("texts").filter(slug=slug).first()
    if ask is None:
        raise Http404
    ask.campaign = campaign
    return ask


def known_language(lang: str) -> None:
    """Raise Http404 for a language that the pages do not speak."""
    if not languages.is_offered(lang):
        raise Http404


def for_supporters(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Guard a page without cookies, in the language of its address or browser; a closed campaign returns the text."""

    @same_origin_only
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        lang = str(kwargs.get("lang") or languages.of_request(request))
        known_language(lang)
        with override(lang):
            try:
                return view(request, *args, **kwargs)
            except writing.CampaignClosed:
                slug = str(kwargs.get("campaign", ""))
                return endings.closed(request, campaign_of(lang, slug), lang=lang)

    return guarded


def by_token(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a page whose address is a secret: not kept, not passed on, not found by search."""

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return as_secret(view(request, *args, **kwargs))

    return marked


def as_secret(response: HttpResponse) -> HttpResponse:
    """Mark one answer like that."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response


def for_writers(view: Callable[[HttpRequest, Draft], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Hand a step the letter that its token opens; one that ended, or its campaign, has its own page."""

    @for_supporters
    @by_token
    @wraps(view)
    def opened(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        found = writing.find((tokens.DRAFT, tokens.PROVEN), kwargs["token"])
        if found is None or found[0].campaign.slug != kwargs["campaign"]:
            raise Http404
        letter, purpose = found
        draft = Draft(letter, purpose, kwargs["token"], kwargs["lang"])
        partner = partners.of_source(letter.campaign, letter.source)
        framing.is_shown_by(request, partner)
        response = _answer(request, draft)
        return framing.allow(response, partner.origins) if partner is not None else response

    def _answer(request: HttpRequest, draft: Draft) -> HttpResponse:
        letter = draft.letter
        if letter.stage in {Letter.Stage.EXPIRED, Letter.Stage.WITHDRAWN}:
            return endings.gone(request, letter, lang=draft.lang)
        if not letter.campaign.is_open and letter.stage != Letter.Stage.CONFIRMED:
            return endings.closed(request, letter.campaign, lang=draft.lang, letter=letter)
        try:
            return view(request, draft)
        except writing.CampaignClosed:  # at this very moment
            campaign = campaign_of(draft.lang, letter.campaign.slug)
            return endings.closed(request, campaign, lang=draft.lang, letter=letter)

    return opened

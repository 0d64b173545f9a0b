"""The form in a partner's page: shown where the campaign lists that page's site, else a card with a link."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_POST, require_safe

from campaigns import closing, partners, publishing
from campaigns.models import Ask, Campaign, Partner
from letters import statistics, tokens, writing
from web import errors, framing, throttling
from web.same_origin import same_origin_only
from web.supporters import away, endings, envelope
from web.supporters.finding import SeeOther, ask_of, campaign_of, draft_url


@require_safe
def frame(request: HttpRequest, *, campaign: str) -> HttpResponse:
    """Show the first ask's form, compact; `?partner=` says whose page it is, `?lang=` in which language."""
    found = campaign_of(settings.LANGUAGE_CODE, campaign)
    lang = _language(request, found)
    parent = partners.origin_of(request.headers.get("Referer", ""))
    partner = partners.find(found, slug=request.GET.get("partner", ""), origin=parent)
    with override(lang):
        if partner is None or not (parent in {"", partners.origin_of(settings.BASE_URL)} or parent in partner.origins):
            return _card(request, found, lang=lang)
        if not found.is_open:
            return _card(request, found, lang=lang, partner=partner)
        asks = list(found.asks.select_related("target_list").prefetch_related("texts"))
        return _form(request, partner, asks[0] if asks else None, lang=lang, sentence="")


@same_origin_only
@require_POST
def begin(request: HttpRequest, *, campaign: str, ask: str) -> HttpResponseBase:
    """Begin a letter in a partner's frame; the further steps stay in it."""
    found = campaign_of(settings.LANGUAGE_CODE, campaign)
    opened = ask_of(found, ask)
    lang = _language(request, found)
    partner = partners.find(found, slug=request.POST.get("partner", ""), origin="")
    if partner is None:
        raise Http404
    with override(lang):
        sentence, to = request.POST.get("sentence", ""), envelope.answer(request)
        if found.is_open and request.POST.get("then") == away.STAY:
            return _form(request, partner, opened, lang=lang, sentence=sentence, country=to.country)
        if wait := throttling.must_wait(request, deed="begin", now=timezone.now(), most=throttling.MOST_BEGUN):
            framing.is_shown_by(request, partner)
            return framing.allow(errors.too_many(request, wait=wait), partner.origins)
        try:
            letter = writing.begin(
                ask=opened, language=lang, now=timezone.now(), sentence=sentence, source=partners.source_of(partner),
                country=to.country, targets=to.named,
            )  # fmt: skip
        except writing.CampaignClosed:
            return _card(request, found, lang=lang, partner=partner)
        except writing.LetterRefused as refused:
            return _form(
                request, partner, opened, lang=lang, sentence=sentence, country=to.country, errors=refused.errors
            )
    step = envelope.next_step(request, opened)
    return framing.allow(SeeOther(draft_url(letter, tokens.DRAFT, step, lang=lang)), partner.origins)


@require_safe
def loader(_request: HttpRequest) -> HttpResponse:
    """Give the script that turns a partner's link into a frame of the right height."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@lru_cache(maxsize=1)
def _script() -> bytes:
    return (Path(settings.STATICFILES_DIRS[0]) / "js" / "embed.js").read_bytes()


def _form(
    request: HttpRequest, partner: Partner, ask: Ask | None, *, lang: str, sentence: str,
    country: str = "", errors: dict[str, str] | None = None,
) -> HttpResponse:  # fmt: skip
    framing.is_shown_by(request, partner)
    context = {
        "lang": lang,
        "campaign": partner.campaign,
        "text": publishing.page_text(partner.campaign, lang),
        "ask": ask,
        "ask_text": publishing.text_of(ask, lang) if ask else None,
        **envelope.of(ask, country=country, now=timezone.now()),
        "sentence": sentence,
        "address": _address(partner.campaign, lang),
        "errors": errors or {},
    }
    response = render(request, "embed/form.html", context, status=422 if errors else 200)
    return framing.allow(response, partner.origins)


def _card(request: HttpRequest, campaign: Campaign, *, lang: str, partner: Partner | None = None) -> HttpResponse:
    """Show a card that leads to the campaign's own page: there is nothing in it that a foreign page could misuse."""
    closing.settle(campaign, now=timezone.now())
    framing.is_shown_by(request, partner or Partner(campaign=campaign, slug="", name="", origins=[]))
    context = {
        "lang": lang,
        "campaign": campaign,
        "text": publishing.page_text(campaign, lang),
        "address": _address(campaign, lang),
        "ending": "" if campaign.is_open else campaign.ending or "ended",
        "letters_sent": 0 if campaign.is_open else endings.shown(statistics.letters_sent(campaign)),
    }
    return framing.allow(render(request, "embed/card.html", context), framing.EVERYBODY)


def _address(campaign: Campaign, lang: str) -> str:
    return reverse("supporters:campaign", kwargs={"lang": lang, "campaign": campaign.slug})


def _language(request: HttpRequest, campaign: Campaign) -> str:
    known = dict(settings.LANGUAGES)
    asked = (request.GET.get("lang", ""), request.POST.get("lang", ""))  # the switch sends the form elsewhere
    return next((lang for lang in (*asked, campaign.default_language) if lang in known), settings.LANGUAGE_CODE)

"""The campaign page, and the first step: beginning a letter."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from campaigns import languages, partners, publishing
from campaigns.models import Ask, Campaign
from letters import statistics, tokens, writing
from letters.models import Letter
from targets import countries
from web import errors, throttling
from web.supporters import away, compact, consent_words, endings, envelope
from web.supporters.finding import SeeOther, ask_of, campaign_of, draft_url, for_supporters


@for_supporters
@require_http_methods(["GET", "HEAD"])
def campaign_page(request: HttpRequest, *, lang: str, campaign: str) -> HttpResponse:
    """Show who decides, why a letter helps, and the first ask."""
    found = campaign_of(lang, campaign)
    if not found.is_open:
        return endings.closed(request, found, lang=lang)
    asks = _asks(found)
    return _page(request, found, asks, asks[0] if asks else None, lang=lang, values=_asked(request))


@for_supporters
@require_http_methods(["GET", "HEAD", "POST"])
def ask_page(request: HttpRequest, *, lang: str, campaign: str, ask: str) -> HttpResponse:
    """Show the page with this ask opened; POST begins a letter for it and leads to writing."""
    found = campaign_of(lang, campaign)
    opened = ask_of(found, ask)
    if not found.is_open:
        return endings.closed(request, found, lang=lang)
    if request.method != "POST":
        return _page(request, found, _asks(found), opened, lang=lang, values=_asked(request))
    to = envelope.answer(request)
    values = {name: request.POST.get(name, "") for name in ("sentence", "via", "after")} | {"country": to.country}
    has_letter = compact.is_sent(request)
    if has_letter:
        values = compact.typed(request) | values
    if request.POST.get("then") == away.STAY:  # shown at once: no address may hold what is typed
        return _page(request, found, _asks(found), opened, lang=lang, values=values)
    if wait := throttling.must_wait(request, deed="begin", now=timezone.now(), most=throttling.MOST_BEGUN):
        return errors.too_many(request, wait=wait)
    earlier, purpose = _earlier(found, request.POST.get("after", ""))
    source = _kept_source(earlier) or _source(request.POST.get("via", ""))
    try:
        letter = writing.begin(
            ask=opened, language=lang, now=timezone.now(), sentence="" if has_letter else values["sentence"],
            source=source, after=earlier, proven=purpose == tokens.PROVEN, country=to.country, targets=to.named,
            drawn=request.POST.get(compact.DRAWN, ""),
        )  # fmt: skip
    except writing.LetterRefused as refused:
        return _page(request, found, _asks(found), opened, lang=lang, values=values, errors=refused.errors)
    if has_letter:
        return compact.begun(request, letter, lang=lang)
    return SeeOther(draft_url(letter, tokens.DRAFT, envelope.next_step(request, opened), lang=lang))


def not_told(request: HttpRequest, campaign: Campaign, *, lang: str, errors: dict[str, str]) -> HttpResponse:
    """Show the page again on which somebody wanted to be told once, with what is wrong with the address."""
    asks = _asks(campaign)
    slug = request.POST.get("ask", "")
    opened = next((ask for ask in asks if ask.slug == slug), asks[0] if asks else None)
    values = {**_asked(request), "email": " ".join(request.POST.get("email", "")[:300].split())}
    return _page(request, campaign, asks, opened, lang=lang, values=values, errors=errors)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    asks: list[Ask],
    opened: Ask | None,
    *,
    lang: str,
    values: dict[str, str],
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    written, now = languages.language_of_page(campaign, asks, lang), timezone.now()
    to = envelope.of(opened, country=values["country"], now=now)
    earlier, _purpose = _earlier(campaign, values["after"])
    context: dict[str, Any] = {
        "values": values,
        **compact.of(request, opened, to=to, values=values, after=earlier, lang=lang, now=now),
        "lang": lang,
        "campaign": campaign,
        "text": publishing.page_text(campaign, written),
        "asks": [(ask, publishing.text_of(ask, written)) for ask in asks],
        "opened": opened,
        "ask_text": publishing.text_of(opened, written) if opened else None,
        **to,
        "letters_sent": endings.shown(statistics.letters_sent(campaign)),
        "once_words": consent_words.once(campaign),
        "asked": request.GET.get("asked") == "once",
        "email": values.get("email", ""),
        "errors": errors or {},
    }
    response = render(request, "supporters/campaign.html", context, status=422 if errors else 200)
    if context[compact.DRAWN]:
        response["Cache-Control"] = "private"  # each reader is shown variants of their own
    return response


def _asks(campaign: Campaign) -> list[Ask]:
    return list(campaign.asks.select_related("target_list").prefetch_related("texts"))


def _asked(request: HttpRequest) -> dict[str, str]:
    return {
        "sentence": "",
        "via": _source(request.GET.get("via", "")),
        "after": "",
        "country": countries.code_of(request.GET.get("country", "")),
    }


def _source(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isascii() and (sign.isalnum() or sign in "-_"))[:40]


def _kept_source(earlier: Letter | None) -> str:
    """Return the source of an earlier letter that began in a partner's frame: the next one goes on in it."""
    return earlier.source if earlier is not None and earlier.source.startswith(partners.SOURCE) else ""


def _earlier(campaign: Campaign, token: str) -> tuple[Letter | None, str]:
    """Return the same person's earlier letter in this campaign, and whether its token says "just proven"."""
    found = writing.find((tokens.PROVEN, tokens.DRAFT), token) if token else None
    if found is None or found[0].campaign_id != campaign.pk:
        return None, ""
    return found

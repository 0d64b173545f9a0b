"""The campaign page, and the first step: beginning a letter."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import partners, publishing
from campaigns.models import Ask, Campaign
from letters import choosing, statistics, tokens, writing
from letters.models import Letter
from targets import countries, lists
from targets.models import Target
from web.supporters import endings, people
from web.supporters.finding import SeeOther, ask_of, campaign_of, draft_url, for_supporters

NAMED_TARGETS = 3


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
    earlier, purpose = _earlier(found, request.POST.get("after", ""))
    source = _kept_source(earlier) or _source(request.POST.get("via", ""))
    country = countries.code_of(request.POST.get("country", ""))
    try:
        letter = writing.begin(
            ask=opened, language=lang, now=timezone.now(), sentence=request.POST.get("sentence", ""),
            source=source, after=earlier, proven=purpose == tokens.PROVEN, country=country,
            targets=_shown(request, country),
        )  # fmt: skip
    except writing.LetterRefused as refused:
        values = {name: request.POST.get(name, "") for name in ("sentence", "via", "after")}
        values["country"] = country
        return _page(request, found, _asks(found), opened, lang=lang, values=values, errors=refused.errors)
    wants_to_choose = request.POST.get("then") == "to" or opened.mode == Ask.Mode.UP_TO
    step = "to" if opened.offers_choice and wants_to_choose else "write"
    return SeeOther(draft_url(letter, tokens.DRAFT, step, lang=lang))


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
    targets = lists.deliverable(opened.target_list, now=timezone.now()) if opened else Target.objects.none()
    able = targets.count()
    sent = statistics.letters_sent(campaign)
    context: dict[str, Any] = {
        "lang": lang,
        "campaign": campaign,
        "text": publishing.page_text(campaign, lang),
        "asks": [(ask, publishing.text_of(ask, lang)) for ask in asks],
        "opened": opened,
        "opened_text": publishing.text_of(opened, lang) if opened else None,
        "going": _going(opened, targets, values["country"]) if opened else [],
        "more": 0 if opened is None or opened.offers_choice else max(able - NAMED_TARGETS, 0),
        "able": able,
        **_by_country(opened, targets, values["country"]),
        "most_words": people.count_words(opened.target_list.kind, opened.most_targets) if opened else "",
        "letters_sent": sent if sent >= endings.SHOWN_FROM else 0,
        "values": values,
        "errors": errors or {},
    }
    return render(request, "supporters/campaign.html", context, status=422 if errors else 200)


def _going(ask: Ask, targets: QuerySet[Target], country: str) -> list[tuple[Target, str]]:
    """Return those whom the page names and, where we suggest them, why; nobody where there is no country to go by."""
    if not ask.offers_choice:
        return [(target, "") for target in targets[:NAMED_TARGETS]]
    if ask.mode == Ask.Mode.BY_COUNTRY and not country:
        return []
    known = choosing.candidates(ask, now=timezone.now())
    suggested = choosing.suggest(ask, known, country=country)
    reasons = choosing.reasons(known, suggested, country=country)
    found = targets.in_bulk(suggested)
    return [(found[target], people.reason_words(reasons[target])) for target in suggested if target in found]


def _by_country(ask: Ask | None, targets: QuerySet[Target], country: str) -> dict[str, Any]:
    """Return the countries to choose from, and what is to be said where nobody is from the one that was chosen."""
    if ask is None or ask.mode != Ask.Mode.BY_COUNTRY:
        return {"countries": [], "nobody": ""}
    known = people.countries_of(targets.order_by().values_list("country", flat=True).distinct())
    choices = [("", _("Choose your country")), *known, (countries.ELSEWHERE, _("Another country"))]
    if country and country not in dict(choices):  # an address may name one that the page does not offer
        choices.append((country, people.country_name(country)))
    is_elsewhere = country and country not in dict(known)
    return {"countries": choices, "nobody": people.nobody_from(country) if is_elsewhere else ""}


def _shown(request: HttpRequest, country: str) -> list[str] | None:
    """Return the people that the page named, by public id; None where it named nobody, or somebody elsewhere's."""
    ids = request.POST.getlist("to")
    return ids if ids and request.POST.get("named-for", "") == country else None


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

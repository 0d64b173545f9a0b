"""To whom a letter goes, as a page says on which it begins: the campaign's own, or the form in a partner's frame."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.models import Ask, Campaign
from letters import choosing
from targets import countries, exclusions, lists
from targets.models import Target
from web.supporters import people

NAMED_TARGETS = 3


@dataclass(frozen=True)
class Answer:
    """What the form said of it: the supporter's country, and the people that it named, by public id."""

    country: str
    named: list[str] | None  # None where it named nobody, or somebody for another country


def answer(request: HttpRequest) -> Answer:
    """Read a form that `envelope.html` is part of."""
    country = countries.code_of(request.POST.get("country", ""))
    ids = request.POST.getlist("to")
    return Answer(country, ids if ids and request.POST.get("named-for", "") == country else None)


def next_step(request: HttpRequest, ask: Ask) -> str:
    """Return where the form leads: to writing, or to choosing first where its "Change" was pressed."""
    wants_to_choose = request.POST.get("then") == "to" or ask.mode == Ask.Mode.UP_TO
    return "to" if ask.offers_choice and wants_to_choose else "write"


def is_stuck(campaign: Campaign, *, now: datetime) -> bool:
    """Return whether a campaign has a letter that no e-mail would bring to anybody."""
    asks = campaign.asks.select_related("target_list")
    return any(not lists.deliverable(ask.target_list, now=now).exists() for ask in asks)


def of(ask: Ask | None, *, country: str, now: datetime) -> dict[str, Any]:
    """Return what `envelope.html` shows. `able` is how many a letter could go to: without any it has no place.

    Then `by_post` says whether it could be posted to anybody, and `left_out` whether organisers left people out.
    """
    targets = lists.deliverable(ask.target_list, now=now) if ask else Target.objects.none()
    able = targets.count()
    return {
        "able": able,
        "by_post": ask is not None and not able and bool(lists.reachable_targets(ask.target_list, now=now)),
        "left_out": ask is not None and not able and exclusions.in_force(ask.target_list, now=now).exists(),
        "going": _going(ask, targets, country, now=now) if ask else [],
        "more": 0 if ask is None or ask.offers_choice else max(able - NAMED_TARGETS, 0),
        "most_words": people.count_words(ask.target_list.kind, ask.most_targets) if ask else "",
        "country": country,
        **_by_country(ask, targets, country, now=now),
    }


def _going(ask: Ask, targets: QuerySet[Target], country: str, *, now: datetime) -> list[tuple[Target, str]]:
    """Return those whom the page names and, where we suggest them, why; nobody where there is no country to go by."""
    if not ask.offers_choice:
        return [(target, "") for target in targets[:NAMED_TARGETS]]
    if ask.mode == Ask.Mode.BY_COUNTRY and not country:
        return []
    known = choosing.candidates(ask, now=now)
    suggested = choosing.suggest(ask, known, country=country)
    reasons = choosing.reasons(known, suggested, country=country)
    found = targets.in_bulk(suggested)
    return [(found[target], people.reason_words(reasons[target])) for target in suggested if target in found]


def _by_country(ask: Ask | None, targets: QuerySet[Target], country: str, *, now: datetime) -> dict[str, Any]:
    """Return the countries to choose from, and what is to be said where nobody is from the one that was chosen."""
    if ask is None or ask.mode != Ask.Mode.BY_COUNTRY:
        return {"countries": [], "nobody": ""}
    known = people.countries_of(targets.order_by().values_list("country", flat=True).distinct())
    choices = [("", _("Choose your country")), *known, (countries.ELSEWHERE, _("Another country"))]
    if country and country not in dict(choices):  # an address may name one that the page does not offer
        choices.append((country, people.country_name(country)))
    if choosing.is_home_left_out(ask, country, now=now):
        nobody = people.nobody_now_from(country)
    else:
        nobody = people.nobody_from(country) if country and country not in dict(known) else ""
    return {"countries": choices, "nobody": nobody}

"""The campaign's page with the letter on it, where a campaign is compact: shown before it begins, kept once it is sent.

Only where the people it goes to are known from the start, and nothing has to be said before anybody is asked who
they are: else the letter is written on a page of its own, in compact campaigns too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from campaigns.models import Ask
from letters import tokens, writing
from letters.models import Letter
from web.supporters import away, draft, sheet
from web.supporters.finding import Draft, as_secret

DRAWN = "drawn"  # the field that says which wording and variants a page showed
_MODES = {Ask.Mode.FIXED, Ask.Mode.SUGGESTED}


def is_sent(request: HttpRequest) -> bool:
    """Return whether the form that was sent had the letter on it."""
    return DRAWN in request.POST


def typed(request: HttpRequest) -> dict[str, str]:
    """Return what such a form holds of the letter, to be shown again."""
    return draft.sendable(draft.typed(request))


def of(
    request: HttpRequest,
    ask: Ask | None,
    *,
    to: Mapping[str, Any],
    values: Mapping[str, str],
    after: Letter | None,
    lang: str,
    now: datetime,
) -> dict[str, Any]:
    """Return what a campaign's page shows of the letter; nothing where it is written on a page of its own.

    `to` is what `envelope.of` says, `values` what was typed. Variants are drawn here, and come back with the form: one
    that was sent is shown again whatever the organisers decided meanwhile.
    """
    if ask is None or not to["going"] or not (is_sent(request) or _stands_on_the_page(ask)):
        return {DRAWN: ""}
    named = [target for target, _reason in to["going"]]
    try:
        letter = writing.begin(
            ask=ask, language=lang, now=now, after=after, country=values.get("country", ""),
            targets=[target.public_id for target in named] if ask.offers_choice else None,
            drawn=request.POST.get(DRAWN, ""), is_kept=False,
        )  # fmt: skip
    except (writing.CampaignClosed, writing.LetterRefused):
        return {DRAWN: ""}  # no wording, or nobody any more: the next step says so
    shown = {**writing.read(letter).values(), **values}
    return {
        **sheet.of(request, letter, shown, to=named[0], reached=len(named) + to["more"], lang=lang),
        DRAWN: tokens.drawn(letter.template_id, letter.draw, now=now),
        "by_post_only": False,
    }


def begun(request: HttpRequest, letter: Letter, *, lang: str) -> HttpResponse:
    """Keep what was typed in a letter that begins with it, and lead on as the page to write on would.

    That page comes first where organisers have found meanwhile that a warning has to.
    """
    opened = Draft(letter, tokens.DRAFT, tokens.make(tokens.DRAFT, bytes(letter.key)), lang)
    if letter.ask.is_dangerous:
        return as_secret(away.leave(request, opened, away.STAY, draft.typed(request)))
    return as_secret(draft.take(request, opened))


def _stands_on_the_page(ask: Ask) -> bool:
    return ask.campaign.is_compact and ask.mode in _MODES and not ask.is_dangerous

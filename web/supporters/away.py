"""Leaving the page to write on before the letter is whole: what was typed is kept first."""

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from letters import writing
from letters.models import Letter
from web.supporters.finding import Draft, SeeOther, carried

STAY, TO, BACK = "stay", "to", "back"  # in another language; who gets the letter; the campaign's page
WAYS = (STAY, TO, BACK)


def keep(letter: Letter, posted: Mapping[str, str]) -> None:
    """Keep what was typed, also where the form is unfinished; a letter that nobody changed is left alone.

    One that waits for its confirmation would have to be sent again otherwise.
    """
    kept = writing.read(letter).values()
    if any(text.replace("\r\n", "\n").strip() != kept[name] for name, text in posted.items()):
        with suppress(writing.LetterRefused):  # the page says so when the letter is to be checked
            writing.revise(letter, posted=posted, now=timezone.now())


def leave(request: HttpRequest, draft: Draft, way: str, posted: Mapping[str, str]) -> HttpResponse:
    """Keep what was typed and lead where a button asked; the language is that of the address."""
    keep(draft.letter, posted)
    if way == BACK:
        return SeeOther(_beginning(request, draft))
    return SeeOther(draft.url("to" if way == TO else "write", **carried(request)))


def _beginning(request: HttpRequest, draft: Draft) -> str:
    """Return the page on which the letter began: the campaign's own, or the form in a partner's frame."""
    names, partner = {"campaign": draft.letter.campaign.slug}, getattr(request, "partner", None)
    if partner is not None:
        asked = urlencode({"partner": partner.slug, "lang": draft.lang})
        return f"{reverse('embed:frame', kwargs=names)}?{asked}"
    return reverse("supporters:ask", kwargs={**names, "lang": draft.lang, "ask": draft.letter.ask.slug})

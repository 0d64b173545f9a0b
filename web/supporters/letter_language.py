"""The language of the letter, apart from the page's: changing it never loses what was typed."""

from collections.abc import Mapping
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from campaigns import languages as campaign_languages
from campaigns import publishing
from letters import languages, writing
from letters.models import Letter
from web.supporters import away
from web.supporters.finding import Draft, SeeOther, carried

ASKED = "letter_language"  # the field, and the question in the address
KEPT, LOADED = "keep", "load"  # what becomes of a text that was changed


def others(letter: Letter) -> list[str]:
    """Return the languages in which the letter can be written beside its own."""
    written = campaign_languages.languages_of(letter.ask)
    return [language for language in written if language != letter.template.language]


def asked_for(request: HttpRequest, letter: Letter) -> str:
    """Return the language that the address asks about; empty where it asks nothing that makes sense."""
    language = request.GET.get(ASKED, "")
    return language if letter.stage != Letter.Stage.CONFIRMED and language in others(letter) else ""


def changed(request: HttpRequest, draft: Draft, posted: Mapping[str, str]) -> HttpResponse:
    """Keep what was typed, and change the language; where the text would be replaced, ask first."""
    letter, language, now = draft.letter, request.POST[ASKED], timezone.now()
    away.keep(letter, posted)
    answer = request.POST.get("text", "")
    if language in others(letter):
        if answer not in {KEPT, LOADED} and languages.is_edited(letter, writing.read(letter)):
            return SeeOther(draft.url("write", **{**carried(request), ASKED: language}))
        with suppress(writing.LetterRefused):  # sent meanwhile from another page: the step that follows says so
            languages.change(letter, language=language, keeps_text=answer == KEPT, now=now)
    return SeeOther(draft.url("write", **carried(request)))


def question(request: HttpRequest, draft: Draft, language: str) -> HttpResponse:
    """Ask whether a changed text is kept or replaced by the letter in another language."""
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": draft.letter,
        "wanted": language,
        "content": writing.read(draft.letter),
        "text": publishing.page_text(draft.letter.campaign, draft.lang),
        "carried": carried(request),
    }
    return render(request, "supporters/letter_language.html", context)

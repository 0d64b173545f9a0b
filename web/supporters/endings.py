"""Where the way ends: a closed campaign, a letter gone or already written. The text is given back."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from campaigns import closing, publishing
from campaigns.models import Campaign
from letters import statistics, writing
from letters.models import Letter
from web.errors import given_back
from web.supporters import consent_words, next_ask
from web.supporters.next_ask import NextAsk

SHOWN_FROM = 100  # fewer letters are not boasted about


def shown(number: int) -> int:
    """Return a number as pages tell it: 0, and nothing is said, where it is too small to be boasted about."""
    return number if number >= SHOWN_FROM else 0


def closed(
    request: HttpRequest,
    campaign: Campaign,
    *,
    lang: str,
    letter: Letter | None = None,
    email: str = "",
    errors: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Say how the campaign ended (200), with its final numbers; give back what was written for it."""
    closing.settle(campaign, now=timezone.now())
    content = writing.read(letter) if letter is not None else None
    typed = given_back(request)
    body, sentence = typed.get("body") or (content.body if content else ""), typed.get("sentence", "")
    context = {
        "lang": lang,
        "campaign": campaign,
        "text": publishing.page_text(campaign, lang),
        "subject": typed.get("subject") or (content.subject if content else ""),
        "written": body,
        "sentence": "" if _words(sentence) in _words(body) else sentence,  # typed anew, or before the letter began
        "letters_sent": shown(statistics.letters_sent(campaign)),
        "people": shown(statistics.people_who_wrote(campaign)),
        "waiting": statistics.not_left(campaign),
        "ending": campaign.ending if not campaign.is_open else "resting",
        "once_words": consent_words.once(campaign),
        "asked": request.GET.get("asked") == "once",
        "email": email,
        "errors": errors or {},
    }
    return render(request, "supporters/closed.html", context, status=422 if errors else 200)


def gone(request: HttpRequest, letter: Letter, *, lang: str) -> HttpResponse:
    """Say that a letter was deleted, taken back or changed, or that its link confirms nothing now (410)."""
    context = {"lang": lang, "letter": letter, "typed": given_back(request)}
    return render(request, "supporters/gone.html", context, status=410)


def already_written(
    request: HttpRequest, letter: Letter, *, lang: str, status_url: str, following: NextAsk | None = None
) -> HttpResponse:
    """Say when this person's letter for the ask was sent, and where it is; and offer the next one."""
    elsewhere = "" if following else next_ask.page_of(letter, lang=lang)
    context = {"lang": lang, "letter": letter, "status_url": status_url, "next": following, "elsewhere": elsewhere}
    return render(request, "supporters/already.html", context)


def _words(text: str) -> str:
    return " ".join(text.split())

"""Writing a letter, and checking it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import composing, consents, own_words, tokens, writing
from letters.composing import Content
from letters.models import Letter
from targets.models import Target
from web import throttling
from web.presentation import time_words
from web.supporters import consent_words, endings
from web.supporters.finding import Draft, SeeOther, carried, draft_url, for_writers, status_url

WRITTEN = ("sentence", "subject", "body", "name", "email", "town")
ALL_IN_FULL = 40  # more targets than this are named, and shown one at a time
FIRST_IN_FULL = 3
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # taken out, as the error says
_CUT = "\ue000"  # a sign of no script: where the body stands in a finished letter


@dataclass(frozen=True)
class Frame:
    """What stands fixed around the part that a supporter edits."""

    salutation: str
    closing: str


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the letter to edit; POST keeps it and leads to checking."""
    letter = draft.letter
    if letter.stage == Letter.Stage.CONFIRMED:
        return SeeOther(draft.url("sent"))
    if request.method != "POST":
        return _write_page(request, draft, writing.read(letter).values())
    posted = {name: request.POST[name] for name in WRITTEN if name in request.POST}
    try:
        writing.revise(letter, posted=posted, now=timezone.now())
    except writing.LetterRefused as refused:
        typed = {name: _UNSENDABLE.sub("", text) for name, text in posted.items()}
        return _write_page(request, draft, {**writing.read(letter).values(), **typed}, refused.errors)
    return SeeOther(draft.url("check", **carried(request)))


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the finished letter as each target will read it; POST sends it."""
    letter, now = draft.letter, timezone.now()
    if letter.stage != Letter.Stage.DRAFT:
        step = "sent" if letter.stage == Letter.Stage.CONFIRMED else "confirm"
        return SeeOther(draft.url(step, **carried(request)))
    try:
        content = writing.revise_check(letter)
    except writing.LetterRefused as refused:
        if request.method != "POST":
            return SeeOther(draft.url("write", **carried(request)))
        return _write_page(request, draft, writing.read(letter).values(), refused.errors)
    if request.method != "POST":
        return _check_page(request, draft, content)
    if wait := throttling.must_wait(request, deed="send", now=now):
        return _check_page(request, draft, content, wait=wait)
    try:
        confirmed = writing.submit(letter, now=now)
    except writing.AlreadyWritten as known:
        link = status_url(known.letter)
        return endings.already_written(request, known.letter, lang=draft.lang, status_url=link)
    if not confirmed:
        return SeeOther(draft_url(letter, tokens.DRAFT, "confirm", lang=draft.lang, **carried(request)))
    if carried(request).get("news"):
        want_news(letter, now=now)
    # Only a letter whose writer had just proven the address is confirmed here and now.
    purpose = tokens.PROVEN if letter.proven else draft.purpose
    return SeeOther(draft_url(letter, purpose, "sent", lang=draft.lang))


def news_words(letter: Letter) -> str:
    """Return the words that a supporter agrees to when they tick the box."""
    return consent_words.news(letter.campaign)


def want_news(letter: Letter, *, now: datetime) -> None:
    """Keep that the supporter, whose address is proved, wants to hear what happens, in the words of the box."""
    if letter.supporter is not None:
        consents.give(
            letter.supporter, consents.Purpose.NEWS, words=news_words(letter), language=get_language() or "", now=now
        )


def frame_of(letter: Letter, content: Content, target: Target) -> Frame:
    """Return salutation and closing for one target, cut from the finished letter: they cannot differ."""
    shown = replace(content, body=_CUT, name=content.name or _("Your name"))
    finished = composing.Finisher(letter.template, shown, draw=letter.draw).finish(target.values())
    salutation, _cut, closing = finished.text.partition(_CUT)
    return Frame(salutation.strip(), closing.strip())


def _write_page(
    request: HttpRequest, draft: Draft, values: dict[str, str], errors: dict[str, str] | None = None
) -> HttpResponse:
    letter = draft.letter
    targets = writing.targets_of(letter, now=timezone.now())
    content = Content(**values)
    given = composing.given(letter.template, content, draw=letter.draw)[1]
    context: dict[str, Any] = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "ask": letter.ask,
        "ask_title": publishing.title_of(letter.ask, draft.lang),
        "ask_text": publishing.text_of(letter.ask, draft.lang),
        "text": publishing.page_text(letter.campaign, draft.lang),
        "values": values,
        "errors": errors or {},
        "targets": targets,
        "frame": frame_of(letter, content, targets[0]) if targets else Frame("", ""),
        "own_words": own_words.count(content.body, given),
        "news_words": news_words(letter),
        "carried": carried(request),
    }
    return render(request, "supporters/write.html", context, status=422 if errors else 200)


def _check_page(request: HttpRequest, draft: Draft, content: Content, *, wait: int = 0) -> HttpResponse:
    """Show what would be sent; with `wait` seconds also that it cannot be sent right now, and that it is safe."""
    letter, errors = draft.letter, {}
    if wait:
        again_at = time_words(timezone.now() + timedelta(seconds=wait))
        errors["send"] = _(
            "Many people are writing right now. Your letter is safe on this page. Please try again at %(time)s."
        ) % {"time": again_at}
    previews = writing.previews(letter, now=timezone.now())
    in_full = previews if len(previews) <= ALL_IN_FULL else previews[:FIRST_IN_FULL]
    asked_for = request.GET.get("show", "")
    chosen = next((each for each in previews if each.target.public_id == asked_for), None)
    if chosen is not None and chosen not in in_full:
        in_full = [chosen]
    context: dict[str, Any] = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "ask": letter.ask,
        "ask_title": publishing.title_of(letter.ask, draft.lang),
        "content": content,
        "previews": previews,
        "in_full": in_full,
        "others": [each for each in previews if each not in in_full],
        "chosen": chosen,
        "nudge": letter.own_words == 0 and not carried(request).get("asked"),
        "carried": carried(request),
        "errors": errors,
    }
    answer = render(request, "supporters/check.html", context, status=429 if wait else 200)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer

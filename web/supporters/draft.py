"""Writing a letter, and checking it."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from campaigns.models import Ask
from letters import choosing, consents, continuing, languages, tokens, writing
from letters.composing import Content
from letters.models import Letter
from targets import exclusions
from targets.models import ListEntry
from web import errors, throttling
from web.presentation import time_words
from web.supporters import (
    away,
    consent_words,
    endings,
    fates,
    letter_language,
    misspelt,
    next_ask,
    partner_lines,
    people,
    sheet,
)
from web.supporters.finding import Draft, SeeOther, carried, draft_url, for_writers, status_url

WRITTEN = ("sentence", "subject", "body", "name", "email", "town", "copy_to_me")
WITHOUT_US = ("own-mail", "print")  # the steps of a letter that does not pass through us
LATER = "later"  # the button that asks for a link, and in the address what it led to
ALL_IN_FULL = 40  # more targets than this are named, and shown one at a time
FIRST_IN_FULL = 3
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # taken out, as the error says


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the letter to edit; POST keeps it and leads to checking, or to another of its ways."""
    letter = draft.letter
    if letter.stage == Letter.Stage.CONFIRMED:
        return SeeOther(draft.url("sent"))
    if request.method != "POST":
        if language := letter_language.asked_for(request, letter):
            return letter_language.question(request, draft, language)
        content = writing.read(letter)
        if not choosing.fits(letter.ask, content):
            return SeeOther(draft.url("to", **carried(request)))
        return _write_page(request, draft, content.values())
    return take(request, draft)


def take(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Keep the letter that a form holds, and lead to checking or another of its ways; or say what is wrong with it."""
    letter, posted = draft.letter, typed(request)
    before = writing.read(letter)
    then = next((way for way in WITHOUT_US if request.POST.get("then") == way), "")
    if letter_language.ASKED in request.POST:
        return letter_language.changed(request, draft, posted)
    if (way := request.POST.get("then", "")) in away.WAYS:
        return away.leave(request, draft, way, posted)
    if way == LATER:
        return _keep_for_later(request, draft, posted)
    try:
        writing.revise(letter, posted=posted, now=timezone.now())
    except writing.LetterRefused as refused:
        if then and refused.errors.keys() <= {"email", "town"}:  # which such a letter does without
            return SeeOther(draft.url(then))
        return _write_page(request, draft, _as_typed(letter, posted, before=before), refused.errors)
    return SeeOther(draft.url(then or "check", **carried(request)))


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the finished letter as each target will read it; POST sends it."""
    letter, now = draft.letter, timezone.now()
    if letter.stage != Letter.Stage.DRAFT:
        step = "sent" if letter.stage == Letter.Stage.CONFIRMED else "confirm"
        return SeeOther(draft.url(step, **carried(request)))
    if not choosing.fits(letter.ask, writing.read(letter)):
        return SeeOther(draft.url("to", back="check", **carried(request)))
    if request.POST.get("deed") == "mend":
        return _mend(request, draft, now=now)
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
        confirmed = writing.submit(letter, now=now, language=draft.lang)
    except writing.AlreadyWritten as known:
        link = status_url(known.letter)
        token = tokens.make(tokens.PROVEN, bytes(letter.key))  # only who has just proved the address is told
        following = next_ask.after(letter, token=token, lang=draft.lang, first=known.letter)
        return endings.already_written(request, known.letter, lang=draft.lang, status_url=link, following=following)
    except writing.NobodyReachable as nobody:
        return _check_page(request, draft, content, errors={"to": nobody.sentence})
    if not confirmed:
        return SeeOther(draft_url(letter, tokens.DRAFT, "confirm", lang=draft.lang, **carried(request)))
    boxes = carried(request)
    keep_consents([letter], news="news" in boxes, marks=[boxes.get(partner_lines.BOX, "")], now=now)
    # Only a letter whose writer had just proven the address is confirmed here and now.
    purpose = tokens.PROVEN if letter.proven else draft.purpose
    return SeeOther(draft_url(letter, purpose, "sent", lang=draft.lang))


def _mend(request: HttpRequest, draft: Draft, *, now: datetime) -> HttpResponse:
    """Change the address to the one that the page asked about."""
    if email := misspelt.meant(writing.read(draft.letter).email):
        with suppress(writing.LetterRefused):  # the page that follows says what is missing
            writing.revise(draft.letter, posted={"email": email}, now=now)
    return SeeOther(draft.url("check", **carried(request)))


def keep_consents(letters: Sequence[Letter], *, news: bool, marks: Collection[str], now: datetime) -> None:
    """Keep what the supporter of these letters, whose address is proved, ticked, in the words of each box."""
    letter = letters[0]
    if news and letter.supporter is not None:
        consents.give(
            letter.supporter, consents.Purpose.NEWS, words=consent_words.news(letter.campaign),
            language=get_language() or "", now=now,
        )  # fmt: skip
    partner_lines.agree(letters, marks, now=now)


def _keep_for_later(request: HttpRequest, draft: Draft, posted: dict[str, str]) -> HttpResponse:
    """Keep what was typed, finished or not, for a week, and mail its link to the address that it names."""
    letter, now = draft.letter, timezone.now()
    before = writing.read(letter)
    away.keep(letter, posted)
    if wait := throttling.must_wait(request, deed="send", now=now):
        return errors.too_many(request, wait=wait)
    try:
        continuing.keep_for_later(letter, language=draft.lang, now=now)
    except writing.LetterRefused as refused:
        return _write_page(request, draft, _as_typed(letter, posted, before=before), refused.errors)
    return SeeOther(draft.url("write", **carried(request), **{LATER: "yes"}))


def typed(request: HttpRequest) -> dict[str, str]:
    """Return what a form holds of a letter."""
    return {name: request.POST[name] for name in WRITTEN if name in request.POST}


def sendable(posted: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed without the signs that no letter carries."""
    return {name: _UNSENDABLE.sub("", text) for name, text in posted.items()}


def _as_typed(letter: Letter, posted: Mapping[str, str], *, before: Content) -> dict[str, str]:
    """Return what a letter holds, as far as it was typed just now in those very words.

    A sentence of their own that is another than `before` has come into its text: without it there the next try would
    lose it.
    """
    kept = writing.read(letter)
    shown = {**kept.values(), **sendable(posted)}
    return shown if kept.sentence == before.sentence else {**shown, "body": kept.body}


def _write_page(
    request: HttpRequest, draft: Draft, values: dict[str, str], errors: dict[str, str] | None = None
) -> HttpResponse:
    letter = draft.letter
    content, now = Content(**values), timezone.now()
    mailed = writing.targets_of(letter, now=now)
    targets = mailed or choosing.by_post_alone(letter.ask, content, now=now)
    context: dict[str, Any] = {
        **sheet.of(
            request, letter, values, to=targets[0] if targets else None, reached=len(targets), lang=draft.lang
        ),
        "draft": draft,
        "version": writing.digest(letter)[:8],
        "errors": errors or {},
        "by_post_only": bool(targets) and not mailed,
        "to_names": fates.named([target.name for target in targets]),
        "elsewhere": _elsewhere_words(letter.ask, content, now=now),
        "is_kept": request.GET.get(LATER) == "yes" and letter.kept_until is not None,
    }
    return render(request, "supporters/write.html", context, status=422 if errors else 200)


def _elsewhere_words(ask: Ask, content: Content, *, now: datetime) -> str:
    """Return why the letter goes to nobody of the writer's country, where countries decide."""
    if choosing.is_elsewhere(ask, content):
        return people.nobody_from(content.country)
    is_left_out = choosing.is_home_left_out(ask, content.country, now=now)
    return people.nobody_now_from(content.country) if is_left_out else ""


def _left_out(ask: Ask, content: Content, *, now: datetime) -> list[tuple[ListEntry, str]]:
    """Return whom of those a letter was for the organisers have left out meanwhile, and why."""
    entries = exclusions.in_force(ask.target_list, now=now, only=choosing.chosen(content) or None)
    return [(entry, people.left_out_words(entry)) for entry in entries]


def _check_page(
    request: HttpRequest, draft: Draft, content: Content, *, wait: int = 0, errors: dict[str, str] | None = None
) -> HttpResponse:
    """Show what would be sent; with `wait` seconds also that it cannot be sent right now, and that it is safe."""
    letter, now = draft.letter, timezone.now()
    errors = errors or {}
    if wait:
        again_at = time_words(timezone.now() + timedelta(seconds=wait))
        errors["send"] = _(
            "Many people are writing right now. Your letter is safe on this page. Please try again at %(time)s."
        ) % {"time": again_at}
    previews = writing.previews(letter, now=now)
    in_full = previews if len(previews) <= ALL_IN_FULL else previews[:FIRST_IN_FULL]
    asked_for = request.GET.get("show", "")
    chosen = next((each for each in previews if each.target.public_id == asked_for), None)
    if chosen is not None and chosen not in in_full:
        in_full = [chosen]
    given = languages.given(letter, content)[1]
    context: dict[str, Any] = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "ask": letter.ask,
        "ask_title": publishing.title_of(letter.ask, draft.lang),
        "content": content,
        "meant": misspelt.meant(content.email),
        "previews": previews,
        "to_words": people.count_words(letter.ask.target_list.kind, len(previews)),
        "by_post": fates.named([each.name for each in choosing.by_post_alone(letter.ask, content, now=now)]),
        "left_out": _left_out(letter.ask, content, now=now),
        "in_full": in_full,
        "others": [each for each in previews if each not in in_full],
        "chosen": chosen,
        "courtesy": sheet.courtesy_words(content, given, languages={letter.template.language, draft.lang}),
        "nudge": letter.own_words == 0 and not carried(request).get("asked"),
        "carried": carried(request),
        "errors": errors,
    }
    answer = render(request, "supporters/check.html", context, status=429 if wait else 422 if errors else 200)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer

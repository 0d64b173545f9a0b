"""Proving the address: the page that waits for the mail, and the page that the mail's link opens."""

from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import notices, tokens, writing
from letters.models import Letter, Notice
from letters.page_words import phrase_of_targets
from web.supporters import endings, fates
from web.supporters.draft import news_words
from web.supporters.finding import (
    Draft,
    SeeOther,
    by_token,
    carried,
    draft_url,
    for_supporters,
    for_writers,
    status_url,
)


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Wait for the mail; POST takes its code, or asks for the mail again."""
    letter, now = draft.letter, timezone.now()
    if letter.stage != Letter.Stage.AWAITING:
        step = "sent" if letter.stage == Letter.Stage.CONFIRMED else "check"
        return SeeOther(draft.url(step, **carried(request)))
    if request.method != "POST":
        return _waiting_page(request, draft)
    if request.POST.get("deed") == "again":
        notices.ask_for_confirmation(letter, now=now)
        return SeeOther(draft.url("confirm", **carried(request)))
    if not writing.confirm_by_code(letter, code=request.POST.get("code", "")[:40], now=now):
        letter.refresh_from_db(fields=["stage"])
        if letter.stage == Letter.Stage.AWAITING:
            return _waiting_page(request, draft, {"code": _wrong_code(request.POST.get("code", ""))})
        return _fitted_too_late(request, draft)
    if request.POST.get("news"):
        writing.consent_to_news(letter, words=news_words(letter), now=now)
    return SeeOther(draft_url(letter, tokens.PROVEN, "sent", lang=draft.lang))


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, *, lang: str, campaign: str, token: str) -> HttpResponse:
    """Show what waits for this link (mail scanners follow links); only POST confirms, or disowns."""
    notice = notices.find_confirmation(token)
    if notice is None or notice.supporter.campaign.slug != campaign:
        raise Http404
    waiting = writing.awaiting(notice)
    if not waiting:
        return _nothing_waits(request, notice, lang=lang)
    if not notice.supporter.campaign.is_open:
        return endings.closed(request, notice.supporter.campaign, lang=lang, letter=waiting[0])
    if request.method != "POST":
        return _link_page(request, notice, waiting, lang=lang)
    now = timezone.now()
    if request.POST.get("deed") == "disown":
        writing.disown(notice, now=now)
        return SeeOther(request.path)
    chosen = {int(key) for key in request.POST.getlist("letter") if key.isdecimal() and len(key) < 19}
    if len(waiting) > 1 and not chosen:
        errors = {"letter": _("Choose at least one letter.")}
        return _link_page(request, notice, waiting, lang=lang, errors=errors)
    confirmed = writing.confirm_by_link(notice, chosen=chosen if len(waiting) > 1 else None, now=now)
    if not confirmed:
        return SeeOther(request.path)
    if request.POST.get("news"):
        writing.consent_to_news(confirmed[0], words=news_words(confirmed[0]), now=now)
    return SeeOther(draft_url(confirmed[0], tokens.PROVEN, "sent", lang=lang))


def _waiting_page(request: HttpRequest, draft: Draft, errors: dict[str, str] | None = None) -> HttpResponse:
    letter, now = draft.letter, timezone.now()
    asked_at, next_possible_at = _mail_times(letter, now=now)
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "text": publishing.page_text(letter.campaign, draft.lang),
        "content": writing.read(letter),
        "to_words": phrase_of_targets([target.name for target in writing.targets_of(letter, now=now)]),
        "asked_at": asked_at,
        "next_possible_at": next_possible_at if next_possible_at > now else None,
        "carried": carried(request),
        "news_words": news_words(letter),
        "errors": errors or {},
    }
    return render(request, "supporters/confirm.html", context, status=422 if errors else 200)


def _mail_times(letter: Letter, *, now: datetime) -> tuple[datetime, datetime]:
    """Return when the mail was asked for and when another may be: the same whether or not one left.

    An address that is suppressed or has written already gets none; the page must not tell.
    """
    outlook = notices.outlook(letter, now=now)
    waits_since = (letter.expires_at or now) - timedelta(hours=letter.campaign.confirm_within_hours)
    asked_at = outlook.asked_at or waits_since
    return asked_at, outlook.next_possible_at or asked_at + notices.DAY


def _wrong_code(code: str) -> str:
    if not code.strip():
        return _("Write the six digits from the mail.")
    # The same words however many tries are left: a count would tell whether a mail has left at all.
    return _("This code does not fit. Compare it with the newest mail. After five tries only its link works.")


def _fitted_too_late(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Answer a code that fitted a letter which no longer waits, perhaps because the same person wrote it twice."""
    earlier = _sent_for(draft.letter)
    if earlier is None or earlier == draft.letter:
        return SeeOther(draft.url("sent"))
    return endings.already_written(request, earlier, lang=draft.lang, status_url=status_url(earlier))


def _sent_for(letter: Letter) -> Letter | None:
    """Return the confirmed letter of this letter's writer for its ask."""
    letters = Letter.objects.select_related("campaign__organisation", "ask")
    return letters.filter(supporter=letter.supporter, ask=letter.ask, stage=Letter.Stage.CONFIRMED).first()


def _link_page(
    request: HttpRequest,
    notice: Notice,
    waiting: list[Letter],
    *,
    lang: str,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    now = timezone.now()
    shown = []
    for letter in waiting:
        names = fates.named([target.name for target in writing.targets_of(letter, now=now)])
        shown.append((letter, writing.read(letter), publishing.title_of(letter.ask, lang), names))
    context = {
        "lang": lang,
        "letters": shown,
        "text": publishing.page_text(notice.supporter.campaign, lang),
        "campaign": notice.supporter.campaign,
        "news_words": news_words(waiting[0]),
        "errors": errors or {},
    }
    return render(request, "supporters/link.html", context, status=422 if errors else 200)


def _nothing_waits(request: HttpRequest, notice: Notice, *, lang: str) -> HttpResponse:
    """Answer a second click, or a click too late: a page, never an error."""
    letter = Letter.objects.select_related("campaign__organisation", "ask").get(pk=notice.letter_id)
    sent = _sent_for(letter)
    if sent is not None:
        return endings.already_written(request, sent, lang=lang, status_url=status_url(sent))
    return endings.gone(request, letter, lang=lang)

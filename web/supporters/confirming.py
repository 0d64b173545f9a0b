"""Proving the address: the page that waits for the mail, and the page that the mail's link opens."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import notices, tokens, writing
from letters.models import Letter, Notice
from letters.page_words import phrase_of_targets
from web.presentation import quoted
from web.supporters import consent_words, endings, fates, next_ask, partner_lines
from web.supporters.draft import keep_consents
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
from web.supporters.webmail import webmail_of


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Wait for the mail; POST takes its code, or asks for the mail again."""
    letter, now = draft.letter, timezone.now()
    if letter.stage != Letter.Stage.AWAITING:
        step = "sent" if letter.stage == Letter.Stage.CONFIRMED else "check"
        return SeeOther(draft.url(step, **carried(request)))
    if request.method == "HEAD":  # the page's script, which asks every five seconds whether the letter still waits
        return HttpResponse()
    if request.method != "POST":
        return _waiting_page(request, draft)
    if request.POST.get("deed") == "again":
        if now >= notices.next_possible_at(letter):
            notices.ask_for_confirmation(letter, now=now)
        return SeeOther(draft.url("confirm", **carried(request)))
    try:
        fitted = writing.confirm_by_code(letter, code=request.POST.get("code", "")[:40], now=now)
    except writing.AlreadyWritten as first:
        known = status_url(first.letter)
        following = next_ask.after(letter, token=draft.token, lang=draft.lang, first=first.letter)
        return endings.already_written(request, first.letter, lang=draft.lang, status_url=known, following=following)
    except writing.NobodyReachable as nobody:
        return _waiting_page(request, draft, {"code": nobody.sentence})
    if not fitted:
        letter.refresh_from_db(fields=["stage"])
        if letter.stage == Letter.Stage.AWAITING:
            return _waiting_page(request, draft, {"code": _wrong_code(request.POST.get("code", ""))})
        return SeeOther(draft.url("confirm", **carried(request)))  # which leads to where the letter stands by now
    keep_consents(
        [letter], news=bool(request.POST.get("news")), marks=request.POST.getlist(partner_lines.BOX), now=now
    )
    return SeeOther(draft_url(letter, tokens.PROVEN, "sent", lang=draft.lang))


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, *, lang: str, campaign: str, token: str) -> HttpResponse:
    """Show what waits for this link (mail scanners follow links); only POST confirms, or disowns."""
    notice = notices.find_confirmation(token)
    if notice is None or notice.supporter.campaign.slug != campaign:
        raise Http404
    now = timezone.now()
    waiting = writing.awaiting(notice, now=now)
    if not waiting:
        return _nothing_waits(request, notice, lang=lang)
    if not notice.supporter.campaign.is_open:
        return endings.closed(request, notice.supporter.campaign, lang=lang, letter=waiting[0])
    if request.method != "POST":
        return _link_page(request, notice, waiting, lang=lang)
    if request.POST.get("deed") == "disown":
        writing.disown(notice, now=now)
        return SeeOther(request.path)
    chosen = _chosen(request, waiting)
    if errors := _choice_errors(chosen, waiting):
        return _link_page(request, notice, waiting, lang=lang, errors=errors)
    try:
        confirmed = writing.confirm_by_link(notice, chosen=chosen, now=now)
    except writing.NobodyReachable as nobody:
        return _link_page(request, notice, waiting, lang=lang, errors={"letter": nobody.sentence})
    if not confirmed:  # done already, or changed since the page was shown: the page says which
        return SeeOther(request.path)
    keep_consents(
        confirmed, news=bool(request.POST.get("news")), marks=request.POST.getlist(partner_lines.BOX), now=now
    )
    return SeeOther(draft_url(confirmed[0], tokens.PROVEN, "sent", lang=lang))


def _chosen(request: HttpRequest, waiting: list[Letter]) -> dict[int, str]:
    """Return the letters that were ticked (one alone needs no tick), each with what the page showed of it."""
    ticked = set(request.POST.getlist("letter"))
    return {
        letter.pk: request.POST.get(f"shown-{letter.pk}", "")
        for letter in waiting
        if len(waiting) == 1 or str(letter.pk) in ticked
    }


def _choice_errors(chosen: dict[int, str], waiting: list[Letter]) -> dict[str, str]:
    if not chosen:
        return {"letter": _("Tick the letters that you wrote.")}
    asks = [letter.ask_id for letter in waiting if letter.pk in chosen]
    if len(asks) > len(set(asks)):
        return {"letter": _("Two of these go to the same people. Tick one of them.")}
    return {}


def _waiting_page(request: HttpRequest, draft: Draft, errors: dict[str, str] | None = None) -> HttpResponse:
    letter, now = draft.letter, timezone.now()
    next_possible_at, content = notices.next_possible_at(letter), writing.read(letter)
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "text": publishing.page_text(letter.campaign, draft.lang),
        "content": content,
        "webmail": webmail_of(content.email),
        "is_early": request.GET.get("early") == "yes",
        "came_back": notices.came_back(letter),
        "to_words": phrase_of_targets([target.name for target in writing.targets_of(letter, now=now)]),
        "asked_at": letter.mail_asked_at or notices.waits_since(letter),
        "remind_at": letter.remind_at,
        "next_possible_at": next_possible_at if next_possible_at > now else None,
        "carried": carried(request),
        "news_words": consent_words.news(letter.campaign),
        "partner_lines": partner_lines.of([letter]),
        "errors": errors or {},
    }
    return render(request, "supporters/confirm.html", context, status=422 if errors else 200)


def _wrong_code(code: str) -> str:
    if not code.strip():
        return _("Write the six digits from the mail.")
    # The same words however many tries are left: a count would tell whether a mail has left at all.
    return _("This code does not fit. Compare it with the newest mail. After five tries only its link works.")


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
        text = publishing.text_of(letter.ask, lang)
        title = quoted(text.title, text.language) if text else letter.ask.slug
        shown.append((letter, writing.read(letter), title, names, writing.digest(letter)))
    context = {
        "lang": lang,
        "letters": shown,
        "text": publishing.page_text(notice.supporter.campaign, lang),
        "campaign": notice.supporter.campaign,
        "news_words": consent_words.news(waiting[0].campaign),
        "partner_lines": partner_lines.of(waiting),
        "ticked": {name: request.POST.getlist(name) for name in ("letter", "news", partner_lines.BOX)},
        "errors": errors or {},
    }
    return render(request, "supporters/link.html", context, status=422 if errors else 200)


def _nothing_waits(request: HttpRequest, notice: Notice, *, lang: str) -> HttpResponse:
    """Answer a second click, or a click too late: a page, never an error.

    The address that the mail went to decides what is shown, not the letter, which may be somebody else's by now. What
    it confirmed is shown for as long as it is kept: only what it can do runs out, and with it what goes along to the
    next letter.
    """
    letters = Letter.objects.select_related("campaign__organisation", "ask")
    letter = letters.get(notices=notice)
    sent = letters.filter(supporter=notice.supporter, ask=letter.ask, stage=Letter.Stage.CONFIRMED).first()
    if sent is not None:
        following = None
        if not notices.has_run_out(notice, now=timezone.now()):
            following = next_ask.after(sent, token=tokens.make(tokens.DRAFT, bytes(sent.key)), lang=lang)
        return endings.already_written(request, sent, lang=lang, status_url=status_url(sent), following=following)
    return endings.gone(request, letter, lang=lang)

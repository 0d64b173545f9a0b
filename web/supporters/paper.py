"""Letters on paper: the page that says how to post them, the PDF, and "I posted it"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from letters import envelopes, fields, paper, postal, press, tokens, told, without_us, writing
from letters.models import Letter
from targets.models import Target
from web import languages, throttling
from web.presentation import time_words
from web.supporters import away, next_ask
from web.supporters.envelope_words import envelope_choices
from web.supporters.finding import Draft, SeeOther, by_token, for_supporters, for_writers, status_url

TICKED_UP_TO = 5  # so few are all ticked to begin with
MOST_SHOWN = 100  # more people of one list are not offered: nobody posts so many letters by hand
MOST_PRINTED = 60  # PDFs, by one network in ten minutes
ADDRESS_LINES, ADDRESS_LIMIT = 5, 300


@dataclass(frozen=True)
class Route:
    """How somebody came to the page: by a draft or by the letter's status; and the addresses of it and around it."""

    letter: Letter
    lang: str
    here: str
    pdf: str
    posted: str  # the page once more, with thanks
    back: str
    token: str = ""  # of the draft


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def print_page(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show whom the letter can be posted to; POST takes down that it was posted."""
    return _print_page(request, _of_draft(draft)) if without_us.is_whole(draft.letter) else _unfinished(draft)


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def print_pdf(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Give the letters as a PDF; POST carries an address for the sheet's head, which is not kept."""
    return _pdf(request, _of_draft(draft)) if without_us.is_whole(draft.letter) else _unfinished(draft)


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def print_page_of_status(request: HttpRequest, *, token: str) -> HttpResponse:
    """Show the same to somebody who comes from the letter's status."""
    route = _of_status(request, token)
    with override(route.lang):
        return _print_page(request, route) if route.letter.sealed else SeeOther(route.back)


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def print_pdf_of_status(request: HttpRequest, *, token: str) -> HttpResponse:
    """Give the PDF to somebody who comes from the letter's status."""
    route = _of_status(request, token)
    with override(route.lang):
        return _pdf(request, route) if route.letter.sealed else SeeOther(route.back)


def _of_draft(draft: Draft) -> Route:
    return Route(
        letter=draft.letter,
        lang=draft.lang,
        here=draft.url("print"),
        pdf=draft.url("print-pdf"),
        posted=draft.url("print", posted="yes"),
        back=draft.url("check"),
        token=draft.token,
    )


def _of_status(request: HttpRequest, token: str) -> Route:
    found = writing.find(tokens.STATUS, token)
    if found is None:
        raise Http404
    letter = found[0]
    here = reverse("supporters:status-print", kwargs={"token": token})
    return Route(
        letter=letter,
        lang=languages.chosen(request) or letter.language,
        here=languages.keep(request, here),
        pdf=languages.keep(request, reverse("supporters:status-print-pdf", kwargs={"token": token})),
        posted=languages.keep(request, here, posted="yes"),
        back=languages.keep(request, status_url(letter)),
    )


def _unfinished(draft: Draft) -> HttpResponse:
    return SeeOther(draft.url("write"))


def _print_page(request: HttpRequest, route: Route) -> HttpResponse:
    targets = _with_post(route)
    is_kept_nowhere = request.POST.get("then") == away.STAY  # the address: the page is shown at once
    if request.method != "POST" or is_kept_nowhere or not targets:
        return _shown(request, route, targets)
    ticked = _ticked(request.POST.getlist("to"), targets)
    if not ticked:
        return _shown(request, route, targets, errors={"to": _("Tick the letters that you posted.")})
    told.take_down(route.letter, kind=told.Kind.POSTED, targets=ticked, now=timezone.now())
    return SeeOther(route.posted)


def _pdf(request: HttpRequest, route: Route) -> HttpResponse:
    targets, now = _with_post(route), timezone.now()
    given = request.POST if request.method == "POST" else request.GET
    ticked = _ticked(given.getlist("to"), targets) or ([] if request.method == "POST" else targets)
    errors: dict[str, str] = {}
    if not targets:  # which the page says
        return SeeOther(route.here)
    if not ticked:
        errors["to"] = _("Tick at least one letter to print.")
    address = _address(request.POST.get("address", ""), errors)
    if errors:
        return _shown(request, route, targets, errors=errors)
    if wait := throttling.must_wait(request, deed="print", now=now, most=MOST_PRINTED):
        again_at = time_words(now + timedelta(seconds=wait))
        errors["to"] = _("Many people are printing right now. Please try again at %(time)s.") % {"time": again_at}
        answer = _shown(request, route, targets, errors=errors, status=429)
        answer["Retry-After"] = str(wait)
        return answer
    try:
        made = paper.supporters_set(
            route.letter, ticked, layout=_layout(route.letter, given), language=route.lang,
            on=timezone.localdate(now), address=address,
        )  # fmt: skip
    except press.NotPrinted:
        errors["to"] = _("The letters could not be put on paper just now. Please try again in a minute.")
        return _shown(request, route, targets, errors=errors, status=503)
    answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="letters.pdf"'
    return answer


def _shown(
    request: HttpRequest,
    route: Route,
    targets: Sequence[Target],
    *,
    errors: dict[str, str] | None = None,
    status: int = 422,
) -> HttpResponse:
    letter, given = route.letter, request.POST if request.method == "POST" else request.GET
    content = writing.read(letter)
    addressed = [(target, postal.lines(target, language=route.lang)) for target in targets]
    ticked = _ticked(given.getlist("to"), targets)
    if request.method != "POST" and not ticked and len(targets) <= TICKED_UP_TO:
        ticked = list(targets)
    said = [content.subject, content.body, content.name, *(line for _target, lines in addressed for line in lines)]
    everybody = without_us.targets_of(letter, now=timezone.now())
    context: dict[str, Any] = {
        "lang": route.lang,
        "letter": letter,
        "ask": letter.ask,
        "route": route,
        "addressed": addressed,
        "ticked": {target.public_id for target in ticked},
        "posted": told.already(letter, told.Kind.POSTED),
        "by_email_only": [target for target in everybody if target.post is None],
        "envelopes": envelope_choices(),
        "envelope": _layout(letter, given).key,
        "address": request.POST.get("address", ""),
        "lines": ADDRESS_LINES,
        "unprintable": paper.unprintable(said),
        "next": next_ask.after(letter, token=route.token, lang=route.lang) if route.token else None,
        "thanks": request.method != "POST" and request.GET.get("posted") == "yes",
        "errors": errors or {},
    }
    return render(request, "supporters/print.html", context, status=status if errors else 200)


def _with_post(route: Route) -> list[Target]:
    everybody = without_us.targets_of(route.letter, now=timezone.now())
    return [target for target in everybody if target.post is not None][:MOST_SHOWN]


def _ticked(public_ids: Sequence[str], targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if target.public_id in public_ids]


def _address(typed: str, errors: dict[str, str]) -> list[str]:
    text = fields.text("address", typed, errors, most=ADDRESS_LIMIT)
    lines = [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]
    if len(lines) > ADDRESS_LINES and "address" not in errors:
        errors["address"] = _("Your address has too many lines. Keep at most %(most)d.") % {"most": ADDRESS_LINES}
    return lines


def _layout(letter: Letter, given: Mapping[str, Any]) -> envelopes.Layout:
    chosen = envelopes.LAYOUTS.get(str(given.get("envelope", "")))
    return chosen or envelopes.usual_in(writing.read(letter).country)

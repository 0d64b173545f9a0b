"""The own mail app: a card for each target, one mail each, and "I sent it"."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from letters import composing, own_mail, told, without_us, writing
from letters.own_mail import OwnMail
from targets.models import Target
from web.supporters import next_ask
from web.supporters.finding import Draft, SeeOther, for_writers

CARDS = 10  # on one page


@dataclass(frozen=True)
class Card:
    """One target, the letter as they will read it, and the links that open a mail with it."""

    target: Target
    text: str
    mail: OwnMail
    is_told: bool  # its writer told us that it is sent


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def own_mail_page(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the cards; POST takes down that one of them was sent. Nothing is sent from here."""
    letter, now = draft.letter, timezone.now()
    if not without_us.is_whole(letter):
        return SeeOther(draft.url("write"))
    everybody = without_us.targets_of(letter, now=now)
    targets = [target for target in everybody if without_us.has_email(target)]
    if request.method == "POST":
        sent = [target for target in targets if target.public_id == request.POST.get("target", "")]
        told.take_down(letter, kind=told.Kind.OWN_MAIL, targets=sent, now=now)
        number = request.POST.get("page", "")
        return SeeOther(draft.url("own-mail", page=number if number.isdecimal() else ""))
    content, known = writing.read(letter), told.already(letter, told.Kind.OWN_MAIL)
    finisher = composing.Finisher(letter.template, content, draw=letter.draw)
    page = Paginator(targets, CARDS).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "ask": letter.ask,
        "content": content,
        "page": page,
        "cards": [_card(target, finisher, is_told=target.public_id in known) for target in page],
        "by_post_only": [target for target in everybody if not without_us.has_email(target)],
        "can_print": any(target.post is not None for target in everybody),
        "is_told": bool(known),
        "next": next_ask.after(letter, token=draft.token, lang=draft.lang),
    }
    return render(request, "supporters/own_mail.html", context)


def _card(target: Target, finisher: composing.Finisher, *, is_told: bool) -> Card:
    finished = finisher.finish(target.values())
    address = target.email.value if target.email else ""
    mail = own_mail.compose(address=address, subject=finished.subject, text=finished.text)
    return Card(target, finished.text, mail, is_told)

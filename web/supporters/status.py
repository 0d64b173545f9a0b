"""Where the letter is: each target's line, taking back what has not left, and noting a reply."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import tokens, told_replies, writing
from letters.feedback import ToldReply
from letters.models import Letter
from web import languages
from web.supporters import fates, next_ask
from web.supporters.finding import SeeOther, by_token, for_supporters


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, *, token: str) -> HttpResponse:
    """Show what became of the letter; POST stops what still waits, or notes a reply.

    `?part=live` gives that part of the page which moves, for the script that looks again.
    """
    found = writing.find(tokens.STATUS, token)
    if found is None:
        raise Http404
    letter = found[0]
    lang = languages.chosen(request) or letter.language
    with override(lang):
        if request.method != "POST":
            part = "live" if _is_live(request) else "status"
            return render(request, f"supporters/{part}.html", _shown(request, letter, token, lang))
        if request.POST.get("deed") != "replied":
            writing.withdraw(letter, now=timezone.now())
            return SeeOther(_address(request, token))
        target, kind = request.POST.get("target", "")[:64], request.POST.get("kind", "")
        if told_replies.tell(letter, target=target, kind=kind, now=timezone.now()):
            return SeeOther(f"{_address(request, token)}#replies")
        errors = {"kind": _("Choose what came back.")} if kind not in ToldReply.Kind.values else {
            "target": _("Choose who answered.")
        }  # fmt: skip
        shown = _shown(request, letter, token, lang) | {"errors": errors, "values": {"target": target, "kind": kind}}
        if not shown["answerable"]:  # nobody can have answered: the page does not ask
            return SeeOther(_address(request, token))
        return render(request, "supporters/status.html", shown, status=422)


def _shown(request: HttpRequest, letter: Letter, token: str, lang: str) -> dict[str, Any]:
    now = timezone.now()
    overview = fates.overview(letter, now=now)
    return {
        "lang": lang,
        "letter": letter,
        "ask_title": publishing.title_of(letter.ask, lang),
        "ask_text": publishing.text_of(letter.ask, lang),
        "text": publishing.page_text(letter.campaign, lang),
        "content": writing.read(letter) if letter.sealed else None,
        "overview": overview,
        "answerable": [(fate.target, fate.name) for fate in overview.fates if fate.may_be_answered],
        "kinds": [(kind, fates.told_words(kind)) for kind in ToldReply.Kind.values],
        "values": {"target": "", "kind": ""},
        "errors": {},
        "now": now,
        "address": _address(request, token),
        "elsewhere": "" if _is_live(request) else next_ask.page_of(letter, lang=lang),
        "print_url": languages.keep(request, reverse("supporters:status-print", kwargs={"token": token})),
    }


def _is_live(request: HttpRequest) -> bool:
    """Return whether only the part is wanted that moves."""
    return request.GET.get("part") == "live"


def _address(request: HttpRequest, token: str) -> str:
    """Return the address of this page, in the language that was chosen on it."""
    return languages.keep(request, reverse("supporters:status", kwargs={"token": token}))

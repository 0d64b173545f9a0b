"""Where the letter is: each target's line, and taking back what has not left."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import tokens, writing
from web import languages
from web.supporters import fates
from web.supporters.finding import SeeOther, by_token, for_supporters


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, *, token: str) -> HttpResponse:
    """Show what became of the letter; POST stops what still waits."""
    found = writing.find(tokens.STATUS, token)
    if found is None:
        raise Http404
    letter, now = found[0], timezone.now()
    if request.method == "POST":
        writing.withdraw(letter, now=now)
        return SeeOther(request.get_full_path())
    lang = languages.chosen(request) or letter.language
    context = {
        "lang": lang,
        "letter": letter,
        "ask_title": publishing.title_of(letter.ask, lang),
        "ask_text": publishing.text_of(letter.ask, lang),
        "text": publishing.page_text(letter.campaign, lang),
        "content": writing.read(letter) if letter.sealed else None,
        "now": now,
        "address": request.get_full_path(),
        "print_url": reverse("supporters:status-print", kwargs={"token": token}),
    }
    with override(lang):
        return render(request, "supporters/status.html", {**context, "overview": fates.overview(letter, now=now)})

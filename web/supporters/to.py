"""Choosing who gets the letter; those chosen stand first, and stay ticked whatever else is shown."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import TooManyFieldsSent
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from campaigns.models import Ask
from letters import choosing, writing
from letters.composing import Content
from letters.models import Letter
from targets import exclusions, lists
from targets.lists import Reachable
from web.supporters import browsing, people, photos
from web.supporters.finding import Draft, SeeOther, carried, for_writers


@for_writers
@require_http_methods(["GET", "HEAD", "POST"])
def to(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show who may get the letter; POST keeps who was ticked and leads back to where the writer came from."""
    letter = draft.letter
    if letter.stage == Letter.Stage.CONFIRMED:
        return SeeOther(draft.url("sent"))
    if not letter.ask.offers_choice:
        raise Http404
    if request.method != "POST":
        ticked = request.GET.getlist("to") if browsing.is_asked(request.GET) else None
        return _page(request, draft, request.GET, ticked)
    try:
        ticked = request.POST.getlist("to")
    except TooManyFieldsSent:
        request._mark_post_parse_error()  # type: ignore[attr-defined]  # noqa: SLF001  as Django does itself
        return _page(request, draft, QueryDict(), None, {"to": _("Too many names were sent. Choose again.")})
    try:
        choosing.choose(letter, targets=ticked, now=timezone.now())
    except writing.LetterRefused as refused:
        return _page(request, draft, request.POST, ticked, refused.errors)
    return SeeOther(draft.url(_back(request), **carried(request)))


def _page(
    request: HttpRequest,
    draft: Draft,
    asked: QueryDict,
    ticked: Sequence[str] | None,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """Show the page; `ticked` are the public ids that its form sent, None where what was kept counts."""
    letter, ask, content = draft.letter, draft.letter.ask, writing.read(draft.letter)
    now = timezone.now()
    reachable = lists.reachable_targets(ask.target_list, now=now)
    left_out = list(exclusions.in_force(ask.target_list, now=now))
    shown = [*reachable, *(Reachable(entry.target, by_email=False) for entry in left_out)]
    kept = choosing.chosen(content)
    chosen = [
        each
        for each in reachable
        if (each.target.pk in kept if ticked is None else each.target.public_id in ticked)
    ]
    wanted = browsing.wanted(asked, country=content.country if ask.mode == Ask.Mode.BY_COUNTRY else "")
    kind = ask.target_list.kind
    found = browsing.found(shown, wanted, chosen=chosen)
    seen = [*chosen, *(each for _name, members in found.groups for each in members)]
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "ask": ask,
        "text": publishing.page_text(letter.campaign, draft.lang),
        "ask_text": publishing.text_of(ask, draft.lang),
        "ask_title": publishing.title_of(ask, draft.lang),
        "question": people.question(kind),
        "limit_words": people.count_words(kind, ask.most_targets),
        "buttons": [people.button_words(kind, n) for n in range(ask.most_targets + 1)],
        "chosen": chosen,
        "reasons": _reasons(ask, content, chosen, now=now),
        "about": people.about,
        "wanted": wanted,
        "found": found,
        "faces": photos.faces([each.target for each in seen]),
        "left_out": {entry.target_id: people.left_out_words(entry) for entry in left_out},
        "countries": people.countries_of(each.target.country for each in shown),
        "is_long": len(shown) >= browsing.LONG_FROM,
        "back": _back(request),
        "back_url": _back_url(request, draft, content),
        "carried": carried(request),
        "errors": errors or {},
    }
    return render(request, "supporters/to.html", context, status=422 if errors else 200)


def _reasons(ask: Ask, content: Content, chosen: Sequence[Reachable], *, now: datetime) -> dict[int, str]:
    """Return why each of those chosen is a good choice, by target id; there is none for whom only the post reaches."""
    known = choosing.candidates(ask, now=now) if chosen else []
    found = choosing.reasons(known, [each.target.pk for each in chosen], country=content.country)
    return {target: people.reason_words(reason) for target, reason in found.items()}


def _back(request: HttpRequest) -> str:
    """Return the step that the page was opened from."""
    return "check" if "check" in (request.POST.get("back"), request.GET.get("back")) else "write"


def _back_url(request: HttpRequest, draft: Draft, content: Content) -> str:
    """Return where "Back" leads: to the campaign's page while nobody is chosen, as the steps lead back here."""
    letter = draft.letter
    if choosing.fits(letter.ask, content):
        return draft.url(_back(request), **carried(request))
    names = {"lang": draft.lang, "campaign": letter.campaign.slug, "ask": letter.ask.slug}
    return reverse("supporters:ask", kwargs=names)

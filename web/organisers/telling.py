"""Telling once those who asked how a campaign goes on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access
from letters import telling
from web.organisers import posted
from web.organisers.campaign_frame import campaign_page, find, note, number
from web.organisers.desk import Desk, for_members


@for_members(to_see=access.may_send)
def tell(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Write the one mail to everybody who asked for it; show it again; then send it."""
    campaign = find(desk, slug)
    words = posted.text(request.POST, "words") if request.method == "POST" else campaign.ending_words
    people = telling.who_asked(campaign).count()
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = _errors(words, people)
        if not errors and "sure" in request.POST:
            told = telling.tell(campaign=campaign, by=desk.person, words=words, now=timezone.now())
            note(request, ngettext("%(n)s person is told.", "%(n)s people are told.", told.people) % {
                "n": number(told.people)
            })  # fmt: skip
            return redirect("organisers:campaign", campaign.slug)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/campaigns/tell.html",
        tab="overview",
        status=422 if errors else 200,
        words=words,
        errors=errors,
        people=people,
        sure=request.method == "POST" and not errors and "change" not in request.POST,
        earlier=list(campaign.tellings.order_by("-at")),
    )


def _errors(words: str, people: int) -> dict[str, str]:
    if not people:
        return {"words": _("Nobody waits to be told.")}
    if not words:
        return {"words": _("Say what happened.")}
    if len(words) > telling.WORDS_LIMIT:
        return {"words": _("This has %(over)d characters too many.") % {"over": len(words) - telling.WORDS_LIMIT}}
    return {}

"""Leaving a target out of what supporters of its list are offered, and offering it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import access
from letters import excluding
from targets import exclusions
from targets.models import ListEntry
from web.organisers import posted
from web.organisers.campaign_frame import deliveries_in_words, number
from web.organisers.desk import Desk, for_members, page, refuse
from web.supporters.people import left_out_words

Exclusion = ListEntry.Exclusion
FIELDS = ("exclusion", "words", "until")


@for_members(to_see=access.may_edit_targets)
def leave_out(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Ask what supporters read and what becomes of letters that wait, then leave a target out for new letters."""
    entry = _entry(desk, list_id, target_id)
    values = {"exclusion": entry.exclusion, "words": entry.exclusion_words, "until": str(entry.excluded_until or "")}
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = {name: posted.line(request.POST, name) for name in FIELDS}
        stops = request.POST.get("stops") == "yes"
        if stops and not desk.may_send:
            return refuse(request, desk)
        try:
            stopped = excluding.exclude(
                entry=entry, stops_waiting=stops, by=desk.person, now=timezone.now(), **values
            )
        except exclusions.ExclusionRefused as refused:
            errors = refused.errors
        else:
            said = {"name": entry.target.name, "stopped": deliveries_in_words(stopped)}
            words = _("%(name)s is left out of new letters. Stopped: %(stopped)s.") if stops else _(
                "%(name)s is left out of new letters."
            )
            messages.success(request, words % said)
            return redirect("organisers:target", list_id=list_id, target_id=target_id)
    return page(
        request, desk, "organisers/targets/leave_out.html", section="targets", entry=entry, values=values,
        errors=errors, choices=_choices(), waiting=_waiting_words(excluding.waiting(entry)),
        stops=request.POST.get("stops") == "yes", limit=exclusions.WORDS_LIMIT, status=422 if errors else 200,
    )  # fmt: skip


@require_POST
@for_members(to_see=access.may_edit_targets)
def offer_again(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Offer a target again: harmless, so without a question."""
    entry = _entry(desk, list_id, target_id)
    exclusions.offer_again(entry=entry, by=desk.person)
    messages.success(request, _("%(name)s is offered to supporters again.") % {"name": entry.target.name})
    return redirect("organisers:target", list_id=list_id, target_id=target_id)


def why(entry: ListEntry) -> str:
    """Return what supporters read, in English; "" where the target is offered."""
    return left_out_words(entry) if exclusions.is_in_force(entry, now=timezone.now()) else ""


def _choices() -> list[tuple[str, ...]]:
    again = _("Offered again by itself from the day after.")
    return [
        (Exclusion.ALLY, _("already supports us")),
        (Exclusion.ANSWERED, _("has answered")),
        (Exclusion.AWAY, _("away until a day"), again),
        (Exclusion.OWN, _("words of your own")),
    ]


def _waiting_words(waiting: int) -> str:
    if not waiting:
        return ""
    return ngettext(
        "Also stop the %(n)s delivery to them that waits", "Also stop the %(n)s deliveries to them that wait", waiting
    ) % {"n": number(waiting)}


def _entry(desk: Desk, list_id: str, target_id: str) -> ListEntry:
    rows = desk.target_list(list_id).entries.select_related("target", "target_list__organisation")
    return get_object_or_404(rows, target__public_id=target_id)

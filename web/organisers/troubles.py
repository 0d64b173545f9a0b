"""What stands in a campaign's way at the board: why it paused by itself, domains that rest, what is held for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import access
from campaigns.models import Campaign
from letters import domains, pause_words, steering
from letters.pause_words import PauseWords
from web.organisers.campaign_frame import campaign_page, deliveries_in_words, find, note, number
from web.organisers.delivery_rows import REASONS
from web.organisers.desk import Desk, for_members
from web.organisers.launching import check

CURES = {
    "address_changed": gettext_lazy("Look at the new address on the target’s list. Letting go sends them there."),
    "our_fault": gettext_lazy("Ask the operator to mend the sign-in or the sender’s domain, then let them go."),
    "bytes_differ": gettext_lazy("An upgrade puts letters together in another way. Ask the operator first."),
    "cannot_compose": gettext_lazy("The text may be forgotten by now. Letting go tries once more; or stop them."),
    "restored": gettext_lazy("The operator decides with “manage.py adopt”."),
    "stopped": gettext_lazy("A pause caught them at the last moment. They go on by themselves when it ends."),
}


@dataclass(frozen=True)
class Held:
    """Deliveries held for one reason; `is_ours` where a member may decide."""

    reason: str
    words: str
    cure: str
    count: int
    is_ours: bool


@dataclass(frozen=True)
class RestingDomain:
    """A receiving domain that takes no letters at the moment: until when, and what its server said last."""

    domain: str
    until: datetime
    server: str


def paused_by_itself(campaign: Campaign) -> PauseWords | None:
    """Return cause, evidence and cure where nobody paused the campaign but the system; else None."""
    if campaign.paused_at is None or not campaign.paused_cause:
        return None
    return pause_words.words_of(campaign.paused_cause, campaign.paused_evidence)


def resting_domains(campaign: Campaign) -> Sequence[RestingDomain]:
    """Return the domains that rest and to which the campaign has something waiting."""
    return [
        RestingDomain(row.domain, row.rests_until, f"{row.code or ''} {row.words}".strip())
        for row in domains.that_rest(campaign)
        if row.rests_until is not None
    ]


def held(campaign: Campaign) -> Sequence[Held]:
    """Return what is held, reason by reason, the most first."""
    return [
        Held(
            reason, str(REASONS.get(reason, reason.replace("_", " "))), str(CURES.get(reason, "")), n,
            is_ours=reason not in steering.KEPT,
        )
        for reason, n in steering.held(campaign).items()
    ]  # fmt: skip


@for_members(to_see=access.may_send)
def let_held_go(request: HttpRequest, desk: Desk, slug: str, reason: str) -> HttpResponse:
    """Ask whether what is held for this reason shall leave; by POST let it go."""
    campaign, found = _find(desk, slug, reason)
    back = reverse("organisers:delivery", args=[campaign.slug])
    if request.method == "POST":
        gone = steering.let_go_all(campaign=campaign, reason=reason, by=desk.person, now=timezone.now())
        kept = found.count - gone
        said = _("%(deliveries)s leave now, each office at its own pace.") % {"deliveries": deliveries_in_words(gone)}
        if kept > 0:
            said += " " + ngettext(
                "%(n)s stays: its letter or its address must not be sent any more.",
                "%(n)s stay: their letters or addresses must not be sent any more.", kept,
            ) % {"n": number(kept)}  # fmt: skip
        note(request, said, warn=kept > 0)
        return redirect(back)
    return campaign_page(
        request, desk, campaign, "organisers/delivery/check.html", tab="delivery",
        **check(
            title=_("Let %(deliveries)s go?") % {"deliveries": deliveries_in_words(found.count)},
            sentences=[found.words, found.cure], button=_("Let them go"), back=back,
        ),
    )  # fmt: skip


@for_members(to_see=access.may_send)
def stop_held(request: HttpRequest, desk: Desk, slug: str, reason: str) -> HttpResponse:
    """Ask whether what is held for this reason shall be stopped for good; by POST stop it."""
    campaign, found = _find(desk, slug, reason)
    back = reverse("organisers:delivery", args=[campaign.slug])
    if request.method == "POST":
        stopped = steering.stop_held(campaign=campaign, reason=reason, by=desk.person, now=timezone.now())
        note(request, _("%(deliveries)s stopped.") % {"deliveries": deliveries_in_words(stopped)}, warn=True)
        return redirect(back)
    return campaign_page(
        request, desk, campaign, "organisers/delivery/check.html", tab="delivery",
        **check(
            title=_("Stop %(deliveries)s for good?") % {"deliveries": deliveries_in_words(found.count)},
            sentences=[found.words, _("They are never sent. This cannot be taken back.")],
            button=_("Stop them"), back=back, dangerous=True,
        ),
    )  # fmt: skip


def _find(desk: Desk, slug: str, reason: str) -> tuple[Campaign, Held]:
    campaign = find(desk, slug)
    found = next((each for each in held(campaign) if each.reason == reason and each.is_ours), None)
    if found is None:
        raise Http404
    return campaign, found

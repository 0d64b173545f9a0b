"""A campaign's turns at the desk: publishing, pausing, resuming, closing. Each says first what it will do."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import access
from campaigns import publishing
from campaigns.models import Ask, Campaign
from campaigns.publishing import CampaignRefused, Obstacle
from letters import statistics, steering
from letters.page_words import Word
from letters.statistics import Ledger
from targets import lists
from web.organisers import posted
from web.organisers.campaign_frame import (
    campaign_page,
    deliveries_in_words,
    end_words,
    find,
    note,
    number,
    offices_in_words,
)
from web.organisers.desk import Desk, for_members

ENDING_WORDS_LIMIT = 2000


@dataclass(frozen=True)
class Item:
    """One line of the checklist: `tone` is danger, warning or success; `cure` is where it is mended."""

    tone: str
    sentence: str
    cure: str = ""
    cure_words: str = ""


@for_members(to_change=access.may_send)
def publish(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show the checklist; by POST open the campaign for letters."""
    campaign = find(desk, slug)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            opened = publishing.publish(campaign=campaign, by=desk.person, now=timezone.now())
        except CampaignRefused as refused:
            errors = {"checklist": refused.sentence}
        else:
            note(
                request,
                _("The campaign is open. Supporters can write.") if opened else _("It was open already."),
            )
            return redirect("organisers:campaign", campaign.slug)
    items = checklist(campaign)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/campaigns/publish.html",
        tab="overview",
        status=422 if errors else 200,
        items=items,
        errors=errors,
        ready=all(item.tone != "danger" for item in items),
        launch_words=launch_words(campaign),
    )


@require_POST
@for_members(to_see=access.may_send)
def pause(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Stop letters from leaving at once: harmless, so without a question."""
    campaign = find(desk, slug)
    publishing.pause(campaign=campaign, by=desk.person, now=timezone.now())
    note(request, _("Paused. Letters keep being confirmed and wait here."), warn=True)
    return redirect("organisers:delivery", campaign.slug)


@for_members(to_see=access.may_send)
def resume(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Say who will and who will not be sent to; by POST let letters leave again."""
    campaign = find(desk, slug)
    if request.method == "POST":
        steering.resume(campaign=campaign, by=desk.person, now=timezone.now())
        note(request, _("Resumed. Letters leave again, each office at its own pace."))
        return redirect("organisers:delivery", campaign.slug)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/delivery/check.html",
        tab="delivery",
        **check(
            title=_("Resume sending?"),
            sentences=[resume_words(statistics.ledger(campaign)), *_reach_words()],
            button=_("Resume sending"),
            back=reverse("organisers:delivery", args=[campaign.slug]),
        ),
    )


@for_members(to_see=access.may_send)
def close(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Ask how the campaign ended and what becomes of waiting deliveries; show it again; then close."""
    campaign = find(desk, slug)
    values = {"ending": "", "words": "", "link": "", "waiting": "leave"}
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _read_ending(request)
        errors = _ending_errors(values)
        if not errors and "sure" in request.POST:
            return _end(request, desk, campaign, values)
    sure = request.method == "POST" and not errors and "change" not in request.POST
    template = "organisers/campaigns/close_check.html" if sure else "organisers/campaigns/close.html"
    return campaign_page(
        request,
        desk,
        campaign,
        template,
        tab="overview",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        ledger=statistics.ledger(campaign),
        waiting=_not_left(statistics.ledger(campaign)),
        endings=ending_choices(),
        waiting_choices=_waiting_choices(),
    )


def check(
    *, title: str, sentences: list[str], button: str, back: str, dangerous: bool = False
) -> dict[str, Any]:
    """Return what a page needs that asks first: a question, what will happen, one button, the way back."""
    return {"title": title, "sentences": sentences, "button": button, "back": back, "dangerous": dangerous}


def checklist(campaign: Campaign) -> list[Item]:
    """Return everything that must or should be looked at before a launch, obstacles first."""
    asks = list(campaign.asks.all())
    found = publishing.obstacles(campaign, now=timezone.now())
    items = [_obstacle_item(campaign, obstacle) for obstacle in found]
    obstructed = {(obstacle.ask.pk, obstacle.code) for obstacle in found if obstacle.ask}
    for ask in asks:
        items += _ask_items(campaign, ask, {code for pk, code in obstructed if pk == ask.pk})
    if campaign.closes_at and not any(obstacle.code == "end_has_passed" for obstacle in found):
        said = _("It closes by itself on %(moment)s.") % {"moment": end_words(campaign)}
        items.append(Item("success", said, _page(campaign), _("Change it")))
    if settings.BUILT_IN_MAIL_SERVER:
        items.append(Item("success", _("This is a test: mail stays in the postbox on this machine.")))
    return sorted(items, key=lambda item: ("danger", "warning", "success").index(item.tone))


def launch_words(campaign: Campaign) -> str:
    """Say in one sentence what a launch sets in motion, with the number of offices."""
    now = timezone.now()
    offices = {
        target.pk
        for ask in campaign.asks.all()
        for target in lists.deliverable_targets(ask.target_list, now=now)
    }
    if settings.BUILT_IN_MAIL_SERVER:
        return _(
            "Letters to %(offices)s go to the postbox on this machine. "
            "Nothing leaves it until a mail server is set up."
        ) % {"offices": offices_in_words(len(offices))}
    return ngettext(
        "Launch: letters will be delivered to %(n)s real office.",
        "Launch: letters will be delivered to %(n)s real offices.",
        len(offices),
    ) % {"n": number(len(offices))}


def resume_words(ledger: Ledger) -> str:
    """Say who will be sent to and who will not, in numbers (UX §8.3)."""
    counts = ledger.counts
    going = _("%(waiting)s waiting will go out and %(retrying)s will be retried.") % {
        "waiting": number(counts[Word.WAITING]),
        "retrying": number(counts[Word.RETRYING]),
    }
    settled = ngettext(
        "The %(n)s already accepted, returned, unclear or stopped will not be sent again.",
        "The %(n)s already accepted, returned, unclear or stopped will not be sent again.",
        ledger.settled,
    ) % {"n": number(ledger.settled)}
    return f"{going} {settled}"


def ending_choices() -> list[tuple[str, str, str]]:
    """Return the endings with their words and what supporters read."""
    return [
        (str(Campaign.Ending.WON), _("Won"), _("You reached what you asked for.")),
        (str(Campaign.Ending.ENDED), _("Ended"), _("The date has passed, or letters no longer help.")),
        (str(Campaign.Ending.PAUSED), _("Paused"), _("Nobody writes for now. You can open it again.")),
        (str(Campaign.Ending.MOVED), _("Moved"), _("It goes on somewhere else: say where.")),
    ]


def _waiting_choices() -> list[tuple[str, str, str]]:
    return [
        ("leave", _("They still leave"), _("Supporters were promised that their letters go out.")),
        ("stop", _("Stop them"), _("They are never sent. This cannot be taken back.")),
    ]


def _read_ending(request: HttpRequest) -> dict[str, str]:
    return {
        "ending": posted.line(request.POST, "ending"),
        "words": posted.text(request.POST, "words"),
        "link": posted.line(request.POST, "link"),
        "waiting": posted.line(request.POST, "waiting"),
    }


def _ending_errors(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    if values["ending"] not in {each[0] for each in ending_choices()}:
        errors["ending"] = _("Choose how the campaign ended.")
    if len(values["words"]) > ENDING_WORDS_LIMIT:
        errors["words"] = _("This has %(over)d characters too many.") % {
            "over": len(values["words"]) - ENDING_WORDS_LIMIT
        }
    if values["link"] and not publishing.LINK.fullmatch(values["link"]):
        errors["link"] = _("Write the whole address, such as https://campaign.example.")
    elif values["ending"] == Campaign.Ending.MOVED and not values["link"]:
        errors["link"] = _("Say where it goes on.")
    if values["waiting"] not in {"leave", "stop"}:
        errors["waiting"] = _("Choose what becomes of the letters that wait.")
    return errors


@transaction.atomic
def _end(
    request: HttpRequest, desk: Desk, campaign: Campaign, values: dict[str, str]
) -> HttpResponseRedirect:
    now = timezone.now()
    closed = publishing.close(
        campaign=campaign, by=desk.person, ending=values["ending"], words=values["words"], link=values["link"], now=now
    )
    said = _("The campaign is closed.") if closed else _("The campaign was not open: nothing was changed.")
    if closed and values["waiting"] == "stop":
        stopped = steering.stop_waiting(campaign=campaign, by=desk.person, now=now)
        said = f"{said} {_('%(deliveries)s stopped.') % {'deliveries': deliveries_in_words(stopped)}}"
    note(request, said)
    return redirect("organisers:campaign", campaign.slug)


def _not_left(ledger: Ledger) -> int:
    """Return how many deliveries closing could still stop."""
    return sum(ledger.counts[word] for word in (Word.WAITING, Word.RETRYING, Word.UNCLEAR))


def _reach_words() -> list[str]:
    return (
        [_("This is a test: letters go to the postbox on this machine.")]
        if settings.BUILT_IN_MAIL_SERVER
        else []
    )


def _obstacle_item(campaign: Campaign, obstacle: Obstacle) -> Item:
    if obstacle.code == "end_has_passed":
        return Item("danger", obstacle.sentence, _page(campaign), _("Change the page"))
    if obstacle.ask is None:
        return Item(
            "danger",
            obstacle.sentence,
            reverse("organisers:new-ask", args=[campaign.slug]),
            _("Add a letter"),
        )
    if obstacle.code == "no_targets":
        list_id = obstacle.ask.target_list.public_id
        return Item(
            "danger", obstacle.sentence, reverse("organisers:list", args=[list_id]), _("Open the list")
        )
    words = _("Write it") if obstacle.code == "no_wording" else _("Mend the wording")
    address = reverse("organisers:wording", args=[campaign.slug, obstacle.ask.slug])
    return Item("danger", obstacle.sentence, address, words)


def _page(campaign: Campaign) -> str:
    return reverse("organisers:campaign-page", args=[campaign.slug])


def _ask_items(campaign: Campaign, ask: Ask, obstructed: set[str]) -> list[Item]:
    items: list[Item] = []
    title = publishing.title_of(ask)
    template = publishing.current_template(ask)
    if template is not None and "wording" not in obstructed:
        remarks = len(publishing.lint(ask, template.passages()))
        if remarks:
            said = ngettext(
                "The wording of “%(title)s” has %(n)d remark.",
                "The wording of “%(title)s” has %(n)d remarks.",
                remarks,
            ) % {"title": title, "n": remarks}
            address = reverse("organisers:wording", args=[campaign.slug, ask.slug])
            items.append(Item("warning", said, address, _("Read them")))
        else:
            items.append(
                Item("success", _("The wording of “%(title)s” fits every target.") % {"title": title})
            )
    if "no_targets" not in obstructed:
        able = len(lists.deliverable_targets(ask.target_list, now=timezone.now()))
        left_out = lists.offered_targets(ask.target_list, now=timezone.now()).count() - able
        words = {"offices": offices_in_words(able), "title": title, "n": left_out}
        items += _country_items(ask, title)
        if left_out:
            said = _("“%(title)s” goes to %(offices)s; %(n)d more have no working e-mail address.") % words
            address = reverse("organisers:list", args=[ask.target_list.public_id])
            items.append(Item("warning", said, address, _("Open the list")))
        else:
            items.append(Item("success", _("“%(title)s” goes to %(offices)s.") % words))
    return items


def _country_items(ask: Ask, title: str) -> list[Item]:
    """Return what is missing where supporters are led to the people of their own country."""
    if ask.mode != Ask.Mode.BY_COUNTRY:
        return []
    n = lists.active_targets(ask.target_list).filter(country="").count()
    if not n:
        return []
    said = ngettext(
        "“%(title)s” goes by country, and %(n)d person on its list has none: nobody is led to them.",
        "“%(title)s” goes by country, and %(n)d people on its list have none: nobody is led to them.", n,
    ) % {"title": title, "n": n}  # fmt: skip
    address = reverse("organisers:list", args=[ask.target_list.public_id])
    return [Item("warning", said, address, _("Open the list"))]

"""The first page after signing in: what needs a person now, and how each campaign stands."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.models import Organisation
from campaigns import publishing
from campaigns.models import Campaign
from letters import statistics
from letters.models import Delivery, DeliveryTally, Letter
from letters.page_words import Word
from web.organisers.campaign_frame import Standing, end_words, number, standing
from web.organisers.desk import CHOSEN, Desk, for_members, page

SOON = timedelta(days=2)


@dataclass(frozen=True)
class Need:
    """One thing that a person should look at, and where."""

    sentence: str
    campaign: str
    link: str
    address: str
    tone: str = "warning"


@dataclass(frozen=True)
class Tile:
    """One campaign on the dashboard, in numbers read from the tallies."""

    campaign: Campaign
    title: str
    standing: Standing
    letters: int
    counts: dict[str, int]  # deliveries by page word
    own_words: int | None  # per cent of letters; None without letters


@dataclass(frozen=True)
class Step:
    """One of the first five steps of an organisation."""

    words: str
    address: str
    done: bool


@for_members()
def dashboard(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show what needs a person now, the campaigns, and at the beginning the first steps."""
    rows = desk.organisation.campaigns.prefetch_related("texts", "asks__templates").order_by("-created_at")
    campaigns = sorted(rows, key=lambda each: each.stage == Campaign.Stage.CLOSED)
    tiles = [_tile(campaign) for campaign in campaigns]
    steps = [] if any(each.opened_at for each in campaigns) else first_steps(desk.organisation, campaigns)
    needs = [need for tile in tiles for need in needs_of(tile)]
    return page(
        request, desk, "organisers/dashboard/dashboard.html", section="dashboard",
        tiles=tiles, needs=needs, steps=steps, words=Word,
    )  # fmt: skip


@require_POST
@for_members()
def choose_organisation(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Work for another of the person's organisations from now on."""
    chosen = request.POST.get("organisation", "")
    if any(each.public_id == chosen for each in desk.organisations):
        request.session[CHOSEN] = chosen
    return redirect("organisers:dashboard")


def needs_of(tile: Tile) -> list[Need]:
    """Return what of a campaign waits for a person, most pressing first."""
    campaign, found = tile.campaign, list[Need]()
    board = reverse("organisers:delivery", args=[campaign.slug])
    held = DeliveryTally.objects.filter(campaign=campaign, state=Delivery.State.HELD).aggregate(n=Sum("count"))["n"]
    unclear, returned = tile.counts[Word.UNCLEAR], tile.counts[Word.RETURNED]

    def need(sentence: str, link: str, address: str, tone: str) -> None:
        found.append(Need(sentence, tile.title, link, address, tone))

    if held:
        said = ngettext("%(n)s delivery is held until somebody has looked.",
                        "%(n)s deliveries are held until somebody has looked.", held)  # fmt: skip
        need(said % {"n": number(held)}, _("Look at them"), board, "danger")
    if unclear:
        said = ngettext("%(n)s delivery ended unclear: it probably arrived, you decide.",
                        "%(n)s deliveries ended unclear: they probably arrived, you decide.", unclear)  # fmt: skip
        need(said % {"n": number(unclear)}, _("Decide"), board, "warning")
    if returned:
        said = ngettext("%(n)s delivery came back.", "%(n)s deliveries came back.", returned)
        need(said % {"n": number(returned)}, _("See why"), board, "warning")
    if campaign.paused_at and campaign.stage != Campaign.Stage.DRAFT:
        because = f" {campaign.paused_because}" if campaign.paused_because else ""
        need(_("It is paused: nothing leaves.") + because, _("See what waits"), board, "warning")
    if campaign.is_open and campaign.closes_at and campaign.closes_at - timezone.now() < SOON:
        here = reverse("organisers:campaign-page", args=[campaign.slug])
        need(_("It closes by itself on %(moment)s.") % {"moment": end_words(campaign)}, _("Change it"), here, "")
    if campaign.stage == Campaign.Stage.DRAFT:
        here = reverse("organisers:campaign", args=[campaign.slug])
        need(_("It is a draft: supporters cannot see it yet."), _("Finish it"), here, "")
    return found


def first_steps(organisation: Organisation, campaigns: list[Campaign]) -> list[Step]:
    """Return the five steps to a first published campaign, and which are done."""
    first = campaigns[0] if campaigns else None
    lists = organisation.target_lists
    one_list = lists.order_by("id").first()
    fill = reverse("organisers:import", args=[one_list.public_id]) if one_list else reverse("organisers:new-list")
    start = reverse("organisers:campaign", args=[first.slug]) if first else reverse("organisers:new-campaign")
    asks = list(first.asks.all()) if first else []
    return [
        Step(_("Make a list of the people who decide"), reverse("organisers:new-list"), lists.exists()),
        Step(_("Fill it from a table"), fill, lists.filter(entries__isnull=False).exists()),
        Step(_("Make a campaign and say what you ask for"), start, bool(asks)),
        Step(_("Write the letter"), start, any(ask.templates.all() for ask in asks)),
        Step(_("Check it and publish"), start, done=False),
    ]


def _tile(campaign: Campaign) -> Tile:
    counts: Counter[str] = Counter(dict.fromkeys(Word, 0))
    for ledger in statistics.ledger_by_ask(campaign).values():
        counts.update(ledger.counts)
    days = statistics.days(campaign)
    written, personal = sum(day.letters for day in days), sum(day.with_own_words for day in days)
    return Tile(
        campaign=campaign,
        title=publishing.page_text(campaign).title,
        standing=standing(campaign),
        letters=statistics.letters_by_stage(campaign)[Letter.Stage.CONFIRMED],
        counts=dict(counts),
        own_words=round(100 * personal / written) if written else None,
    )

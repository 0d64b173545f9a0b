"""What all pages of one campaign share: finding it, its state in a word, its heading and tabs."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import closing, publishing
from campaigns.models import Ask, Campaign
from web.organisers.desk import Desk, page


@dataclass(frozen=True)
class Standing:
    """Where a campaign stands: the word on its stamp, the stamp's colour, and a sentence."""

    word: str
    tone: str  # of the stamp: "", "success", "warning", "danger", "action"
    sentence: str


def find(desk: Desk, slug: str) -> Campaign:
    """Return the organisation's campaign with its texts and asks, or answer 404."""
    rows = Campaign.objects.select_related("organisation").prefetch_related("texts", "asks__texts", "asks__target_list")
    return desk.find(rows, slug=slug)


def find_ask(campaign: Campaign, slug: str) -> Ask | None:
    """Return one of the campaign's asks."""
    return next((ask for ask in campaign.asks.all() if ask.slug == slug), None)


def standing(campaign: Campaign) -> Standing:
    """Say where a campaign stands."""
    if campaign.stage == Campaign.Stage.DRAFT:
        return Standing(_("Draft"), "", _("Only members see it."))
    if campaign.stage == Campaign.Stage.CLOSED:
        endings = {
            Campaign.Ending.WON: _("Won"),
            Campaign.Ending.ENDED: _("Ended"),
            Campaign.Ending.PAUSED: _("Resting"),
            Campaign.Ending.MOVED: _("Moved"),
        }
        word = endings.get(Campaign.Ending(campaign.ending), _("Closed"))
        if campaign.paused_at:
            return Standing(word, "", _("Nobody writes any more. What waits is paused."))
        return Standing(word, "", _("Nobody writes any more. What waits still leaves."))
    if campaign.paused_at:
        return Standing(_("Paused"), "warning", _("Letters keep being confirmed and wait here."))
    return Standing(_("Running"), "success", _("Supporters write, and letters leave."))


def end_words(campaign: Campaign) -> str:
    """Say when a campaign closes by itself: "16 December 2026, 18:00 (Europe/Berlin)"; empty where it does not."""
    local = closing.of(campaign).local
    return f"{local:%-d %B %Y, %H:%M} ({campaign.time_zone})" if local else ""


def page_address(campaign: Campaign) -> str:
    """Return the path of the page that supporters see."""
    return reverse("supporters:campaign", args=[campaign.default_language, campaign.slug])


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(text.split())


def number(value: int) -> str:
    """Write a number as people read it: 1,867."""
    return f"{value:,}"


def campaign_page(
    request: HttpRequest,
    desk: Desk,
    campaign: Campaign,
    template: str,
    *,
    tab: str = "",
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render one page of a campaign; `tab` is overview, delivery or statistics."""
    known: dict[str, Any] = {
        "campaign": campaign,
        "campaign_title": publishing.page_text(campaign).title,
        "standing": standing(campaign),
        "page_address": page_address(campaign),
        "end_words": end_words(campaign),
        "full_address": f"{settings.BASE_URL}{page_address(campaign)}",
        "tab": tab,
        "number": number,
        "now": timezone.now(),
    }
    return page(request, desk, template, section="campaigns", status=status, **{**known, **context})


def note(request: HttpRequest, words: str, *, warn: bool = False) -> None:
    """Keep a sentence for the top of the next page."""
    messages.add_message(request, messages.WARNING if warn else messages.SUCCESS, words)


def letters_in_words(n: int) -> str:
    """Say a number of letters."""
    return ngettext("%(n)s letter", "%(n)s letters", n) % {"n": number(n)}


def deliveries_in_words(n: int) -> str:
    """Say a number of deliveries."""
    return ngettext("%(n)s delivery", "%(n)s deliveries", n) % {"n": number(n)}


def offices_in_words(n: int) -> str:
    """Say a number of offices."""
    return ngettext("%(n)s office", "%(n)s offices", n) % {"n": number(n)}

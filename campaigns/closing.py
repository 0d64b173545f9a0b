"""When a campaign closes by itself: the moment that organisers set, and the closing once it has come."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import Organisation, User
from campaigns import publishing
from campaigns.models import Campaign
from campaigns.publishing import CampaignRefused
from targets import time_zones

LAST_MINUTE = "23:59"  # of a day that was given without a time
EARLIEST, FURTHEST = 2000, 10  # a year, and years from now: what is further away is a slip of the pen


@dataclass(frozen=True)
class End:
    """When a campaign closes by itself, in UTC (none: when somebody closes it), and the time zone it is told in."""

    at: datetime | None = None
    time_zone: str = "UTC"

    @property
    def local(self) -> datetime | None:
        """Return the moment as clocks in its time zone show it."""
        return self.at.astimezone(ZoneInfo(self.time_zone)) if self.at else None


def of(campaign: Campaign) -> End:
    """Return when a campaign closes by itself."""
    return End(campaign.closes_at, campaign.time_zone)


def usual_time_zone(organisation: Organisation) -> str:
    """Return the time zone that an organisation told the end of a campaign in last."""
    told = organisation.campaigns.exclude(closes_at=None).order_by("-created_at").values_list("time_zone", flat=True)
    return told.first() or "UTC"


def read(*, day: str, clock: str, time_zone: str, before: End, now: datetime) -> End:
    """Return the end that was typed: "2026-12-16", "18:00" (or nothing: the day's last minute), a name of a zone.

    An hour that comes twice, when clocks go back, is the later one. Raises CampaignRefused, a sentence for each of the
    fields closes_on, closes_at and time_zone; also where the moment has passed, unless it is the one set `before`.
    """
    errors: dict[str, str] = {}
    if time_zone not in {"", *time_zones.names()}:
        errors["time_zone"] = "Choose a time zone of the list."
    elif day and not time_zone:
        errors["time_zone"] = "Say in which time zone it closes."
    if clock and not day:
        errors["closes_on"] = "Say on which day it closes, or empty the time."
    on, at = _parsed(day, "%Y-%m-%d"), _parsed(clock or LAST_MINUTE, "%H:%M")
    if day and (on is None or not EARLIEST <= on.year <= now.year + FURTHEST):
        errors["closes_on"] = f"Write the day like {now:%Y-%m-%d}, at most {FURTHEST} years ahead."
    if at is None:
        errors["closes_at"] = "Write the time like 18:00, at most 23:59."
    if errors:
        raise CampaignRefused(errors)
    if on is None or at is None:
        return End(None, time_zone or "UTC")
    typed = datetime.combine(on.date(), at.time())
    moment = typed.replace(tzinfo=ZoneInfo(time_zone), fold=1).astimezone(UTC)
    if moment.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) != typed:
        raise CampaignRefused({"closes_at": "Clocks go forward that day, and this time is left out. Choose another."})
    if moment <= now and moment != before.at:
        raise CampaignRefused({"closes_on": "This moment has passed. Give one that is still to come."})
    return End(moment, time_zone)


@transaction.atomic
def plan(*, campaign: Campaign, by: User, may_close: bool, end: End) -> bool:
    """Set when a campaign closes by itself; False where that stays as it was.

    Of a campaign that supporters see, only whoever `may_close` it may say so; else raises CampaignRefused.
    """
    before = of(campaign)
    if end == before or not (end.at or before.at):
        return False
    if campaign.stage != Campaign.Stage.DRAFT and not may_close:
        raise CampaignRefused({"closes_on": "Your role does not close campaigns. Ask an owner or a sender."})
    campaign.closes_at, campaign.time_zone = end.at, end.time_zone
    campaign.save(update_fields=["closes_at", "time_zone"])
    audit.record(
        organisation=campaign.organisation, by=by, deed="set the end of campaign", subject=campaign.slug,
        before=_plain(before), after=_plain(end),
    )  # fmt: skip
    return True


def open_campaigns(*, now: datetime) -> QuerySet[Campaign]:
    """Return the campaigns for which supporters may write."""
    return Campaign.objects.filter(stage=Campaign.Stage.OPEN).exclude(closes_at__lte=now)


def close_due(*, now: datetime) -> int:
    """Close every campaign whose end has come; return how many. What waits still leaves, as after any closing."""
    due = Campaign.objects.filter(stage=Campaign.Stage.OPEN, closes_at__lte=now).select_related("organisation")
    return sum(_close(campaign, now=now) for campaign in due)


def settle(campaign: Campaign, *, now: datetime) -> None:
    """Close this campaign if its end has come, whoever sees that first; it is then as it stands in the database."""
    if campaign.stage == Campaign.Stage.OPEN and not campaign.is_open_at(now) and not _close(campaign, now=now):
        campaign.refresh_from_db(
            fields=["stage", "ending", "ending_words", "ending_link", "closed_at", "closes_at", "time_zone"]
        )


@transaction.atomic
def _close(campaign: Campaign, *, now: datetime) -> bool:
    """Close a campaign whose end has come; False where somebody was first, or set another end meanwhile.

    It closed when it said it would, however late that is noticed.
    """
    if campaign.closes_at is None or now < campaign.closes_at:
        return False
    return publishing.close(campaign=campaign, by=None, ending=Campaign.Ending.ENDED, words="", now=campaign.closes_at)


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007  of a clock on the wall, whose zone stands apart
    except ValueError:
        return None


def _plain(end: End) -> str:
    return f"{end.local:%Y-%m-%d %H:%M} {end.time_zone}" if end.at else ""

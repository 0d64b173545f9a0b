"""How long a campaign would take under the offices' pace: computed, nothing is sent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from campaigns.models import Campaign
from letters import pacing, releasing
from targets import lists
from targets.paces import USUAL_PER_HOUR

_EVER = timedelta(days=36_500)
NEVER = datetime.max.replace(tzinfo=UTC)  # nothing fits into the pace of an office


@dataclass(frozen=True)
class AskForecast:
    """One ask: how many targets, deliveries, and when the last letter leaves."""

    ask: str
    targets: int
    deliveries: int
    capped: int  # targets whose address has a pace
    last_leaves_at: datetime
    slowest: str


def forecast(campaign: Campaign, *, supporters: int, now: datetime, usual_pace: bool) -> list[AskForecast]:
    """Return, per ask, when the last of `supporters` letters leaves if all are confirmed now.

    Where a letter goes to some of a list, each target gets its fair share of them. With `usual_pace`, addresses
    without a pace of their own are taken to have the usual one (60 an hour).
    """
    found = []
    for ask in campaign.asks.select_related("target_list"):
        targets = lists.deliverable_targets(ask.target_list, now=now)
        each = min(ask.suggested_targets, len(targets)) if ask.offers_choice else len(targets)
        letters = -(-supporters * each // max(len(targets), 1))
        last, slowest, capped = now, "", 0
        for target in targets:
            if target.email is None:
                continue
            pace = releasing.pace_of(target.email)
            if not target.email.is_capped and usual_pace:
                pace = pacing.Pace(per_hour=USUAL_PER_HOUR)
            elif not target.email.is_capped:
                continue
            capped += 1
            at = pacing.drain_time(pace, waiting=letters, now=now) or NEVER
            if at > last:
                last, slowest = at, target.name
        found.append(AskForecast(ask.slug, len(targets), supporters * each, capped, last, slowest))
    return found


def spelled(span: timedelta) -> str:
    """Return when something is after a span of time: "after 2 d 3 h", or "at once"."""
    if span > _EVER:
        return "never: nothing fits into an office's pace"
    minutes = round(span.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{rest} min" if rest else ""]
    return f"after {' '.join(part for part in parts if part)}" if minutes else "at once"

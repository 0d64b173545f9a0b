"""What follows from what came back: dead addresses, offices that want no more letters, campaigns that must pause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from accounts import audit
from campaigns.models import Campaign
from letters import breaker, reputation
from targets import suppressions
from targets.models import Address, Target


class Unwanted(NamedTuple):
    """An address that wants no more letters: by which delivery it was said, and how ("complained", "unsubscribed")."""

    address: int
    campaign: int
    target: int
    delivery: int
    reason: str


@dataclass(frozen=True)
class News:
    """What a batch of events told for the first time. Addresses, targets and campaigns by id."""

    delivered: frozenset[int] = frozenset()  # addresses that something was delivered to
    bad: Sequence[int] = ()  # addresses that do not exist, as often as it was said
    unwanted: Sequence[Unwanted] = ()
    campaigns: frozenset[int] = frozenset()  # with a new bounce or complaint


def draw(news: News, *, source: str, now: datetime) -> None:
    """Draw the consequences, in the transaction that writes the events down."""
    reputation.accept(news.delivered)
    reputation.refuse(news.bad, now=now)
    if news.unwanted:
        _suppress(news.unwanted, source=source, now=now)


def weigh(news: News, *, now: datetime) -> None:
    """Pause the campaigns for which bounces or complaints have become too many (RELIABILITY F22, P16)."""
    if news.campaigns:
        rows = Campaign.objects.select_related("organisation").filter(pk__in=news.campaigns, paused_at=None)
        for campaign in rows.order_by("pk"):
            breaker.weigh(campaign, now=now)


def _suppress(unwanted: Sequence[Unwanted], *, source: str, now: datetime) -> None:
    """Write no more to these addresses, in any campaign, and say so in the audit of the campaign that heard it."""
    addresses = Address.objects.in_bulk([one.address for one in unwanted])
    targets = Target.objects.in_bulk([one.target for one in unwanted])
    campaigns = Campaign.objects.select_related("organisation").in_bulk([one.campaign for one in unwanted])
    for one in unwanted:
        hashed = bytes(addresses[one.address].address_hash)
        if suppressions.covers(hashed, now=now):
            continue
        suppressions.add(hashed, reason=one.reason, source=f"report of {source}")
        campaign = campaigns[one.campaign]
        audit.record(
            organisation=campaign.organisation, by=None, deed=f"suppressed an address that {one.reason}",
            subject=f"{campaign.slug}: {targets[one.target]}", delivery=one.delivery,
        )  # fmt: skip

"""What follows from what came back: dead addresses, offices that want no more letters, campaigns that must pause."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts import audit
from campaigns.models import Campaign
from letters import breaker, reputation
from targets import suppressions
from targets.models import Address, Target

SPARED_FOR = timedelta(days=14)


class Unwanted(NamedTuple):
    """An address that wants no more letters: by which delivery it was said, and how ("complained", "unsubscribed")."""

    address: int
    campaign: int
    target: int
    delivery: int
    reason: str


class Bad(NamedTuple):
    """An address that does not exist, and the campaign whose letter came back."""

    address: int
    campaign: int


@dataclass(frozen=True)
class News:
    """What a batch of events told for the first time. Addresses, targets and campaigns by id."""

    delivered: frozenset[int] = frozenset()  # addresses that something was delivered to
    bad: Sequence[Bad] = ()  # as often as it was said
    unwanted: Sequence[Unwanted] = ()
    campaigns: frozenset[int] = frozenset()  # with a new bounce or complaint


def draw(news: News, *, source: str, now: datetime) -> None:
    """Draw the consequences, in the transaction that writes the events down.

    Where reports make more than 5 % of a campaign's targets unreachable, the others are spared: an address that would
    be dead only bounces, one that would be suppressed for good is for a fortnight, and a person is asked (F22).
    """
    reputation.accept(news.delivered)
    bad = [one.address for one in news.bad]
    dying = set(reputation.dying(bad, now=now)) if bad else set()
    lost = [one for one in news.bad if one.address in dying]
    spared = _beyond_room([*news.unwanted, *lost]) if news.unwanted or lost else frozenset()
    reputation.refuse(bad, now=now, spared=spared)
    if news.unwanted:
        _suppress(news.unwanted, spared, source=source, now=now)


def weigh(news: News, *, now: datetime) -> None:
    """Pause the campaigns for which bounces or complaints have become too many (RELIABILITY F22, P16)."""
    if news.campaigns:
        rows = Campaign.objects.select_related("organisation").filter(pk__in=news.campaigns, paused_at=None)
        for campaign in rows.order_by("pk"):
            breaker.weigh(campaign, now=now)


def _beyond_room(lost: Iterable[Bad | Unwanted]) -> frozenset[int]:
    """Return the addresses that reports would take from a campaign beyond what they may, first come first served."""
    wanted: dict[int, dict[int, None]] = {}
    for one in lost:
        wanted.setdefault(one.campaign, {})[one.address] = None
    # Locked, so that two of us at once do not each use the whole of it.
    rows = Campaign.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
    spared: set[int] = set()
    for campaign in rows:
        spared.update(list(wanted[campaign.pk])[breaker.room(campaign) :])
    return frozenset(spared)


def _suppress(unwanted: Sequence[Unwanted], spared: Collection[int], *, source: str, now: datetime) -> None:
    """Write no more to these addresses, in any campaign, and say so in the audit of the campaign that heard it."""
    addresses = Address.objects.in_bulk([one.address for one in unwanted])
    targets = Target.objects.in_bulk([one.target for one in unwanted])
    campaigns = Campaign.objects.select_related("organisation").in_bulk([one.campaign for one in unwanted])
    for one in unwanted:
        hashed = bytes(addresses[one.address].address_hash)
        if suppressions.covers(hashed, now=now):
            continue
        is_spared = one.address in spared
        until = now + SPARED_FOR if is_spared else None
        suppressions.add(hashed, reason=one.reason, source=f"report of {source}", until=until)
        campaign = campaigns[one.campaign]
        audit.record(
            organisation=campaign.organisation, by=None,
            deed=f"suppressed {'for a fortnight ' if is_spared else ''}an address that {one.reason}",
            subject=f"{campaign.slug}: {targets[one.target]}", delivery=one.delivery,
        )  # fmt: skip

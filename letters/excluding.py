"""Leaving a target out of what a list's supporters are offered, and what becomes of letters to them that wait."""

from datetime import datetime

from django.db.models import Sum

from accounts.models import User
from campaigns.models import Ask, Campaign
from letters import steering
from letters.models import DeliveryTally
from targets import exclusions
from targets.models import ListEntry


def exclude(
    *, entry: ListEntry, exclusion: str, words: str, until: str, stops_waiting: bool, by: User, now: datetime
) -> int:
    """Leave a target out for new letters; raises exclusions.ExclusionRefused.

    Letters to it that wait go on, or are stopped where `stops_waiting` says so; return how many deliveries were.
    """
    exclusions.exclude(entry=entry, exclusion=exclusion, words=words, until=until, by=by, now=now)
    if not stops_waiting:
        return 0
    campaigns = Campaign.objects.filter(asks__target_list=entry.target_list).distinct()
    return sum(
        steering.stop_target(campaign=campaign, target=entry.target, by=by, now=now, only=entry.target_list)
        for campaign in campaigns.select_related("organisation")
    )


def waiting(entry: ListEntry) -> int:
    """Return how many deliveries to a target, for letters to this list, have not left."""
    cells = DeliveryTally.objects.filter(
        target=entry.target, ask__in=Ask.objects.filter(target_list=entry.target_list), state__in=steering.WAITING
    )
    return cells.aggregate(n=Sum("count"))["n"] or 0

"""Mail to members: a campaign was paused by itself. Queued with the pause, sent at least once."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts.models import Member, Role
from campaigns.models import Campaign
from letters.signals import something_waits
from letters.stoppages import Alarm

TOLD = (Role.OWNER, Role.SENDER)  # those who may resume
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 12  # about two days
FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=6)


def raise_for(*, campaign: Campaign, cause: str, evidence: Mapping[str, Any], paused_at: datetime) -> int:
    """Queue a mail to each member who may resume the campaign; return how many."""
    members = Member.objects.filter(organisation=campaign.organisation_id, role__in=TOLD, user__is_active=True)
    rows = [
        Alarm(
            campaign=campaign, user_id=user, cause=cause, evidence=dict(evidence), paused_at=paused_at,
            due_at=paused_at,
        )
        for user in members.values_list("user", flat=True).distinct()
    ]  # fmt: skip
    Alarm.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: something_waits.send_robust(sender=Alarm), robust=True)
    return len(rows)


def claim(*, limit: int, now: datetime) -> list[Alarm]:
    """Take due alarms for five minutes; those whose worker died come back by themselves."""
    with transaction.atomic():
        due = Alarm.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), ended_at=None, due_at__lte=now)
        ids = list(due.order_by("due_at").select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Alarm.objects.filter(pk__in=ids).update(lease_until=now + LEASE, attempts=F("attempts") + 1)
    return list(Alarm.objects.filter(pk__in=ids).select_related("campaign__organisation", "user").order_by("pk"))


def give_back(claimed: Iterable[Alarm]) -> None:
    """Return alarms that were claimed and not tried, as if they had not been claimed."""
    rows = Alarm.objects.filter(pk__in=[alarm.pk for alarm in claimed], ended_at=None)
    rows.update(lease_until=None, attempts=F("attempts") - 1)


def record(alarm: Alarm, *, sent: bool, refused: bool, now: datetime) -> None:
    """Write down how sending an alarm ended: sent, given up, or to be tried again."""
    rows = Alarm.objects.filter(pk=alarm.pk, ended_at=None)
    if sent or refused or alarm.attempts >= MOST_ATTEMPTS:
        rows.update(ended_at=now, mailed_at=now if sent else None, lease_until=None)
        return
    wait = min(FIRST_WAIT * 2 ** min(alarm.attempts, 12), LONGEST_WAIT)
    rows.update(due_at=now + wait, lease_until=None)


def forget(*, now: datetime, after: timedelta = timedelta(days=28)) -> int:
    """Delete old alarms; return how many rows. The audit keeps the pauses."""
    return Alarm.objects.filter(ended_at__lt=now - after).delete()[0]

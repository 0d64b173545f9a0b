"""Reminding of a letter that waits for its confirmation: after a day, and after three where it lives that long."""

from datetime import datetime

from letters import notices
from letters.models import Letter, Notice


def send_due(*, now: datetime, limit: int = 1000) -> int:
    """Queue the reminders that are due; return how many. The caps of all confirmations win: one over them is left out.

    A person who wrote several letters is reminded by one mail, whose page lists them all.
    """
    due = Letter.objects.filter(stage=Letter.Stage.AWAITING, remind_at__lte=now, expires_at__gt=now)
    letters = due.select_related("campaign", "supporter").order_by("remind_at")[:limit]
    return sum(_remind(letter, now=now) for letter in letters)


def _remind(letter: Letter, *, now: datetime) -> bool:
    mine = Letter.objects.filter(pk=letter.pk, stage=Letter.Stage.AWAITING, remind_at=letter.remind_at)
    if not mine.update(remind_at=None):  # another worker was first, or the letter moved on
        return False
    if letter.supporter is None or not letter.campaign.is_open or notices.came_back(letter):
        return False
    return notices.ask_for_confirmation(letter, now=now, kind=Notice.Kind.REMINDER)

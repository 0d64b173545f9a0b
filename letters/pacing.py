"""How fast to whom: pure policy from values to values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# What is let go shortly before an office closes would still be on its way afterwards: the last goes this long before.
BEFORE_CLOSING = timedelta(minutes=2)
WORK_DAYS = range(5)  # Monday to Friday
MOST_DAYS = 366  # forecasts do not look further


@dataclass(frozen=True)
class Pace:
    """What one mailbox can read: letters per sliding hour and day (None: no cap), and its office hours."""

    per_hour: int | None = None
    per_day: int | None = None
    opens_at: time | None = None
    closes_at: time | None = None
    time_zone: str = "UTC"

    @property
    def is_none(self) -> bool:
        """Return whether the mailbox takes everything at any time."""
        return self.per_hour is None and self.per_day is None and self.opens_at is None

    @property
    def is_shut(self) -> bool:
        """Return whether nothing ever fits: a cap of nought, or hours that end before they begin."""
        if self.per_hour == 0 or self.per_day == 0:
            return True
        return self.opens_at is not None and self.closes_at is not None and self.opens_at >= self.closes_at


def is_open(pace: Pace, now: datetime) -> bool:
    """Return whether the office is open: always, where it has no hours; else Monday to Friday within them."""
    if pace.opens_at is None or pace.closes_at is None:
        return True
    local = now.astimezone(ZoneInfo(pace.time_zone))
    return local.weekday() in WORK_DAYS and pace.opens_at <= local.time() < pace.closes_at


def lets_go(pace: Pace, now: datetime) -> bool:
    """Return whether a letter let go now leaves within the office's hours."""
    return is_open(pace, now) and is_open(pace, now + BEFORE_CLOSING)


def free_slots(pace: Pace, *, in_last_hour: int, in_last_day: int, most: int) -> int:
    """Return how many more letters this mailbox may be given now, at most `most`.

    What was given a slot and not tried yet counts as tried, so a stopped worker cannot save slots up.
    """
    slots = most
    if pace.per_hour is not None:
        slots = min(slots, pace.per_hour - in_last_hour)
    if pace.per_day is not None:
        slots = min(slots, pace.per_day - in_last_day)
    return max(slots, 0)


def jitter(delivery_id: int, *, within: timedelta) -> timedelta:
    """Return a wait below `within`, the same each time for the same delivery."""
    share = int.from_bytes(hashlib.sha256(f"jitter {delivery_id}".encode()).digest()[:4], "big") / 2**32
    return within * share


def turn(address_id: int, now: datetime) -> int:
    """Return a number that falls differently each time: who is first where there is but one slot at a time."""
    return int.from_bytes(hashlib.sha256(f"turn {address_id} {now.isoformat()}".encode()).digest()[:4], "big")


def shared(waiting: Sequence[tuple[int, int]], slots: int, *, turn: int = 0) -> list[int]:
    """Choose who goes next: `waiting` are (delivery id, campaign id), oldest first; campaigns take turns.

    `turn` says which campaign begins. Were it always the oldest, a mailbox with one slot at a time would be its own.
    """
    by_campaign: dict[int, list[int]] = {}
    for delivery_id, campaign_id in waiting:
        by_campaign.setdefault(campaign_id, []).append(delivery_id)
    chosen: list[int] = []
    queues = list(by_campaign.values())
    place = turn % max(len(queues), 1)
    while len(chosen) < slots and queues:
        queue = queues[place]
        chosen.append(queue.pop(0))
        if queue:
            place += 1
        else:
            queues.pop(place)
        place %= max(len(queues), 1)
    return chosen


def in_a_day(pace: Pace) -> float | None:
    """Return how many letters a mailbox takes on a working day; None where it takes everything."""
    hours = 24.0
    if pace.opens_at is not None and pace.closes_at is not None:
        hours = _hour(pace.closes_at) - _hour(pace.opens_at)
    most = [cap for cap in (pace.per_day, None if pace.per_hour is None else pace.per_hour * hours) if cap is not None]
    return min(most, default=None)


def drain_time(
    pace: Pace, *, waiting: int, now: datetime, given: Sequence[tuple[datetime, int]] = ()
) -> datetime | None:
    """Return when the last of `waiting` letters leaves: sliding caps and office hours kept.

    Letters leave in handfuls, as the release step lets them go. `given` is what the mailbox got before: when, how many;
    without it, it is idle. None: never, because nothing fits.
    """
    if waiting > 0 and pace.is_shut:
        return None
    at = now
    left = waiting
    counts_for = HOUR if pace.per_day is None else DAY
    recent = sorted(given)
    while left > 0:
        if not is_open(pace, at):
            at = _next_opening(pace, at)
            continue
        recent = [(when, n) for when, n in recent if when > at - counts_for]
        in_last_hour = sum(n for when, n in recent if when > at - HOUR)
        in_last_day = sum(n for _, n in recent)
        slots = free_slots(pace, in_last_hour=in_last_hour, in_last_day=in_last_day, most=left)
        if slots:
            recent.append((at, slots))
            left -= slots
        if left > 0:
            is_hour_full = pace.per_hour is not None and in_last_hour + slots >= pace.per_hour
            is_day_full = pace.per_day is not None and in_last_day + slots >= pace.per_day
            hour = [next(when for when, _ in recent if when > at - HOUR) + HOUR] if is_hour_full else []
            at = max([*hour, recent[0][0] + DAY] if is_day_full else hour)
    return at


def leaves_at(
    pace: Pace, *, ahead: int, now: datetime, given: Sequence[tuple[datetime, int]] = ()
) -> datetime | None:
    """Return about when a letter leaves that so many wait before: to the hour where it is soon, else to the day.

    None: never, or after more than a year.
    """
    daily = in_a_day(pace)
    if daily is None:
        return drain_time(pace, waiting=1, now=now, given=given)
    days = int(ahead / daily) if daily else 0
    if days > MOST_DAYS:
        return None
    at = drain_time(pace, waiting=ahead - int(days * daily) + 1, now=now, given=given)
    if at is None:
        return None
    for _ in range(days):  # each is like the one before
        at += DAY
        while pace.opens_at is not None and at.astimezone(ZoneInfo(pace.time_zone)).weekday() not in WORK_DAYS:
            at += DAY
    return at


def _hour(at: time) -> float:
    return at.hour + at.minute / 60


def _next_opening(pace: Pace, at: datetime) -> datetime:
    assert pace.opens_at is not None  # noqa: S101  only asked of offices with hours
    local = at.astimezone(ZoneInfo(pace.time_zone))
    opening = local.replace(hour=pace.opens_at.hour, minute=pace.opens_at.minute, second=0, microsecond=0)
    if opening <= local:
        opening += DAY
    while opening.weekday() not in WORK_DAYS:
        opening += DAY
    return opening.astimezone(at.tzinfo)

"""About when a letter that waits leaves, and what it waits for, in the words that supporters read."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letters.forecasting import Forecast
from letters.models import Delivery
from web.presentation import date_words, time_words

AT_ONCE = timedelta(minutes=2)  # the release comes by each minute
HOUR, HALF_A_DAY, DAY = timedelta(hours=1), timedelta(hours=12), timedelta(days=1)


def when(forecast: Forecast, *, now: datetime) -> str:
    """Return "today at about 16:00 UTC", "in about 3 days": as exactly as it can be known.

    It stands in a sentence, so it answers "when?" in each language.
    """
    wait = forecast.at - now
    if forecast.or_later:
        days = wait // DAY
        return ngettext("in more than %(num)s day", "in more than %(num)s days", days) % {"num": days}
    if wait <= HOUR:
        return _("within the hour")
    if wait >= 3 * HALF_A_DAY:
        days = round(wait / DAY)
        return ngettext("in about %(num)s day", "in about %(num)s days", days) % {"num": days}
    at = _rounded_up(timezone.localtime(forecast.at), to=HOUR / 2 if wait < HALF_A_DAY else HOUR)
    if at.date() == timezone.localtime(now).date():
        return _("today at about %(time)s") % {"time": time_words(at)}
    return _("on %(date)s at about %(time)s") % {"date": date_words(at), "time": time_words(at)}


def first_and_last(leaving: Sequence[Forecast], *, waiting: int, now: datetime) -> str:
    """Return one sentence on when the first of a letter's deliveries leaves and when the last; "" where nobody knows.

    `leaving` is sorted; it is shorter than `waiting` where not all are known: then nothing is said of the last.
    """
    if not leaving:
        return ""
    first, last = leaving[0], leaving[-1]
    knows_all = len(leaving) == waiting
    is_now = first.at <= now + AT_ONCE
    if is_now and (not knows_all or last.at <= now + AT_ONCE):
        return _("The first leaves any moment now.")
    said = when(first, now=now), when(last, now=now)
    if is_now:
        return _("The first leaves any moment now, the last %(when)s.") % {"when": said[1]}
    if not knows_all:
        return _("The first leaves %(when)s.") % {"when": said[0]}
    if said[0] == said[1]:
        return _("Yours leaves %(when)s.") % {"when": said[0]}
    return _("The first leaves %(first)s, the last %(last)s.") % {"first": said[0], "last": said[1]}


def waits(delivery: Delivery, forecast: Forecast | None, *, now: datetime) -> str:
    """Say of a delivery that was not tried yet when it leaves, and why not sooner where its office has a pace."""
    if delivery.due_at is not None:
        forecast = Forecast(delivery.due_at)
    if forecast is not None and forecast.at <= now + AT_ONCE:
        return _("Yours leaves any moment now.")
    leaves = _("Yours leaves %(when)s.") % {"when": when(forecast, now=now)} if forecast else ""
    return leaves if delivery.due_at is not None else f"{_pace(delivery)} {leaves}".strip()


def _pace(delivery: Delivery) -> str:
    cap = delivery.address.cap_per_hour
    if cap is None:
        return _("It waits for its turn at this office.")
    return ngettext(
        "It waits for its turn: we give this office one letter an hour.",
        "It waits for its turn: we give this office at most %(num)s letters an hour.", cap,
    ) % {"num": cap}  # fmt: skip


def _rounded_up(at: datetime, *, to: timedelta) -> datetime:
    since_midnight = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
    return at + (-since_midnight % to)

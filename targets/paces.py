"""How fast an office may be written to, as organisers give it: letters an hour and a day, and office hours.

It belongs to the address, so it holds across all lists and campaigns; letters.pacing keeps to it.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from targets import time_zones
from targets.models import Address

USUAL_PER_HOUR = 60  # RELIABILITY P18: what an office can read; a list may name less
MOST_PER_DAY = 24 * USUAL_PER_HOUR
SHORTEST_DAY = timedelta(hours=1)  # in a shorter one hardly a letter would find its time
FIELDS = ("cap_per_hour", "cap_per_day", "opens_at", "closes_at", "time_zone")


def typed(address: Address | None) -> dict[str, str]:
    """Return a pace as a form shows it: a string for each of FIELDS."""
    if address is None:
        return dict.fromkeys(FIELDS, "")
    return {
        "cap_per_hour": "" if address.cap_per_hour is None else str(address.cap_per_hour),
        "cap_per_day": "" if address.cap_per_day is None else str(address.cap_per_day),
        "opens_at": f"{address.opens_at:%H:%M}" if address.opens_at else "",
        "closes_at": f"{address.closes_at:%H:%M}" if address.closes_at else "",
        "time_zone": address.time_zone if address.opens_at else "",
    }


def checked(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Return the columns of an address that were given; a sentence for each field that is wrong goes into `errors`.

    An empty number an hour leaves it as it is; an empty number a day means none, no hours mean always. Where a field is
    not among the values at all, as in an import, nothing of it changes.
    """
    columns: dict[str, Any] = {}
    if values.get("cap_per_hour", "").strip():
        columns["cap_per_hour"] = _number(values, "cap_per_hour", "letters per hour", USUAL_PER_HOUR, errors)
    if "cap_per_day" in values:
        columns["cap_per_day"] = _number(values, "cap_per_day", "letters per day", MOST_PER_DAY, errors)
    if "opens_at" in values or "closes_at" in values:
        columns |= _hours(values, errors)
    return columns


def _number(values: Mapping[str, str], name: str, what: str, most: int, errors: dict[str, str]) -> int | None:
    text = values[name].strip()
    if not text:
        return None
    if text.isdecimal() and 1 <= int(text[:9]) <= most:
        return int(text)
    errors[name] = f"Give the {what} as a number from 1 to {most}."
    return None


def _hours(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    opens, closes = (_time(values.get(name, ""), name, errors) for name in ("opens_at", "closes_at"))
    zone = values.get("time_zone", "").strip()
    if not opens and not closes:
        return {"opens_at": None, "closes_at": None, "time_zone": time_zones.UTC}
    for name, one in (("opens_at", opens), ("closes_at", closes)):
        if one is None:
            errors.setdefault(name, "Give both times, or neither: then letters may arrive at any time.")
    if opens and closes and _at(closes) - _at(opens) < SHORTEST_DAY:
        errors.setdefault("closes_at", "The office must close at least an hour after it opens, on the same day.")
    if zone not in time_zones.names():
        errors["time_zone"] = "Choose the time zone of these hours."
    return {"opens_at": opens, "closes_at": closes, "time_zone": zone}


def _time(text: str, name: str, errors: dict[str, str]) -> time | None:
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        errors[name] = "Give the time as hours and minutes, such as 09:00 or 17:30."
        return None


def _at(moment: time) -> datetime:
    return datetime.combine(date.min, moment)

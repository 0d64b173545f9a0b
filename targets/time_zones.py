"""The time zones that organisers choose from: of an office's hours, and of a campaign's end."""

from functools import lru_cache
from zoneinfo import available_timezones

UTC = "UTC"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names of all time zones to choose from, such as Europe/Berlin, UTC first."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return (UTC, *sorted(places))


def choices() -> list[tuple[str, str]]:
    """Return the names with what a list to choose from shows: "America/New York"."""
    return [(name, name.replace("_", " ")) for name in names()]

"""The two clocks a lease needs: the database's, which orders, and this machine's, which only measures."""

import time
from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """Return the database's present time. SQLite has none of its own: there it is the host's."""
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert isinstance(row[0], datetime)  # noqa: S101
    return row[0]


def boot_seconds() -> float:
    """Return seconds that also count while the machine sleeps (CLOCK_BOOTTIME; elsewhere the monotonic clock)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

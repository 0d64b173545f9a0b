"""The two clocks a lease needs: the database's, which orders, and this machine's, which only measures."""

import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import connection

READ_EVERY = 1.0  # seconds
_last = threading.local()  # of each thread: the connection, what its clock said, and when by ours


def database_now() -> datetime:
    """Return the database's present time. SQLite has none of its own: there it is the host's.

    It is read once a second and carried on by the clock that only measures: a question for each group of letters
    would cost as much as writing the group.
    """
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    connection.ensure_connection()
    now = boot_seconds()
    if getattr(_last, "connection", None) is not connection.connection or now - _last.read_at >= READ_EVERY:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            said = cursor.fetchone()[0]
        assert isinstance(said, datetime)  # noqa: S101
        _last.connection, _last.said, _last.read_at = connection.connection, said, boot_seconds()
        return said
    at: datetime = _last.said + timedelta(seconds=now - _last.read_at)
    return at


def boot_seconds() -> float:
    """Return seconds that also count while the machine sleeps (CLOCK_BOOTTIME; elsewhere the monotonic clock)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

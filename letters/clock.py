"""The two clocks a lease needs: the database's, which orders, and this machine's, which only measures."""

import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

READ_EVERY = 1.0  # seconds
SLOW = 0.2  # seconds after which an answer tells a time that may have passed
TRIES = 3
_last = threading.local()  # of each thread: the connection, what its clock said, and when by ours


def database_now(*, fresh: bool = False) -> datetime:
    """Return the database's present time. SQLite has none of its own: there it is the host's.

    It is read once a second and carried on by the clock that only measures: a question for each group of letters
    would cost as much as writing the group. `fresh`: read now, as for leases.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    connection.ensure_connection()
    now = boot_seconds()
    is_known = getattr(_last, "connection", None) is connection.connection and now - _last.read_at < READ_EVERY
    if fresh or not is_known:
        said, _last.read_at = _read(connection)
        _last.said, _last.connection = said, connection.connection
        return said
    at: datetime = _last.said + timedelta(seconds=now - _last.read_at)
    return at


def _read(connection: BaseDatabaseWrapper) -> tuple[datetime, float]:
    """Ask the database for its time; return it, and when by ours. Asks again where the answer was on its way for long.

    Carried on, an old time would make others' leases look as if they came from a clock that is wrong.
    """
    for _ in range(TRIES):
        asked_at = boot_seconds()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            said = cursor.fetchone()[0]
        answered_at = boot_seconds()
        if answered_at - asked_at <= SLOW:
            break
    assert isinstance(said, datetime)  # noqa: S101
    return said, answered_at


def boot_seconds() -> float:
    """Return seconds that also count while the machine sleeps (CLOCK_BOOTTIME; elsewhere the monotonic clock)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

"""How much came in, from whom, and what was made of it: counted per day, for whoever looks after the installation.

A flood of forged events must not become a flood of writes: each process gathers its counts and writes them at most five
times a second, and what came last within a second (`keep_up`). A process that is killed loses what it gathered in the
last moment; nothing else rests on these numbers.
"""

import atexit
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, connection

from letters import clock
from letters.feedback import ArrivalTally
from letters.given import Statement

WRITTEN_EVERY = 0.2  # seconds
LONGEST_END = 10.0  # seconds that a process which ends waits for its last writing
KEPT_FOR = timedelta(days=90)


class What(StrEnum):
    """What became of something that came in."""

    TAKEN = "taken"  # it told us something new about a delivery
    REPEATED = "repeated"  # known already
    UNKNOWN = "unknown"  # names no delivery of ours: forged, foreign, or erased since
    NEVER_SENT = "never_sent"  # about a delivery of which no copy can have left: somebody should look
    EXPIRED = "expired"  # too long after the delivery
    FORGED = "forged"  # without the secret, or with a wrong signature
    STALE = "stale"  # signed too long ago
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    BUSY = "busy"  # put off: too many at once
    OPENED = "opened"  # the provider watches who opens and clicks, which it should not
    UNTOLD = "untold"  # nothing that we keep: queued, sent, subscribed
    AUTOMATIC = "automatic"  # a machine answered
    REPLY = "reply"
    UNREADABLE = "unreadable"  # a bounce from which nothing certain can be read
    LOOPED = "looped"  # our own mail, or a bounce of a bounce
    ABOUT_NOTICE = "about_notice"  # a bounce of mail to a supporter
    TOO_MANY = "too_many"  # more answers to one delivery than anybody writes


_gathered: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()
_written_at = float("-inf")


def count(source: str, what: What, n: int = 1) -> None:
    """Count something that came in from a source: a provider, or "mail"."""
    if n <= 0:
        return
    with _lock:
        _gathered[source[:20], what] += n
        is_time = time.monotonic() - _written_at >= WRITTEN_EVERY
    if is_time:
        flush()


def flush() -> None:
    """Write what this process gathered. What cannot be written is kept for the next time."""
    global _written_at  # noqa: PLW0603  one rhythm per process
    with _lock:
        cells = dict(_gathered)
        _gathered.clear()
        _written_at = time.monotonic()
    if not cells:
        return
    try:
        _add(cells)
    except BaseException:
        with _lock:
            _gathered.update(cells)
        raise


def keep_up() -> None:
    """Write what this process gathers also when nothing more comes in, and when it ends: once in each that serves."""
    ends = threading.Event()
    thread = threading.Thread(target=_keep_up, args=[ends], name="arrivals", daemon=True)
    thread.start()
    atexit.register(_end, thread, ends)


def _keep_up(ends: threading.Event) -> None:
    while not ends.wait(1):
        _write_if_possible()


def _end(thread: threading.Thread, ends: threading.Event) -> None:
    """Let the thread finish what it is writing, which would be lost with it, and write the rest."""
    ends.set()
    thread.join(LONGEST_END)
    _write_if_possible()


def _write_if_possible() -> None:
    if not _gathered:
        return
    try:
        flush()
    except (DatabaseError, InterfaceError):
        pass  # the next time
    finally:
        connection.close()


def forget_gathered() -> None:
    """Forget what this process gathered and has not written: for tests, each of which has a database of its own."""
    global _written_at  # noqa: PLW0603
    with _lock:
        _gathered.clear()
        _written_at = float("-inf")


def days(*, since: datetime) -> list[ArrivalTally]:
    """Return what came in since a day, newest day first; this process's latest counts included."""
    flush()
    return list(ArrivalTally.objects.filter(day__gte=since.date()).order_by("-day", "source", "what"))


def forget(*, now: datetime) -> int:
    """Delete what is older than 90 days; return how many rows."""
    return ArrivalTally.objects.filter(day__lt=(now - KEPT_FOR).date()).delete()[0]


def _add(cells: Mapping[tuple[str, str], int]) -> None:
    day = clock.database_now().date().isoformat()
    _COUNT(sorted((day, source, what, n) for (source, what), n in cells.items()))


_COUNT = Statement(
    """
    INSERT INTO letters_arrivaltally AS kept (day, source, what, count)
    SELECT g_day, g_source, g_what, g_count FROM {given} WHERE true
    ON CONFLICT (day, source, what) DO UPDATE SET count = kept.count + excluded.count
    """,
    g_day="date", g_source="text", g_what="text", g_count="bigint",
)  # fmt: skip

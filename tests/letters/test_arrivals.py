"""What comes in is counted at most five times a second, and what came last is not forgotten."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from letters import arrivals
from letters.arrivals import What
from letters.feedback import ArrivalTally

pytestmark = pytest.mark.django_db


class _Line:
    """Stands for this thread's database connection, which a test must keep."""

    closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Line]:
    """Return the connection that is closed after each late write."""
    made = _Line()
    monkeypatch.setattr(arrivals, "connection", made)
    arrivals.forget_gathered()
    yield made
    arrivals.forget_gathered()


def written() -> int:
    """Return how many were written down."""
    return sum(ArrivalTally.objects.values_list("count", flat=True))


def test_a_flood_is_gathered_and_its_end_is_written_without_another_event(line: _Line) -> None:
    for _ in range(100):
        arrivals.count("mailgun", What.FORGED)
    assert written() < 100
    arrivals._write_if_possible()
    assert written() == 100
    assert line.closed == 1
    arrivals._write_if_possible()
    assert line.closed == 1, "nothing was gathered: the database was left alone"


def test_what_cannot_be_written_now_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_cells: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(arrivals, "_add", away)
        with pytest.raises(OperationalError):
            arrivals.count("mailgun", What.FORGED, 7)
        arrivals._write_if_possible()
    assert written() == 0
    arrivals._write_if_possible()
    assert written() == 7


def test_a_process_that_serves_writes_late_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_end: list[Callable[[], None]] = []
    begun = threading.Event()
    monkeypatch.setattr(arrivals, "_keep_up", begun.set)
    monkeypatch.setattr("atexit.register", at_the_end.append)
    arrivals.keep_up()
    assert begun.wait(5)
    assert at_the_end == [arrivals._write_if_possible]


def test_counts_are_kept_for_ninety_days() -> None:
    arrivals.count("mail", What.TAKEN)
    assert arrivals.forget(now=timezone.now() + timedelta(days=90)) == 0
    assert arrivals.forget(now=timezone.now() + timedelta(days=92)) == 1

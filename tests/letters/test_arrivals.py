"""What comes in is counted at most five times a second, and what came last is not forgotten."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

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


def test_a_process_that_serves_writes_late_and_ends_only_after_its_last_writing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_the_end: list[Callable[[], None]] = []
    written_down: list[int] = []
    begun, may_go_on = threading.Event(), threading.Event()

    def slowly(cells: Mapping[tuple[str, str], int]) -> None:
        begun.set()
        assert may_go_on.wait(10)
        written_down.extend(cells.values())

    monkeypatch.setattr(arrivals, "_add", slowly)
    monkeypatch.setattr(arrivals, "_written_at", float("inf"))  # not by whoever counts
    monkeypatch.setattr("atexit.register", lambda deed, *given: at_the_end.append(partial(deed, *given)))
    arrivals.keep_up()
    arrivals.count("mailgun", What.FORGED, 7)
    assert begun.wait(10), "a second later, though nothing more came in"
    arrivals.count("mailgun", What.FORGED, 2)
    ending = threading.Thread(target=at_the_end[0])
    ending.start()
    ending.join(0.2)
    assert ending.is_alive(), "it waits for what is being written"
    may_go_on.set()
    ending.join(10)
    assert written_down == [7, 2]


def test_counts_are_kept_for_ninety_days() -> None:
    arrivals.count("mail", What.TAKEN)
    assert arrivals.forget(now=timezone.now() + timedelta(days=90)) == 0
    assert arrivals.forget(now=timezone.now() + timedelta(days=92)) == 1

"""The database's clock, carried on by one that only measures."""

from datetime import timedelta

import pytest
from django.db import connection

from letters import clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock of its own")


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the measuring clock says next, one after the other; the last for ever."""
    times = [0.0]
    monkeypatch.setattr(clock, "boot_seconds", lambda: times.pop(0) if len(times) > 1 else times[0])
    return times


def test_it_is_read_once_a_second_and_carried_on(boot: list[float]) -> None:
    said = clock.database_now(fresh=True)
    boot[:] = [0.5]
    assert clock.database_now() == said + timedelta(seconds=0.5)
    boot[:] = [5.0]
    assert clock.database_now() < said + timedelta(seconds=5), "read anew: hardly any time has passed there"


def test_an_answer_that_was_on_its_way_for_long_is_asked_for_again(
    boot: list[float], django_assert_num_queries: "pytest.FixtureRequest"
) -> None:
    """Carried on from when it arrived, it would be behind by as much."""
    boot[:] = [0.0, 0.0, 5.5, 5.5, 5.6]  # looked at, asked, answered late, asked again, answered
    with django_assert_num_queries(2):  # type: ignore[operator]
        said = clock.database_now(fresh=True)
    boot[:] = [5.7]
    assert clock.database_now() - said == timedelta(seconds=5.7) - timedelta(seconds=5.6)

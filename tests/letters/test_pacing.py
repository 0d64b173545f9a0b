"""How fast to whom: slots, office hours across summer time, turns between campaigns, and the forecast."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters import pacing
from letters.pacing import Pace

OFFICE = Pace(opens_at=time(9), closes_at=time(17), time_zone="Europe/Berlin")


@given(st.none() | st.integers(1, 100), st.none() | st.integers(1, 100), st.integers(0, 200), st.integers(0, 200))
def test_slots_never_exceed_a_cap(per_hour: int | None, per_day: int | None, hour: int, more: int) -> None:
    day = hour + more
    slots = pacing.free_slots(Pace(per_hour, per_day), in_last_hour=hour, in_last_day=day, most=50)
    left = [cap - used for cap, used in ((per_hour, hour), (per_day, day)) if cap is not None]
    assert slots == max(0, min([50, *left]))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2011-11-23T07:59", False), ("2011-11-23T08:00", True),  # Wednesday, winter: 9:00 is 8:00 UTC
        ("2011-11-23T15:59", True), ("2011-11-23T16:00", False),
        ("2011-07-20T06:59", False), ("2011-07-20T07:00", True),  # summer: 9:00 is 7:00 UTC
        ("2011-10-28T07:30", True), ("2011-10-31T07:30", False),  # Friday before and Monday after the change
        ("2012-03-23T07:30", False), ("2012-03-26T07:30", True),
        ("2011-11-26T12:00", False), ("2011-11-27T12:00", False),  # Saturday, Sunday
    ],
)  # fmt: skip
def test_an_office_is_open_by_its_own_clock(at: str, is_open: bool) -> None:
    assert pacing.is_open(OFFICE, datetime.fromisoformat(at).replace(tzinfo=UTC)) == is_open


def test_a_mailbox_without_hours_is_always_open() -> None:
    assert pacing.is_open(Pace(), datetime(2011, 11, 27, 3, tzinfo=UTC))


@given(st.lists(st.integers(1, 4), max_size=60), st.integers(0, 70), st.integers(0, 9))
def test_campaigns_take_turns_and_each_keeps_its_order(campaigns: list[int], slots: int, turn: int) -> None:
    waiting = list(enumerate(campaigns))
    chosen = pacing.shared(waiting, slots, turn=turn)
    assert len(chosen) == len(set(chosen)) == min(slots, len(waiting))
    for campaign in set(campaigns):
        mine = [pk for pk, of in waiting if of == campaign]
        got = [pk for pk in chosen if campaigns[pk] == campaign]
        assert got == mine[: len(got)]
        for other in set(campaigns) - {campaign}:
            theirs = sum(campaigns[pk] == other for pk in chosen)
            assert theirs <= len(got) + 1 or len(got) == len(mine)  # nobody is ahead of one who still waits


def test_a_single_slot_at_a_time_falls_to_every_campaign() -> None:
    waiting = [(n, 1) for n in range(500)] + [(n, 2) for n in range(500, 1000)]
    at = datetime(2011, 11, 23, 10, tzinfo=UTC)
    taken = [pacing.shared(waiting, 1, turn=pacing.turn(5, at + timedelta(minutes=n)))[0] for n in range(400)]
    assert 140 < sum(pk >= 500 for pk in taken) < 260
    assert pacing.turn(5, at) == pacing.turn(5, at)


@given(st.integers(1, 10**9), st.integers(1, 3600))
def test_jitter_stays_within_and_is_the_same_each_time(delivery_id: int, seconds: int) -> None:
    within = timedelta(seconds=seconds)
    wait = pacing.jitter(delivery_id, within=within)
    assert timedelta(0) <= wait < within or within - wait < timedelta(microseconds=1)
    assert wait == pacing.jitter(delivery_id, within=within)


NOON = datetime(2011, 11, 23, 12, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("pace", "waiting", "hours"),
    [
        (Pace(), 10_000, 0),
        (Pace(60), 0, 0),
        (Pace(60), 60, 0),
        (Pace(60), 61, 1),
        (Pace(60), 16_000, 266),
        (Pace(60, 100), 100, 1),
        (Pace(60, 100), 101, 24),
        (Pace(60, 100), 400, 73),
        (Pace(None, 10), 31, 72),
    ],
)
def test_the_last_letter_leaves_when_the_caps_allow_it(pace: Pace, waiting: int, hours: int) -> None:
    assert pacing.drain_time(pace, waiting=waiting, now=NOON) == NOON + timedelta(hours=hours)


def test_the_forecast_keeps_office_hours_weekends_and_summer_time() -> None:
    pace = Pace(10, None, time(9), time(17), "Europe/Berlin")
    friday = datetime(2011, 10, 28, 16, 30, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    monday = datetime(2011, 10, 31, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert pacing.drain_time(pace, waiting=10, now=friday) == friday
    assert pacing.drain_time(pace, waiting=11, now=friday) == monday
    assert pacing.drain_time(pace, waiting=91, now=friday) == monday + timedelta(days=1)
    sunday = datetime(2011, 10, 30, 0, 30, tzinfo=UTC)
    assert pacing.drain_time(pace, waiting=1, now=sunday) == monday


@given(st.integers(1, 60), st.integers(0, 3000))
def test_the_forecast_never_grows_shorter_with_more_letters(per_hour: int, waiting: int) -> None:
    pace = Pace(per_hour)
    one, more = (pacing.drain_time(pace, waiting=n, now=NOON) for n in (waiting, waiting + per_hour))
    assert one is not None
    assert more is not None
    assert more - one == (timedelta(hours=1) if waiting else timedelta(0))


@pytest.mark.parametrize(
    ("pace", "letters"),
    [
        (Pace(), None), (Pace(per_hour=60), 1440), (Pace(per_day=100), 100), (Pace(per_hour=60, per_day=100), 100),
        (Pace(per_hour=10, opens_at=time(9), closes_at=time(17, 30)), 85),
        (Pace(opens_at=time(9), closes_at=time(17)), None),
    ],
)  # fmt: skip
def test_what_a_mailbox_takes_in_a_day(pace: Pace, letters: float | None) -> None:
    assert pacing.in_a_day(pace) == letters


@given(
    st.integers(1, 5), st.one_of(st.none(), st.integers(1, 20)), st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 30 * 60), st.integers(1, 3)), max_size=8),
)  # fmt: skip
def test_the_forecast_keeps_the_caps_with_what_was_given_before(
    per_hour: int, per_day: int | None, waiting: int, before: list[tuple[int, int]]
) -> None:
    pace = Pace(per_hour, per_day)
    earlier = [(NOON - timedelta(minutes=minutes), n) for minutes, n in before]
    drained = [pacing.drain_time(pace, waiting=n, now=NOON, given=earlier) for n in range(1, waiting + 1)]
    left = [at for at in drained if at is not None]
    assert len(left) == waiting
    assert left == sorted(left)
    for at in left:
        recent = [when for when in left if at - timedelta(hours=1) < when <= at]
        known = sum(n for when, n in earlier if when > at - timedelta(hours=1))
        assert len(recent) + known <= max(per_hour, known + per_hour * (known < per_hour))
        if per_day is not None:
            day = [when for when in left if at - timedelta(days=1) < when <= at]
            assert len(day) <= per_day


@pytest.mark.parametrize(
    ("pace", "ahead", "at"),
    [
        (Pace(), 5000, NOON), (Pace(60), 59, NOON), (Pace(60), 60, NOON + timedelta(hours=1)),
        (Pace(60), 16_000, NOON + timedelta(hours=266)),
        (Pace(1), 24 * 400, None),
        # Eight a working day: three days ahead from a Wednesday is over the weekend.
        (Pace(1, None, time(9), time(17)), 4, NOON + timedelta(hours=4)),
        (Pace(1, None, time(9), time(17)), 24, NOON + timedelta(days=5)),
        (Pace(0), 1, None),
    ],
)  # fmt: skip
def test_when_a_letter_leaves_that_others_wait_before(pace: Pace, ahead: int, at: datetime | None) -> None:
    assert pacing.leaves_at(pace, ahead=ahead, now=NOON) == at

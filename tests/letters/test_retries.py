"""When a delivery is tried again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters import retries
from letters.endings import Ambiguous, Deferred, Ending, NotSent

LATER, UNSENT, BROKEN = Deferred(451, "later"), NotSent("line"), Ambiguous("dot")


@given(st.integers(1, 30), st.integers(1, 10**9), st.sampled_from([LATER, UNSENT, BROKEN]))
def test_waits_follow_the_steps_within_a_fifth(attempts: int, delivery_id: int, ending: Ending) -> None:
    step = timedelta(minutes=[5, 15, 60, 120, 240, 360][min(attempts, 6) - 1])
    wait = retries.wait_before_next(attempts=attempts, ending=ending, delivery_id=delivery_id)
    least = timedelta(minutes=15) if ending is BROKEN else timedelta(0)
    assert max(step * 0.8, least) <= wait <= max(step * 1.2, least)


def test_a_whole_batch_does_not_come_back_at_once() -> None:
    waits = {retries.wait_before_next(attempts=1, ending=LATER, delivery_id=n) for n in range(100)}
    assert len(waits) == 100
    assert max(waits) - min(waits) > timedelta(minutes=1)


@pytest.mark.parametrize(("attempts", "greylisted"), [(1, True), (2, False)])
def test_greylisting_is_waited_out_the_first_time(attempts: int, greylisted: bool) -> None:
    ending = Deferred(450, "greylisted", at_recipient=True)
    wait = retries.wait_before_next(attempts=attempts, ending=ending, delivery_id=1)
    assert (wait == timedelta(minutes=6)) == greylisted


@pytest.mark.parametrize(("told", "waited"), [(0, 90), (60, 90), (600, 600), (21600, 21600), (10**6, 21600)])
def test_a_time_the_server_names_is_kept_within_reason(told: int, waited: int) -> None:
    wait = retries.wait_before_next(attempts=3, ending=Deferred(421, "", wait_for=told), delivery_id=1)
    assert wait == timedelta(seconds=waited)

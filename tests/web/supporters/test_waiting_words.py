"""When a letter leaves, in words."""

from datetime import datetime, timedelta

import pytest

from letters.forecasting import Forecast
from tests.cast import NOW
from web.supporters import waiting_words

MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (10 * MINUTES, "within the hour"), (HOURS, "within the hour"),
        (5 * HOURS + 41 * MINUTES, "today at about 16:00 UTC"), (6 * HOURS, "today at about 16:00 UTC"),
        (6 * HOURS + MINUTES, "today at about 16:30 UTC"), (12 * HOURS + MINUTES, "today at about 23:00 UTC"),
        (13 * HOURS + 31 * MINUTES, "on 24 November 2011 at about 00:00 UTC"),
        (23 * HOURS, "on 24 November 2011 at about 09:00 UTC"), (35 * HOURS, "on 24 November 2011 at about 21:00 UTC"),
        (36 * HOURS, "in about 2 days"), (3.4 * DAYS, "in about 3 days"), (33 * DAYS, "in about 33 days"),
    ],
)  # fmt: skip
def test_the_moment_is_as_exact_as_it_is_near(wait: timedelta, said: str) -> None:
    assert waiting_words.when(Forecast(NOW + wait), now=NOW) == said


def test_what_nobody_counts_to_the_end_is_said_to_be_more() -> None:
    assert waiting_words.when(Forecast(NOW + 2.9 * DAYS, or_later=True), now=NOW) == "in more than 2 days"


@pytest.mark.parametrize(
    ("leaving", "waiting", "said"),
    [
        ([], 0, ""),
        ([], 3, ""),
        ([NOW, NOW], 2, "The first leaves any moment now."),
        ([NOW], 2, "The first leaves any moment now."),
        ([NOW - HOURS, NOW + 3 * DAYS], 2, "The first leaves any moment now, the last in about 3 days."),
        ([NOW + 6 * HOURS, NOW + 3 * DAYS], 2, "The first leaves today at about 16:00 UTC, the last in about 3 days."),
        ([NOW + 6 * HOURS, NOW + 3 * DAYS], 3, "The first leaves today at about 16:00 UTC."),
        ([NOW + 3 * DAYS], 1, "Yours leaves in about 3 days."),
        ([NOW + 3 * DAYS, NOW + 3.2 * DAYS], 2, "Yours leaves in about 3 days."),
    ],
)
def test_one_sentence_says_the_first_and_the_last(leaving: list[datetime], waiting: int, said: str) -> None:
    assert waiting_words.first_and_last([Forecast(at) for at in leaving], waiting=waiting, now=NOW) == said

"""Charts as geometry: what is drawn is what was counted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.organisers.charts import HEIGHT, MOST_COLUMNS, WIDTH, interval, merged, stacked, strip

NAMES = {"a": "First", "b": "Second"}
counts = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 10**7), max_size=7)


@given(counts)
def test_the_segments_of_a_strip_fill_it_in_order_and_all_can_be_seen(numbers: dict[str, int]) -> None:
    segments = strip(numbers)
    assert [(each.kind, each.count) for each in segments] == [(k, n) for k, n in numbers.items() if n]
    if segments:
        assert sum(each.width for each in segments) == pytest.approx(WIDTH, abs=0.1)
        assert min(each.width for each in segments) >= 3.9
        assert segments[0].x == 0


def test_the_bars_are_as_tall_as_their_numbers() -> None:
    chart = stacked([("Mon", {"a": 3, "b": 1}), ("Tue", {"a": 0, "b": 4})], NAMES)
    assert chart.ticks == [4, 2, 0]
    tall = {each.kind: [float(n) for n in re.findall(r"v-([\d.]+)", each.path)] for each in chart.series}
    assert tall == {"a": [HEIGHT * 3 / 4], "b": [HEIGHT / 4, HEIGHT]}
    assert [each.total for each in chart.series] == [3, 5]


def test_the_second_series_stands_on_the_first() -> None:
    chart = stacked([("Mon", {"a": 3, "b": 1})], NAMES)
    feet = [float(match) for match in re.findall(r"M[\d.]+ ([\d.]+)v", "".join(s.path for s in chart.series))]
    assert feet == [HEIGHT, HEIGHT - HEIGHT * 3 / 4]


@given(st.lists(st.integers(0, 10**6), max_size=400))
def test_merging_columns_loses_nothing_and_keeps_a_chart_small(numbers: list[int]) -> None:
    columns = merged([(str(place), {"a": n, "b": 1}) for place, n in enumerate(numbers)])
    assert len(columns) <= MOST_COLUMNS
    assert sum(each["a"] for _label, each in columns) == sum(numbers)
    chart = stacked(columns, NAMES)
    assert sum(len(each.path) for each in chart.series) < 7000
    assert chart.ticks[0] >= chart.most
    assert chart.ticks[-1] == 0


def test_no_numbers_make_an_empty_chart() -> None:
    chart = stacked([], NAMES)
    assert [each.path for each in chart.series] == ["", ""]
    assert chart.labels == []


def test_an_interval_holds_its_share_and_narrows_with_more_letters() -> None:
    assert interval(0, 0) == (0, 100)
    assert interval(5, 10) == (23, 77)
    assert interval(500, 1000) == (46, 54)
    assert interval(10, 10)[1] == 100
    assert interval(0, 10)[0] == 0

"""The benchmark's judgement, from figures made for it: what holds, what is missed, what was not measured."""

from dataclasses import replace

import pytest

from bench import report
from bench.figures import Sample, Spread
from bench.goals import GOALS, HEADLINE, Figures, Verdict

WELL = {"is_well": True, "missing": 0, "doubled": 0, "changed": 0, "strange": 0, "received": HEADLINE, "problems": []}


def sample(rate: float, *, cpu_ms: float = 0.2, database_ms: float = 0.0, peak: float = 70.0) -> Sample:
    """A run of a thousand deliveries."""
    cpu = {"processes": cpu_ms - database_ms, "database": database_ms}
    return Sample("somebody", 1000, 1000 / rate, cpu=cpu, peaks=(peak, peak - 1), together=2 * peak - 1)


def beside(**rates: float) -> Figures:
    """Figures in which everybody who is named ran three times, at about this rate."""
    return Figures(side_by_side={
        name.replace("_", "-"): [sample(rate), sample(rate * 1.1), sample(rate * 0.9)] for name, rate in rates.items()
    })  # fmt: skip


def verdict(number: int, figures: Figures) -> Verdict | None:
    """What the goal of this number says of the figures."""
    return next(goal for goal in GOALS if goal.number == number).judge(figures)


def word(number: int, figures: Figures) -> tuple[bool, bool | None]:
    """Whether goal and stretch hold."""
    told = verdict(number, figures)
    assert told is not None
    return told.holds, told.stretch_holds


def test_a_goal_without_its_figures_gets_no_verdict() -> None:
    assert [goal.number for goal in GOALS if goal.judge(Figures()) is not None] == []
    assert verdict(1, beside(postbag_2=9000, post_office=1000, celery=500)) is None


@pytest.mark.parametrize(
    ("post_office", "celery", "rq", "expected"),
    [
        (1000, 500, 150, (True, True)),
        (1200, 500, 150, (True, False)),
        (1700, 500, 150, (False, False)),
        (1000, 700, 150, (False, False)),
        (1000, 500, 250, (False, False)),
    ],
)
def test_each_peer_has_its_own_bar(
    post_office: float, celery: float, rq: float, expected: tuple[bool, bool]
) -> None:
    figures = beside(postbag_2=8000, post_office=post_office, celery=celery, rq=rq)
    for mine in figures.side_by_side["post-office"]:
        assert mine.cpu_ms == pytest.approx(0.2)
    figures = replace(figures, side_by_side={
        **figures.side_by_side, "post-office": [sample(post_office, cpu_ms=1.1) for _ in range(3)],
    })  # fmt: skip
    assert word(1, figures) == expected


def test_being_fast_at_the_price_of_cpu_does_not_hold() -> None:
    assert word(1, beside(postbag_2=8000, post_office=1000, celery=500, rq=150)) == (False, False)


def test_the_median_decides_and_not_the_best_round() -> None:
    figures = beside(postbag_1=900, postbag_2=4000, source_1=1000, source_4=10_000)
    figures = replace(figures, side_by_side={
        **figures.side_by_side, "postbag-1": [sample(900), sample(900), sample(5000)],
    })  # fmt: skip
    assert word(2, figures) == (False, False)
    assert word(2, beside(postbag_1=1000, postbag_2=3500, source_1=1000, source_4=10_000)) == (True, False)
    assert word(2, beside(postbag_1=1000, postbag_2=6000, source_1=1000, source_4=10_000)) == (True, True)


@pytest.mark.parametrize(("spent", "expected"), [(0.26, (False, False)), (0.25, (True, False)), (0.14, (True, True))])
def test_cpu_counts_the_worker_and_its_database(spent: float, expected: tuple[bool, bool]) -> None:
    mine = [sample(5000, cpu_ms=spent, database_ms=0.1)] * 3
    assert word(3, Figures(side_by_side={"postbag-2": mine})) == expected


@pytest.mark.parametrize(
    ("seconds", "deliveries", "content", "expected"),
    [
        (110.0, HEADLINE, WELL, (True, True)),
        (239.0, HEADLINE, WELL, (True, False)),
        (241.0, HEADLINE, WELL, (False, False)),
        (50.0, HEADLINE - 60, WELL, (False, False)),
        (110.0, HEADLINE, WELL | {"is_well": False, "missing": 1}, (False, False)),
    ],
)
def test_the_headline_is_whole_in_time_and_right(
    seconds: float, deliveries: int, content: dict[str, object], expected: tuple[bool, bool]
) -> None:
    assert word(4, Figures(headline=Sample("ours", deliveries, seconds), content=content)) == expected


def test_the_best_number_of_lines_far_away_is_compared_with_one_stock_connection() -> None:
    assert word(5, Figures(far={"backend": [sample(12)], "few": [sample(200)], "many": [sample(380)]})) == (True, False)
    assert word(5, Figures(far={"backend": [sample(12)], "few": [sample(200)]})) == (False, False)


def test_sqlite_is_compared_with_as_many_workers() -> None:
    assert word(6, beside(postbag_2=4000, sqlite_2=2800)) == (True, None)
    assert word(6, beside(postbag_2=4000, sqlite_2=2700)) == (False, None)


@pytest.mark.parametrize(
    ("small", "large", "holds"), [(74.0, 79.0, True), (74.0, 79.5, False), (79.0, 81.0, False), (79.0, 74.0, True)]
)
def test_memory_has_a_bound_and_a_bound_of_growth(small: float, large: float, holds: bool) -> None:
    growth = {24_000: [sample(4000, peak=small)], HEADLINE: [sample(4000, peak=large)]}
    assert word(7, Figures(growth=growth)) == (holds, None)


def test_every_number_of_connections_has_to_use_what_latency_allows() -> None:
    assert word(8, Figures(provider={1: 9.5, 32: 290.0})) == (True, None)
    assert word(8, Figures(provider={1: 9.5, 32: 280.0})) == (False, None)


def test_every_goal_judged_is_printed_with_its_figures() -> None:
    figures = beside(postbag_2=4000, sqlite_2=2700)
    told = report.verdicts(GOALS, figures)
    lines = report.printed(told)
    assert set(told) == {3, 6}
    assert len(lines) == 2 * len(told)
    assert "MISSED" in lines[2]
    assert "0.68 × PostgreSQL" in lines[3]


def test_a_spread_is_the_median_between_least_and_most() -> None:
    assert str(Spread.of([12_000.0, 9_340.0, 10_832.0])) == "10,832 [9,340..12,000]"
    with pytest.raises(ValueError, match="median"):
        Spread.of([])


def test_a_sample_survives_being_kept() -> None:
    mine = sample(4000)
    assert Sample.from_json(mine.as_json()) == mine

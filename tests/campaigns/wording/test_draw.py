"""Draws: the same for ever, and fair."""

from collections import Counter

from campaigns.wording import Draw, parse

PAIR = "{% variant %}a{% or %}b{% endvariant %}"


def test_a_draw_never_changes_between_versions() -> None:
    # Letters keep their wording for as long as they are kept: these are fixed for good.
    assert [Draw(7).choose("body", ordinal, 3) for ordinal in range(12)] == [
        1,
        1,
        1,
        2,
        2,
        0,
        2,
        2,
        1,
        1,
        2,
        1,
    ]


def test_one_seed_always_draws_alike() -> None:
    wording = parse(PAIR * 20)
    for seed in (0, 1, -5, 2**200):
        assert wording.render({}, draw=Draw(seed)) == wording.render({}, draw=Draw(seed))


def test_seeds_draw_differently() -> None:
    wording = parse(PAIR * 20)
    assert len({wording.render({}, draw=Draw(seed)) for seed in range(50)}) == 50


def test_every_branch_is_drawn_about_as_often() -> None:
    for branches in (2, 3, 7):
        drawn = Counter(Draw(seed).choose("body", 0, branches) for seed in range(7000))
        assert set(drawn) == set(range(branches))
        # Five standard deviations: the seeds are fixed, so this cannot flake.
        expected = 7000 / branches
        assert all(abs(count - expected) < 5 * expected**0.5 for count in drawn.values())


def test_neighbouring_variants_are_drawn_independently() -> None:
    pairs = Counter(
        (Draw(seed).choose("body", 0, 2), Draw(seed).choose("body", 1, 2)) for seed in range(4000)
    )
    assert all(850 < pairs[first, second] < 1150 for first in (0, 1) for second in (0, 1))


def test_passages_are_drawn_independently() -> None:
    pairs = Counter(
        (Draw(seed).choose("body", 0, 2), Draw(seed).choose("closing", 0, 2)) for seed in range(4000)
    )
    assert all(850 < pairs[first, second] < 1150 for first in (0, 1) for second in (0, 1))


def test_a_variant_keeps_its_draw_when_a_condition_hides_the_one_before() -> None:
    wording = parse("{% if target.title %}" + PAIR + "{% endif %}|" + PAIR)
    for seed in range(40):
        with_title = wording.render({"target": {"title": "Dr"}}, draw=Draw(seed))
        without = wording.render({}, draw=Draw(seed))
        assert with_title.split("|")[1] == without.split("|")[1]

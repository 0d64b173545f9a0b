"""Who gets the next letters: even where everybody is equal, and more for those who want one more."""

from collections import Counter

import pytest

from letters import sharing
from letters.sharing import Load

DRAFTS = 1000


def spread(counts: Counter[int]) -> float:
    """Return how many times as many letters the most written to has as the least."""
    return max(counts.values()) / min(counts.values())


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("targets", [1, 2, 3, 7, 27, 60, 100])
def test_a_thousand_drafts_are_spread_evenly_over_equal_targets(targets: int, most: int) -> None:
    wanted = sharing.weights(dict.fromkeys(range(targets), Load()))
    counts: Counter[int] = Counter(range(targets))
    places = sharing.places(start=2011)
    for _ in range(DRAFTS):
        chosen = sharing.share(wanted, most=most, place=next(places))
        assert len(set(chosen)) == len(chosen) == min(most, targets)
        counts.update(chosen)
    assert spread(counts) <= 1.5


def test_four_processes_that_know_nothing_of_each_other_share_evenly_too() -> None:
    wanted = dict.fromkeys(range(60), 1.0)
    processes = [sharing.places(start=start) for start in (3, 141_592, 653_589, 793_238)]
    counts: Counter[int] = Counter()
    for draft in range(DRAFTS):
        counts.update(sharing.share(wanted, most=3, place=next(processes[draft * 7 % 4])))
    assert spread(counts) <= 1.5


def test_letters_that_were_confirmed_bring_an_uneven_list_into_balance() -> None:
    letters = dict.fromkeys(range(30), 0) | {0: 200, 1: 100}
    places = sharing.places(start=1)
    for _ in range(4000):
        loads = {target: Load(letters=n) for target, n in letters.items()}
        for target in sharing.share(sharing.weights(loads), most=3, place=next(places)):
            letters[target] += 1
    assert max(letters.values()) / min(letters.values()) <= 1.5


def test_who_wants_a_letter_three_times_as_much_gets_three_times_as_many() -> None:
    counts: Counter[int] = Counter()
    places = sharing.places(start=0)
    for _ in range(10_000):
        counts.update(sharing.share({0: 1, 1: 1, 2: 3, 3: 1000}, most=2, place=next(places)))
    assert counts[3] == 10_000
    assert counts[2] / counts[0] == pytest.approx(3, rel=0.02)
    assert counts[1] == pytest.approx(counts[0], rel=0.02)


@pytest.mark.parametrize("place", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("wanted", [[], [1e-9], [0.1, 0.1, 0.1], [1e-9, 1000, 0.1, 5], [1, 1, 1, 1, 1]])
@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_as_many_are_chosen_as_there_may_be_in_the_lists_order(wanted: list[float], most: int, place: float) -> None:
    chosen = sharing.share(dict(enumerate(wanted)), most=most, place=place)
    assert len(chosen) == min(most, len(wanted))
    assert chosen == sorted(set(chosen))


def test_the_same_place_chooses_the_same_people() -> None:
    wanted = dict.fromkeys(range(50), 1.0)
    assert sharing.share(wanted, most=3, place=0.3) == sharing.share(wanted, most=3, place=0.3)
    assert next(sharing.places(start=7)) == next(sharing.places(start=7))


def test_few_letters_and_an_empty_mailbox_weigh_more() -> None:
    weights = sharing.weights({
        1: Load(letters=0), 2: Load(letters=40), 3: Load(letters=0, waiting=0, per_day=100),
        4: Load(letters=0, waiting=100, per_day=100), 5: Load(letters=0, waiting=900, per_day=100),
    })  # fmt: skip
    assert weights[1] > weights[2]
    assert weights[3] == weights[1]
    assert weights[4] == pytest.approx(weights[1] / 2)
    assert weights[5] == pytest.approx(weights[1] / 10)

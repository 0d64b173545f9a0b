"""The seven words: one for every delivery, whatever its state and feedback."""

import itertools

import pytest

from letters.models import Delivery
from letters.page_words import EXPLAINED, Word, phrase_of_targets, word_of

EVERY = list(itertools.product(Delivery.State.values, [True, False], Delivery.Feedback.values))


@pytest.mark.parametrize(("state", "tried", "feedback"), EVERY)
def test_every_delivery_has_one_word(state: str, tried: bool, feedback: int) -> None:
    assert word_of(state, tried=tried, feedback=feedback) in EXPLAINED


def test_each_word_says_no_more_than_is_known() -> None:
    def words(state: str, **more: int) -> set[Word]:
        return {word_of(s, tried=t, feedback=f) for s, t, f in EVERY if s == state and more.get("f", f) == f}

    assert words("held") == {Word.WAITING}
    assert words("queued") == {Word.WAITING, Word.RETRYING}
    assert words("sending") == {Word.HANDING_OVER}
    assert words("sent", f=3) == {Word.RETURNED}
    assert words("sent", f=0) == words("sent", f=2) == words("sent", f=4) == {Word.ACCEPTED}
    assert words("failed") == {Word.RETURNED}
    assert words("uncertain") == {Word.UNCLEAR}
    assert words("cancelled") == {Word.STOPPED}
    assert set(EXPLAINED) == set(Word)


@pytest.mark.parametrize(
    ("names", "phrase"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A and 2 others")]
)
def test_targets_are_named_shortly(names: list[str], phrase: str) -> None:
    assert phrase_of_targets(names) == phrase

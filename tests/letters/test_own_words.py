"""Own words: what is not part of the longest common subsequence with the wording given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters import own_words

FEW = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40)
MANY = st.lists(st.sampled_from([f"w{n}" for n in range(30)]), max_size=150)


def _naive(one: list[str], other: list[str]) -> int:
    rows = [[0] * (len(other) + 1)]
    for word in one:
        row = [0]
        for n, found in enumerate(other):
            row.append(rows[-1][n] + 1 if word == found else max(rows[-1][n + 1], row[-1]))
        rows.append(row)
    return rows[-1][-1]


@given(FEW, FEW)
def test_own_words_agree_with_the_textbook(mine: list[str], theirs: list[str]) -> None:
    assert own_words.count(" ".join(mine), " ".join(theirs)) == len(mine) - _naive(mine, theirs)


@given(MANY, MANY)
def test_own_words_agree_with_the_textbook_beyond_a_machine_word(mine: list[str], theirs: list[str]) -> None:
    assert own_words.count(" ".join(mine), " ".join(theirs)) == len(mine) - _naive(mine, theirs)


@pytest.mark.parametrize(
    ("text", "given_text", "n"),
    [
        ("", "", 0),
        ("one two three", "", 3),
        ("", "one two", 0),
        ("One, TWO — three!", "one two three", 0),
        ("My grandfather worked there. one two three", "one two three", 4),
        ("three two one", "one two three", 2),
        ("don't", "don’t", 1),
        ("well-known words", "well-known", 1),
        ("Жаңаөзен мұнайшылары", "ЖАҢАӨЗЕН", 1),
        ("Straße", "STRASSE", 0),
        ("🙂 … —", "", 0),
    ],
)
def test_what_counts_as_a_word(text: str, given_text: str, n: int) -> None:
    assert own_words.count(text, given_text) == n

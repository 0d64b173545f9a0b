"""Own words: what is neither in the longest common subsequence with the wording given, nor moved from it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letters import own_words

FEW = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40)
MANY = st.lists(st.sampled_from([f"w{n}" for n in range(30)]), max_size=150)
TEMPLATE = [f"given{n}" for n in range(60)]  # no word twice, so every passage is known by its words
PASSAGES = [TEMPLATE[at : at + 6] for at in range(0, 60, 6)]
OWN = st.lists(st.sampled_from([f"own{n}" for n in range(9)]), max_size=30)
PAGE = (
    "The country lives on oil. Those who bring it out of the ground have been on strike since May 2011. "
    "By the end of August about {} of them had been dismissed, and their families wait for news. "
)


def _textbook(one: list[str], other: list[str]) -> int:
    rows = [[0] * (len(other) + 1)]
    for word in one:
        row = [0]
        for n, found in enumerate(other):
            row.append(rows[-1][n] + 1 if word == found else max(rows[-1][n + 1], row[-1]))
        rows.append(row)
    return rows[-1][-1]


def _copies(mine: list[str], theirs: list[str]) -> bool:
    length = min(own_words.COPIED_FROM, len(theirs)) or 1
    runs = [theirs[at : at + length] for at in range(len(theirs) - length + 1)]
    return any(mine[at : at + length] in runs for at in range(len(mine) - length + 1))


@settings(deadline=None)
@given(FEW | MANY, FEW | MANY)
def test_own_words_are_those_of_the_textbook_less_what_was_copied(mine: list[str], theirs: list[str]) -> None:
    own = own_words.count(" ".join(mine), " ".join(theirs))
    by_the_book = len(mine) - _textbook(mine, theirs)
    assert own <= by_the_book
    assert own == by_the_book or _copies(mine, theirs)


@settings(deadline=None)
@given(st.integers(0, 60), OWN, st.integers(0, 60), OWN)
def test_every_word_that_is_added_counts(first: int, one: list[str], second: int, other: list[str]) -> None:
    low, high = sorted((first, second))
    mine = TEMPLATE[:low] + one + TEMPLATE[low:high] + other + TEMPLATE[high:]
    assert own_words.count(" ".join(mine), " ".join(TEMPLATE)) == len(one) + len(other)


@settings(deadline=None)
@given(st.sets(st.integers(0, 59)))
def test_taking_text_out_counts_nothing(taken: set[int]) -> None:
    mine = [word for n, word in enumerate(TEMPLATE) if n not in taken]
    assert own_words.count(" ".join(mine), " ".join(TEMPLATE)) == 0


@settings(deadline=None)
@given(st.permutations(PASSAGES), OWN)
def test_moving_passages_counts_nothing(order: list[list[str]], own: list[str]) -> None:
    mine = [word for passage in order for word in passage] + own
    assert own_words.count(" ".join(mine), " ".join(TEMPLATE)) == len(own)


@pytest.mark.parametrize(
    ("text", "given_text", "n"),
    [
        ("", "", 0),
        ("one two three", "", 3),
        ("", "one two", 0),
        ("One, TWO — three!", "one two three", 0),
        ("My grandfather worked there. one two three", "one two three", 4),
        ("three two one", "one two three", 2),
        ("don't", "don’t", 0),  # a keyboard's choice
        ("well-known words", "well-known", 1),
        ("Жаңаөзен мұнайшылары", "ЖАҢАӨЗЕН", 1),
        ("Straße", "STRASSE", 0),
        ("ﬁne", "fine", 0),
        ("नमस्ते हिंदी दुनिया", "नमस्ते दुनिया", 1),  # marks are part of a word
        ("أُسْرَة العُمّال هنا", "العُمّال", 2),
        ("🙂 … —", "", 0),
    ],
)
def test_what_counts_as_a_word(text: str, given_text: str, n: int) -> None:
    assert own_words.count(text, given_text) == n


CHINESE = "石油工人自五月以来一直在罢工，他们要求公平的工资和自己的工会。请您为他们说话。"
CHINESE_OWN = "我父亲曾在油田工作了二十年"  # 13 signs
THAI = "คนงานน้ำมันหยุดงานประท้วงตั้งแต่เดือนพฤษภาคม พวกเขาขอค่าจ้างที่เป็นธรรม"
THAI_OWN = "พ่อของฉันเคยทำงานที่แท่นขุดเจาะ"
JAPANESE = "石油労働者は五月からストライキを続けています。どうか彼らのために声を上げてください。"
JAPANESE_OWN = "私の祖父は炭鉱で働いていました。"


@pytest.mark.parametrize(("template", "own"), [(CHINESE, CHINESE_OWN), (THAI, THAI_OWN), (JAPANESE, JAPANESE_OWN)])
def test_scripts_without_spaces_are_counted_by_their_signs(template: str, own: str) -> None:
    words = own_words.count(own, "")
    assert len(own) / 4 <= words <= len(own) / 2 + 1
    assert own_words.count(template, template) == 0
    assert own_words.count(own + template, template) == words
    assert own_words.count(template + own, template) == words
    first, _, rest = template.partition("，" if "，" in template else "。" if "。" in template else " ")
    assert own_words.count(rest + first, template) == 0
    assert own_words.count(first, template) == 0
    # Written instead of the letter, it is nearly all their own, although single signs recur in what was given.
    assert words * 0.8 <= own_words.count(own, template) <= words


def test_a_page_is_counted_while_nobody_waits() -> None:
    template = "".join(PAGE.format(number) for number in range(12))
    letter = "My father worked on a rig. " + template.replace("families", "children").replace("news", "word")
    assert 400 < len(own_words.words(letter)) < 600
    spent = []
    for _ in range(20):
        before = time.perf_counter()
        own_words.count(letter, template)
        spent.append(time.perf_counter() - before)
    assert min(spent) < 0.01  # a tenth of it on an idle machine

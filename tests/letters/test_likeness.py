"""Likeness: letters that an office would sort together, found exactly and without comparing every pair."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from campaigns.models import Ask
from letters import likeness
from letters.likeness import Likeness
from targets import lists
from tests import cast
from tests.letters import deeds

WORDS = [f"word{n}" for n in range(40)]
BODIES = st.lists(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=5, max_size=9).map(" ".join), max_size=3).map(" ".join)
    | st.sampled_from(["", " ".join(WORDS), " ".join(WORDS[1:]), " ".join(reversed(WORDS)), "two words"]),
    max_size=12,
)


def _every_pair(bodies: list[str]) -> list[int]:
    said = [likeness.runs(body) for body in bodies]
    return [
        sum(1 << earlier for earlier in range(at) if _likeness(said[at], said[earlier]) > 0.9)
        for at in range(len(bodies))
    ]


def _likeness(one: likeness.Runs, other: likeness.Runs) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0


@settings(deadline=None)
@given(BODIES)
def test_what_is_found_is_what_comparing_every_pair_finds(bodies: list[str]) -> None:
    assert likeness.alike_earlier(bodies) == _every_pair(bodies)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_letters_near_the_limit_are_found_too(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    bodies = []
    for _ in range(12):
        words = [f"w{n}" for n in range(100)]
        for at in chance.sample(range(100), k=chance.randint(0, 3)):
            words[at] = f"own{chance.randint(0, 3)}"
        bodies.append(" ".join(words))
    assert likeness.alike_earlier(bodies) == _every_pair(bodies)


def test_a_changed_word_is_alike_and_a_paragraph_of_ones_own_is_not() -> None:
    page = " ".join(f"w{n}" for n in range(200))
    own = " ".join(f"own{n}" for n in range(30))
    assert likeness.alike_earlier([page, page.replace("w100 ", "other "), f"{own} {page}"]) == [0, 1, 0]


def test_case_and_punctuation_do_not_make_a_letter_another() -> None:
    assert likeness.alike_earlier(["Please speak for them, on that day.", "please speak for them on that day!"]) == [
        0,
        1,
    ]


def test_a_thousand_letters_are_compared_in_seconds() -> None:
    chance = random.Random(2011)  # noqa: S311
    slots = [[[f"s{slot}v{v}w{n}" for n in range(30)] for v in range(4)] for slot in range(7)]
    bodies = [" ".join(word for slot in slots for word in chance.choice(slot)) for _ in range(1000)]
    began_at = time.perf_counter()
    found = likeness.alike_earlier(bodies)
    assert time.perf_counter() - began_at < 15  # a second on an idle machine
    assert 0 < sum(map(bool, found)) < 100


@pytest.fixture
def ask(alice: User) -> Ask:
    """Return an ask with three targets, open for letters."""
    return cast.the_ask(cast.an_open_campaign(alice))


def _write(ask: Ask, number: int, body: str) -> None:
    deeds.a_confirmed_letter(ask, email=f"writer{number}@mail.example", sentence="", body=body)


@pytest.mark.django_db
def test_each_office_is_compared_with_what_it_got_itself(ask: Ask) -> None:
    body = "Please speak up for the oil workers before the sixteenth of December, in public."
    _write(ask, 1, body)
    gone = ask.target_list.targets.get(name="Anna Lund")
    lists.retire(target_list=ask.target_list, target=gone, now=cast.NOW)
    _write(ask, 2, body)
    _write(ask, 3, "Something that nobody else has written, at least as long as it has to be, I hope.")
    assert likeness.by_name(ask) == [
        ("Bruno Keller", Likeness(3, 1)), ("Office of the President", Likeness(3, 1)), ("Anna Lund", Likeness(1, 0)),
    ]  # fmt: skip
    together = likeness.together(likeness.per_target(ask).values())
    assert (together.letters, together.alike, round(together.share, 3)) == (7, 2, 0.286)


@pytest.mark.django_db
def test_only_the_newest_letters_whose_text_is_kept_are_compared(ask: Ask) -> None:
    body = "Please speak up for the oil workers before the sixteenth of December, in public."
    for number in range(4):
        _write(ask, number, body)
    assert {one.letters for one in likeness.per_target(ask, most=3).values()} == {3}
    first = ask.letters.earliest("pk")
    type(first).objects.filter(pk=first.pk).update(sealed=b"")
    assert {(one.letters, one.alike) for one in likeness.per_target(ask).values()} == {(3, 2)}

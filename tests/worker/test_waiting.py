"""Which claimed delivery goes next: domains take turns, and none has more at once than it may."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from letters.composing import Message
from worker.waiting import Waiting


def a_letter(number: int) -> Message:
    """Return the n-th letter, as bare as can be."""
    return Message(number, "return@letters.postbag.example", "office@northland.example", b"", "")


@pytest.fixture(autouse=True)
def two_at_once() -> Iterator[None]:
    """Let two letters be under way to one domain."""
    with override_settings(CONNECTIONS_PER_DOMAIN=2):
        yield


def taken(waiting: Waiting, most: int = 100) -> list[int]:
    """Return the numbers of the letters that may be begun now."""
    numbers: list[int] = []
    while len(numbers) < most and (message := waiting.take()) is not None:
        numbers.append(message.delivery_id)
    return numbers


def waiting_for(*addresses: str) -> Waiting:
    """Return deliveries 0, 1, … to these addresses."""
    waiting = Waiting(a_letter)
    for number, address in enumerate(addresses):
        waiting.add(number, address.rpartition("@")[2])
    return waiting


def test_domains_take_turns() -> None:
    """Otherwise the first of a long list would come before everybody else."""
    waiting = waiting_for("a@x.example", "b@x.example", "c@y.example", "d@z.example")
    assert taken(waiting) == [0, 2, 3, 1]


def test_a_domain_has_no_more_at_once_than_it_may() -> None:
    """And the others go on meanwhile."""
    waiting = waiting_for("a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@y.example")
    assert taken(waiting) == [0, 4, 1]
    assert waiting.total == 2
    waiting.ended(4)
    assert taken(waiting) == []
    waiting.ended(1)
    assert taken(waiting) == [2]


@pytest.mark.parametrize(("workers", "share"), [(1, 5), (2, 2), (4, 1), (8, 1)])
def test_workers_share_what_a_domain_may_have(workers: int, share: int) -> None:
    """One at least, or a worker could write to nobody."""
    with override_settings(CONNECTIONS_PER_DOMAIN=5, WORKERS=workers):
        assert len(taken(waiting_for(*["office@x.example"] * 9))) == share


def test_no_more_is_claimed_of_a_domain_that_is_held_up_or_lags_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy one goes on being claimed: left out of claims, it would drift away from the others."""
    now = 100.0
    monkeypatch.setattr("letters.clock.boot_seconds", lambda: now)
    busy = waiting_for(*["a@x.example"] * 65, "b@y.example")
    assert taken(busy) == [0, 65, 1]
    assert busy.crowded() == set()
    busy.add(66, "x.example")
    assert busy.crowded() == {"x.example"}, "32 wait for each of the two on their way"
    held_up = waiting_for(*["a@x.example"] * 10)
    taken(held_up)
    now += 4.9
    assert held_up.crowded() == set()
    now += 0.1
    assert held_up.crowded() == {"x.example"}
    held_up.ended(0)
    assert held_up.crowded() == set(), "it has room"


def test_what_is_put_back_goes_first_again() -> None:
    """Its line could not be opened: it was not begun."""
    waiting = waiting_for("a@x.example", "b@x.example")
    message = waiting.take()
    assert message is not None
    waiting.put_back(message)
    assert waiting.begun == {}
    assert taken(waiting) == [0, 1]


def test_what_cannot_be_composed_holds_up_nothing() -> None:
    """It takes no place either."""
    waiting = Waiting(lambda number: None if number in {0, 2} else a_letter(number))
    for number in range(4):
        waiting.add(number, "x.example")
    assert taken(waiting) == [1, 3]
    assert waiting.total == 0


def test_what_is_withdrawn_waits_no_more() -> None:
    """What is under way stays under way."""
    waiting = waiting_for("a@x.example", "b@x.example", "c@x.example", "d@y.example")
    assert taken(waiting, 2) == [0, 3]
    assert sorted(waiting.withdraw()) == [1, 2]
    assert (waiting.total, waiting.waiting, taken(waiting)) == (0, 0, [])
    assert sorted(waiting.begun) == [0, 3]


def test_what_is_put_back_after_that_is_returned_and_begun_no_more() -> None:
    """Its line was silent while everything was being given back: nobody would ask for it again."""
    waiting = waiting_for("a@x.example", "b@x.example")
    message = waiting.take()
    assert message is not None
    assert waiting.withdraw() == [1]
    waiting.put_back(message)
    assert (waiting.returned, waiting.total, waiting.begun) == ([0], 0, {})
    assert taken(waiting) == []


def test_what_is_dropped_waits_no_more_and_the_others_do() -> None:
    """In a domain that has room, in one that is full, and in one that nothing else is left of."""
    waiting = waiting_for("a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@y.example")
    assert taken(waiting, 3) == [0, 4, 1]
    waiting.add(5, "z.example")
    assert sorted(waiting.drop({0, 2, 5, 99})) == [2, 5]
    assert (waiting.total, sorted(waiting.begun)) == (1, [0, 1, 4])
    assert taken(waiting) == []
    waiting.ended(0)
    assert taken(waiting) == [3]


@given(st.lists(st.sampled_from(["x", "y", "z"]), max_size=30), st.randoms(use_true_random=False))
def test_everything_goes_once_and_never_too_many_at_once(domains: list[str], chance: object) -> None:
    """However takes and ends alternate."""
    waiting = waiting_for(*(f"a@{domain}.example" for domain in domains))
    under_way: list[int] = []
    gone: list[int] = []
    while waiting.total or under_way:
        if (message := waiting.take()) is not None:
            under_way.append(message.delivery_id)
        elif under_way:
            ended = under_way.pop(chance.randrange(len(under_way)))  # type: ignore[attr-defined]
            waiting.ended(ended)
            gone.append(ended)
        counts = [domains[number] for number in under_way]
        assert all(counts.count(domain) <= 2 for domain in counts)
    assert sorted(gone) == list(range(len(domains)))

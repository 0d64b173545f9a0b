"""Who gets the next letters: pure policy from values to values."""

import itertools
import secrets
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_FEW = 3  # letters more or less say nothing yet: a list nobody has written to is shared out evenly
_GOLDEN = (5**0.5 - 1) / 2
_ROUNDED = 1 - 1e-9


@dataclass(frozen=True)
class Load:
    """What one target has had and can still read."""

    letters: int = 0  # to it, for this ask
    waiting: int = 0  # at its mailbox, over all campaigns
    per_day: float | None = None  # what the mailbox's pace lets through; None: no cap


def weights(loads: Mapping[int, Load]) -> dict[int, float]:
    """Return how much each target wants the next letter: more with few letters, less with a full mailbox."""
    usual = usual_letters(loads.values())
    return {key: ((usual + _FEW) / (load.letters + _FEW)) ** 2 * _room(load) for key, load in loads.items()}


def usual_letters(loads: Iterable[Load]) -> float:
    """Return how many letters a target has on average."""
    had = [load.letters for load in loads]
    return sum(had) / max(len(had), 1)


def share(wanted: Mapping[int, float], *, most: int, place: float) -> list[int]:
    """Choose `most` of those who want a letter, each as likely as it wants it; `place` (0 ≤ place < 1) decides.

    Systematic sampling (Madow 1949): the wants lie side by side on a line, and every full unit from `place` on hits
    one of them. Places that are spread evenly therefore spread the letters evenly.
    """
    sure: set[int] = set()  # those who want a whole letter or more
    rest = dict(wanted)
    unit = 1.0
    while len(rest) > most - len(sure) > 0:
        unit = sum(rest.values()) / (most - len(sure))
        whole = [key for key, want in rest.items() if want >= unit * _ROUNDED]
        if not whole:
            break
        sure.update(whole)
        rest = {key: want for key, want in rest.items() if key not in sure}
    left = most - len(sure)
    if len(rest) <= left:
        return list(wanted)
    keys, edges = list(rest), list(itertools.accumulate(rest.values()))
    hit = {keys[min(bisect(edges, (place + step) * unit), len(keys) - 1)] for step in range(left)}
    return [key for key in wanted if key in sure or key in hit]


def places(start: int | None = None) -> Iterator[float]:
    """Return places without end: any number of them in a row is spread evenly (multiples of the golden section).

    Each process starts somewhere else, so that several share fairly without asking each other.
    """
    first = secrets.randbelow(1_000_000) if start is None else start
    return map(lambda step: step * _GOLDEN % 1, itertools.count(first))  # noqa: C417  a generator breaks under threads


def _room(load: Load) -> float:
    """Return 1 for a mailbox with nothing waiting, a half where a day's letters wait, less for more."""
    return 1.0 if load.per_day is None else load.per_day / (load.per_day + load.waiting)

"""Every way a passage can read: each of its wordings, for each target where targets make a difference."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from campaigns.wording.draw import FixedDraw
from campaigns.wording.evaluation import Piece, tidy
from campaigns.wording.passage import Wording
from campaigns.wording.vocabulary import EXAMPLES

# Characters one passage may come to over all its readings; each counts for at least _A_READING. What a list
# of thousands and a passage of dozens of wordings would need beyond that is left unread.
READ_AT_MOST = 2_000_000
_A_READING = 50


@dataclass(frozen=True)
class Reading:
    """One rendering of a passage. `target` is the index of its target, None where it is alike for all."""

    wording: Wording
    pieces: tuple[Piece, ...]
    target: int | None

    @cached_property
    def raw(self) -> str:
        """The text before white space is tidied, which `offset` counts in."""
        return "".join(piece.text for piece in self.pieces)

    @cached_property
    def text(self) -> str:
        """The text as the letter has it."""
        return tidy(self.raw)

    def offset(self, position: int) -> int:
        """Where in the wording the character at `position` of `raw` comes from."""
        if not self.pieces:
            return 0
        starts = [0, *accumulate(len(piece.text) for piece in self.pieces)][:-1]
        index = bisect.bisect_right(starts, position) - 1
        piece = self.pieces[index]
        return piece.offset + (position - starts[index] if piece.steps else 0)


def readings(wording: Wording, targets: Sequence[Mapping[str, str]]) -> Iterator[Reading]:
    """The readings of a passage, so many that every branch of every variant is drawn at least once.

    Stops after READ_AT_MOST characters. Values other than the target's are the examples of the
    vocabulary; so are the target's without targets. Raises WordingError where one grows beyond 100 kB.
    """
    personal = any(name.startswith("target.") for name in wording.names())
    rows: list[tuple[int | None, Mapping[str, str]]] = [(None, EXAMPLES["target"])]
    if personal and targets:
        rows = list(enumerate(targets))
    draws = [FixedDraw(branch) for branch in range(max(wording.variants(), default=1))]
    spent = 0
    for index, target in rows:
        values = {**EXAMPLES, "target": target}
        for draw in draws:
            reading = Reading(wording, tuple(wording.pieces(values, draw=draw)), index)
            yield reading
            spent += max(len(reading.raw), _A_READING)
            if spent > READ_AT_MOST:
                return

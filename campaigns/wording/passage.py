"""One passage of a letter template, read and found to be in the letter language."""

from collections.abc import Iterator
from dataclasses import dataclass

from campaigns.wording.draw import Draw
from campaigns.wording.evaluation import Piece, Values, pieces, tidy
from campaigns.wording.refusals import place, refused
from campaigns.wording.tree import Block, values_in, variants_in

RENDERED_AT_MOST = 100_000  # bytes of UTF-8


@dataclass(frozen=True, slots=True)
class Wording:
    """A passage ready to be rendered, as `parse` makes it; `source` has "\\n" for every line end."""

    passage: str
    source: str
    block: Block

    def names(self) -> frozenset[str]:
        """The values it writes or looks at: {"target.name", …}."""
        return frozenset(value.dotted for value in values_in(self.block))

    def variants(self) -> list[int]:
        """How many wordings each variant has, in reading order."""
        return [len(variant.branches) for variant in variants_in(self.block)]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of a character offset."""
        return place(self.source, offset)

    def pieces(self, values: Values, *, draw: Draw) -> Iterator[Piece]:
        """What it writes, piece by piece and before white space is tidied.

        Raises WordingError as soon as more than 100 kB would be written.
        """
        written = 0
        for piece in pieces(self.block, values, passage=self.passage, draw=draw):
            written += len(piece.text.encode("utf-8", "surrogatepass"))
            if written > RENDERED_AT_MOST:
                raise refused(
                    self.source,
                    piece.offset,
                    "rendered_too_long",
                    f"The {self.passage} grows beyond {RENDERED_AT_MOST // 1000} kB here.",
                    "Shorten the text or the value.",
                )
            yield piece

    def render(self, values: Values, *, draw: Draw) -> str:
        """The passage as plain text.

        `values` holds plain strings by group and key, {"target": {"name": "…"}}; a missing one is empty.
        Values are data: one that looks like a tag stays as it is. Raises WordingError beyond 100 kB and
        TypeError for a value that is no string.
        """
        return tidy("".join(piece.text for piece in self.pieces(values, draw=draw)))

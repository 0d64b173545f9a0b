"""How many words of a letter are the supporter's own."""

import re

_WORD = re.compile(r"\w+(?:[’'-]\w+)*")


def words(text: str) -> list[str]:
    """Return the words of a text, case folded."""
    return _WORD.findall(text.casefold())


def count(text: str, given: str) -> int:
    """Return how many words of `text` are not part of its longest common subsequence with `given` (UX §2)."""
    mine = words(text)
    return len(mine) - _common(mine, words(given))


def _common(one: list[str], other: list[str]) -> int:
    """Return the length of the longest common subsequence, bit-parallel: a row of the table is one integer.

    The recurrence is Hyyrö's (2004): V ← (V + (V ∧ M)) ∨ (V ∧ ¬M), the length being the zeros left in V.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(other):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(other)) - 1
    row = full
    for word in one:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(other) - row.bit_count()

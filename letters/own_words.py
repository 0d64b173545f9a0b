"""How many words of a letter are the supporter's own, in any script."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from itertools import chain

COPIED_FROM = 5  # so many words in a row that stand in the text given are given, wherever they were moved to
SIGNS_OF_A_WORD = 2  # where nothing stands between words; about as many as a word of Chinese or Thai has

_UNSPACED = (  # Han, Hiragana, Katakana, Thai, Lao, Myanmar, Khmer
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u109f\u1780-\u17d3"
)
_BEFORE, _AFTER = "\u0e40-\u0e44\u0ec0-\u0ec4", "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3\u3099\u309a"  # vowels
_SIGN = re.compile(rf"[{_UNSPACED}]")


@functools.cache
def _word() -> re.Pattern[str]:
    """Return what finds a word. It takes 1 MB, and a worker never counts words."""
    marks = "".join(
        sign
        for sign in map(chr, chain(range(0x300, 0x1E00), range(0x20D0, 0x2100), range(0xA660, 0xAC00)))
        if unicodedata.category(sign).startswith("M")
    )
    inner = rf"(?:[^\W{_UNSPACED}]|[{marks}])"
    return re.compile(
        rf"[{_BEFORE}]?[{_UNSPACED}][{marks}{_AFTER}]*"  # one sign with what is written around it
        rf"|[^\W_{_UNSPACED}{marks}]{inner}*(?:['-]{inner}+)*"  # or a word, parts of which may be joined
    )


def words(text: str) -> list[str]:
    """Return the words of a text, case folded; of scripts without spaces between words, the single signs."""
    return _word().findall(unicodedata.normalize("NFKC", text).replace("’", "'").casefold())


def count(text: str, given: str) -> int:
    """Return how many words of `text` are neither part of its longest common subsequence with `given` (UX §2) …

    … nor moved: a passage of it that stands elsewhere than it was given is not the supporter's own. Single signs of
    scripts without spaces recur by chance, so only passages of them count as given; two make a word.
    """
    mine, theirs = words(text), words(given)
    own = _not_copied(mine, theirs)
    if own:
        from rapidfuzz.distance import LCSseq  # noqa: PLC0415  4 MB, and a worker never counts own words

        blocks = LCSseq.opcodes(theirs, mine)
        in_order = {at for one in blocks if one.tag == "equal" for at in range(one.dest_start, one.dest_end)}
        own = [at for at in own if at not in in_order or _SIGN.search(mine[at])]
    signs = sum(_SIGN.search(mine[at]) is not None for at in own)
    return len(own) - signs + -(-signs // SIGNS_OF_A_WORD)


def _not_copied(mine: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return the places of the words that stand in no run of words copied from `theirs`."""
    length = min(COPIED_FROM, len(theirs)) or 1
    runs = set(zip(*(theirs[n:] for n in range(length)), strict=False))
    copied = {
        at + n
        for at, run in enumerate(zip(*(mine[n:] for n in range(length)), strict=False))
        if run in runs
        for n in range(length)
    }
    return [at for at in range(len(mine)) if at not in copied]

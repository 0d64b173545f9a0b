"""What simulated supporters write themselves: sentences that somebody wrote, and edits such as people make."""

import random
import re
import tomllib
from functools import lru_cache
from pathlib import Path

_SENTENCES = Path(__file__).with_name("sentences.toml")
_TOWNS = ("Ghent", "Łódź", "Århus", "Málaga", "Linz", "Brno", "Cork", "Turku", "Plovdiv", "Győr", "Tartu", "Graz")
_BETWEEN = re.compile(r"(?<=[.!?]) +")
_EDITS_THE_LETTER = 0.75  # of those who add words of their own; the others put their sentence in front of it


def town(chance: random.Random) -> str:
    """Return where somebody lives."""
    return chance.choice(_TOWNS)


def paragraph(chance: random.Random) -> str:
    """Return two to four sentences about oneself: what stands first in the letter."""
    said = _sentences()
    parts = [chance.choice(said["who"]).replace("…", town(chance))]
    parts += chance.sample(said["why"], k=chance.choice((1, 1, 2)))
    if chance.random() < 0.6:
        parts.append(chance.choice(said["hope"]))
    return " ".join(parts)


def edited(body: str, chance: random.Random) -> tuple[str, tuple[str, ...]]:
    """Return a letter's body as somebody edits it who reads it through, and the sentences that were put in.

    They take out a sentence or two that say nothing to them, and put in what they would rather say.
    """
    if chance.random() >= _EDITS_THE_LETTER:
        return body, ()
    first, *paragraphs = body.split("\n\n")  # the first is their own
    for _ in range(chance.choice((1, 2, 2))):
        at = chance.randrange(len(paragraphs))
        sentences = _BETWEEN.split(paragraphs[at])
        if len(sentences) > 1:
            sentences.pop(chance.randrange(len(sentences)))
            paragraphs[at] = " ".join(sentences)
    said = _sentences()
    fresh = [sentence for kind in ("why", "hope") for sentence in said[kind] if sentence not in body]
    added = tuple(chance.sample(fresh, k=chance.choice((1, 1, 2))))
    for sentence in added:
        at = chance.randrange(len(paragraphs))
        paragraphs[at] = f"{paragraphs[at]} {sentence}"
    return "\n\n".join([first, *paragraphs]), added


@lru_cache(maxsize=1)
def _sentences() -> dict[str, list[str]]:
    return dict(tomllib.loads(_SENTENCES.read_text(encoding="utf-8")))

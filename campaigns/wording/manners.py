"""What in a supporter's own text may get a letter thrown away: each phrase named, nothing forbidden."""

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from campaigns.wording.courtesy import shouted_in

MOST_NAMED = 3  # a long list would be a scolding
_PHRASES = Path(__file__).with_name("manners.toml")
_MARKS = re.compile(r"\S{0,30}[!?！？؟]{2,}")


class Manner(StrEnum):
    """How a phrase may be taken by a busy office."""

    INSULT = "insult"
    THREAT = "threat"
    SHOUTING = "shouting"
    MARKS = "marks"


@dataclass(frozen=True, order=True)
class Remark:
    """One phrase, as it was typed, and how it may be taken."""

    at: int
    phrase: str
    manner: Manner


def remarks(text: str, *, languages: Collection[str], given: str = "") -> list[Remark]:
    """Return what to say about a text, in reading order; what was part of the text `given` is not the writer's fault.

    `languages` are those it may be written in; where no phrases of any of them are known, all that are known count.
    """
    found: list[Remark] = []
    folded = given.casefold()
    for remark in sorted(_found_in(text, {language.partition("-")[0] for language in languages})):
        known = {one.phrase.casefold() for one in found}
        if remark.phrase.casefold() not in folded and remark.phrase.casefold() not in known:
            found.append(remark)
    return found[:MOST_NAMED]


def known_languages() -> list[str]:
    """Return the languages whose impolite phrases are known."""
    return sorted(_patterns())


def _found_in(text: str, languages: Collection[str]) -> Iterator[Remark]:
    known = _patterns()
    for language in known.keys() & languages or known:
        for manner, pattern in known[language].items():
            for match in pattern.finditer(text):
                yield Remark(match.start(), match.group(), manner)
    for at, phrase in shouted_in(text):
        yield Remark(at, phrase, Manner.SHOUTING)
    for match in _MARKS.finditer(text):
        yield Remark(match.start(), match.group().strip(), Manner.MARKS)


@lru_cache(maxsize=1)
def _patterns() -> dict[str, dict[Manner, re.Pattern[str]]]:
    """Return one expression for each language and manner: a phrase is whole words, its spaces may be line breaks."""
    phrases: dict[str, dict[str, list[str]]] = tomllib.loads(_PHRASES.read_text(encoding="utf-8"))
    return {
        language: {
            Manner(manner): re.compile(rf"(?<!\w)(?:{_one_of(several)})(?!\w)", re.IGNORECASE)
            for manner, several in manners.items()
        }
        for language, manners in phrases.items()
    }


def _one_of(phrases: Sequence[str]) -> str:
    return "|".join(phrases).replace(" ", r"\s+")

"""Which column holds what: by the word over it, and by what stands in it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from targets.imports.headers import field_like_word, field_of_word
from targets.imports.places import country_code, language_code
from targets.imports.spelling import addresses_in
from targets.imports.table import Table

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "Full name",
        "given_name": "Given name",
        "family_name": "Family name",
        "title": "Title",
        "role": "Role",
        "institution": "Institution",
        "country": "Country",
        "language": "Language",
        "salutation": "Salutation",
        "email": "E-mail",
        "postal_address": "Postal address",
        "ignore": "Do not import",
    }
)
Confidence = Literal["sure", "maybe", "unknown"]
_SAMPLE = 50
_NAME = re.compile(r"[^\W\d_][^\d@<>{}=/\\]{2,60}")
_POSTCODE = re.compile(r"\b\d{3,6}\b|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")


@dataclass(frozen=True)
class Guess:
    """What a column probably holds, and how certain that is."""

    field: str
    confidence: Confidence


def guess_columns(table: Table) -> list[Guess]:
    """Return one guess for each column of the header. Only postal addresses may come from several columns."""
    guesses = [_guess(word, _sample(table, number)) for number, word in enumerate(table.header)]
    for number, guess in enumerate(guesses):
        rivals = [other for n, other in enumerate(guesses) if other.field == guess.field and n != number]
        earlier = [other for other in guesses[:number] if other.field == guess.field]
        if guess.field in ("ignore", "postal_address") or not rivals:
            continue
        if earlier or (guess.confidence == "maybe" and any(rival.confidence == "sure" for rival in rivals)):
            guesses[number] = Guess("ignore", "unknown")
    fields = {guess.field for guess in guesses}
    if "nom" in {word.casefold().strip() for word in table.header} and "given_name" not in fields:
        # French "nom" alone is the whole name; beside "prénom" it is the family name.
        guesses = [Guess("name", "sure") if guess.field == "family_name" else guess for guess in guesses]
    elif "nombre" in {word.casefold().strip() for word in table.header} and "family_name" not in fields:
        guesses = [Guess("name", "sure") if guess.field == "given_name" else guess for guess in guesses]
    if not fields & {"name", "given_name", "family_name"}:
        _find_name(table, guesses)
    return guesses


def _guess(word: str, sample: list[str]) -> Guess:
    if _share(sample, lambda cell: bool(addresses_in(cell))) >= 0.5:
        return Guess("email", "sure")
    exact = field_of_word(word)
    if exact == "country" and sample and _share(sample, lambda cell: bool(country_code(cell))) < 0.3:
        return Guess("country", "maybe")
    if exact:
        return Guess(exact, "sure")
    like = field_like_word(word)
    if like:
        return Guess(like, "maybe")
    if _share(sample, lambda cell: bool(country_code(cell))) >= 0.8:
        return Guess("country", "maybe")
    if _share(sample, lambda cell: len(cell) > 3 and bool(language_code(cell))) >= 0.8:
        return Guess("language", "maybe")
    if _share(sample, _looks_posted) >= 0.5:
        return Guess("postal_address", "maybe")
    return Guess("ignore", "unknown")


def _looks_posted(cell: str) -> bool:
    return ("\n" in cell or cell.count(",") >= 1) and bool(_POSTCODE.search(cell))


def _find_name(table: Table, guesses: list[Guess]) -> None:
    """Take the first nameless column that reads like names."""
    for number, guess in enumerate(guesses):
        sample = _sample(table, number)
        if (
            guess == Guess("ignore", "unknown")
            and _share(sample, lambda cell: bool(_NAME.fullmatch(cell))) >= 0.7
        ):
            guesses[number] = Guess("name", "maybe")
            return


def _sample(table: Table, column: int) -> list[str]:
    cells = (row[column][:1000] for row in table.rows if column < len(row) and row[column])
    return [cell for _, cell in zip(range(_SAMPLE), cells, strict=False)]


def _share(sample: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(1 for cell in sample if holds(cell)) / len(sample) if sample else 0.0

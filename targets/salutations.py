"""How letters in several languages greet one target: among its values, "salutation:fr" stands beside "salutation"."""

import re
from collections.abc import Mapping

_NAME = "salutation"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


def as_values(salutations: Mapping[str, str]) -> dict[str, str]:
    """Return salutations by language as a target's values carry them."""
    return {f"{_NAME}:{language}": text for language, text in sorted(salutations.items())}


def in_language(values: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Return a target's values as a letter in this language says them: its own salutation, else the one for all."""
    own = values.get(f"{_NAME}:{language}") or values.get(f"{_NAME}:{language.partition('-')[0]}")
    return {**values, _NAME: own} if own else values


def read(typed: str) -> dict[str, str]:
    """Return what was typed as one line for each language, "fr: Monsieur le Président". Raises ValueError."""
    found = {}
    for line in filter(str.strip, typed.splitlines()):
        language, colon, text = (part.strip() for part in line.partition(":"))
        if not colon or not text or not _LANGUAGE.fullmatch(language.lower()):
            raise ValueError(line.strip())
        found[language.lower()] = text.rstrip(" ,:!")
    return found


def typed(salutations: Mapping[str, str]) -> str:
    """Return salutations by language as `read` takes them."""
    return "\n".join(f"{language}: {text}" for language, text in sorted(salutations.items()))

"""Countries: their codes, and what they are called in a language."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError

ELSEWHERE = "ZZ"  # CLDR's code for a place that has none: "my country is not among these"
_CODE = re.compile(r"[A-Za-z]{2}")


def code_of(typed: str) -> str:
    """Return a country's code (ISO 3166-1 alpha-2) as it is kept, or "" for anything that is none."""
    code = typed.strip()
    if not _CODE.fullmatch(code):
        return ""
    return code.upper() if code.upper() in _names("en") else ""


def name_of(code: str, language: str) -> str:
    """Return what the country is called in a language; "" where no country is meant."""
    return "" if code == ELSEWHERE else _names(language).get(code, "")


@lru_cache(maxsize=32)
def _names(language: str) -> dict[str, str]:
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        locale = Locale("en")
    return {code: str(name) for code, name in locale.territories.items() if len(code) == len(ELSEWHERE)}

"""Countries and languages, as people write them."""

import unicodedata
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages

_READ_FIRST = ("en", "de", "fr", "es", "ru")
_NO_COUNTRIES = frozenset(["EZ", "QO", "XA", "XB", "ZZ"])
# What people write and CLDR does not list.
_ALSO_COUNTRIES = {
    "usa": "US", "united states of america": "US", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "großbritannien": "GB", "holland": "NL", "czech republic": "CZ",
    "russian federation": "RU",
    "russische föderation": "RU", "türkei": "TR", "turkey": "TR", "ivory coast": "CI", "burma": "MM",
    "macedonia": "MK", "south korea": "KR", "north korea": "KP", "vatican": "VA", "holy see": "VA",
    "palestine": "PS", "slovak republic": "SK", "hellenic republic": "GR", "swaziland": "SZ",
    "cape verde": "CV",
    "eu": "EU", "белоруссия": "BY", "киргизия": "KG", "англия": "GB", "сша": "US",
}  # fmt: skip
_STATE_FORMS = (
    "the ", "republic of ", "federal republic of ", "kingdom of ", "republik ", "bundesrepublik ",
    "république de ", "république du ", "república de ", "республика ",
)  # fmt: skip


def country_code(text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a country named by code or by its name, "" where it is unknown.

    Names are read in English, German, French, Spanish, Russian and the country's own languages (CLDR).
    """
    bare = _folded(text)
    if not bare or len(bare) > 100:
        return ""
    by_name = _countries()
    if bare in by_name:
        return by_name[bare]
    for form in _STATE_FORMS:
        if bare.startswith(form) and bare[len(form) :] in by_name and len(bare) - len(form) > 2:
            return by_name[bare[len(form) :]]
    return ""


def language_code(text: str) -> str:
    """Return the lower-case code of a language named by code (`de`, `pt-BR`) or by its name, else ""."""
    bare = _folded(text)
    if not bare or len(bare) > 100:
        return ""
    by_name = _languages()
    if bare in by_name:
        return by_name[bare]
    main, _, region = bare.replace("_", "-").partition("-")
    if len(main) in (2, 3) and main in by_name and region.upper() in _codes():
        return f"{by_name[main]}-{region}"
    return ""


@cache
def _codes() -> frozenset[str]:
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(
        code for code in codes if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    )


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in _READ_FIRST:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                names.setdefault(_folded(name), code)
    for code in sorted(_codes()):
        for language in get_official_languages(code, regional=False, de_facto=True):
            locale = _locale(language)
            if locale and locale.territories.get(code):
                names.setdefault(_folded(locale.territories[code]), code)
    names.update({_folded(name): code for name, code in _ALSO_COUNTRIES.items()})
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) in (2, 3) and alias.isalpha() and len(codes) == 1 and codes[0] in _codes():
            names[alias.lower()] = codes[0]
    names.update({code.lower(): code for code in _codes()})
    return names


@cache
def _languages() -> dict[str, str]:
    names: dict[str, str] = {}
    known = [code for code in map(str, Locale("en").languages) if len(code) in (2, 3)]
    for language in _READ_FIRST:
        for code, name in Locale(language).languages.items():
            if len(str(code)) in (2, 3):
                names.setdefault(_folded(name), str(code))
    for code in known:
        locale = _locale(code) if len(code) == 2 else None
        if locale and locale.languages.get(code):
            names.setdefault(_folded(locale.languages[code]), code)
    for alias, code in get_global("language_aliases").items():
        if len(alias) == 3 and code in known:
            names.setdefault(alias, code)
    names.update({code: code for code in known if code not in ("root", "und", "mul", "zxx", "mis")})
    return names


def _locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code)
    except (UnknownLocaleError, ValueError):  # languages CLDR has no data for
        return None


def _folded(text: str) -> str:
    """Return a name without case, outer signs and marks, so that `Türkiye` and `TURKIYE` are one."""
    flat = unicodedata.normalize("NFKD", " ".join(text.split()).strip(" .,;:*()")).casefold()
    return (
        "".join(char for char in flat if not unicodedata.combining(char))
        .replace("\u2019", "'")
        .replace("&", "and")
    )

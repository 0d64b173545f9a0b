"""Postal addresses as they stand on an envelope: addressee first, country in capitals last."""

import unicodedata

from babel import Locale, UnknownLocaleError

from targets.models import Target

_ASKED = ("en", "fr", "de", "es", "ru")  # the languages in which a list's address may already name its country
_ALSO_CALLED = {
    "CZ": ("czech republic",), "GB": ("uk", "great britain"), "KR": ("korea",), "MM": ("burma",),
    "NL": ("the netherlands", "holland"), "RU": ("russian federation",), "TR": ("turkey",),
    "US": ("usa", "united states of america"),
}  # fmt: skip


def lines(target: Target, *, language: str) -> list[str]:
    """Return the lines of a target's postal address; an empty list where none is known.

    The addressee is added where the address begins with a street. The country is named in `language`, the sender's,
    if that is written in Latin letters, else in English: the post of the country that a letter is posted in reads
    its own language or an international one (Universal Postal Union, S42).
    """
    if target.post is None:
        return []
    found = [line.strip() for line in target.post.value.splitlines() if line.strip()]
    if found and any(sign.isdigit() for sign in found[0]):
        office = target.institution or target.role
        found = [target.name, *([office] if office and office != target.name else []), *found]
    if not target.country:
        return found
    if found and found[-1].casefold() in _names(target.country, {*_ASKED, language, target.language}):
        return [*found[:-1], found[-1].upper()]
    return [*found, country_name(target.country, language)] if country_name(target.country, language) else found


def country_name(country: str, language: str) -> str:
    """Return a country's name in capitals, in this language or else in English; "" for a code that is none."""
    for each in (language, "en"):
        name = _name(country, each)
        if name and all(unicodedata.name(sign, "").startswith("LATIN") for sign in name if sign.isalpha()):
            return name.upper()
    return ""


def _names(country: str, languages: set[str]) -> set[str]:
    return {_name(country, language).casefold() for language in languages} | set(_ALSO_CALLED.get(country, ()))


def _name(country: str, language: str) -> str:
    try:
        return str(Locale.parse(language.replace("-", "_")).territories.get(country, ""))
    except (UnknownLocaleError, ValueError):
        return ""

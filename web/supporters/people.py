"""The people a letter may go to, in words: what each kind of list calls them, where they are from, and why them."""

import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letters.choosing import Reason
from targets import countries
from targets.models import ListEntry, Target, TargetList
from web.presentation import date_words, language

Kind = TargetList.Kind


def count_words(kind: str, n: int) -> str:
    """Return "3 people", "3 embassies" or "3 artists"."""
    if kind == Kind.EMBASSIES:
        return ngettext("%(num)s embassy", "%(num)s embassies", n) % {"num": n}
    if kind == Kind.PERFORMERS:
        return ngettext("%(num)s artist", "%(num)s artists", n) % {"num": n}
    return ngettext("%(num)s person", "%(num)s people", n) % {"num": n}


def question(kind: str) -> str:
    """Return what the page asks on which they are chosen."""
    if kind == Kind.EMBASSIES:
        return _("Which embassies should get your letter?")
    if kind == Kind.PERFORMERS:
        return _("Which artists should get your letter?")
    return _("Who should get your letter?")


def button_words(kind: str, n: int) -> str:
    """Return what the button says that takes the choice."""
    if n == 0:
        return _("Write to those I chose")
    if kind == Kind.EMBASSIES:
        return ngettext("Write to this embassy", "Write to these %(num)s embassies", n) % {"num": n}
    if kind == Kind.PERFORMERS:
        return ngettext("Write to this artist", "Write to these %(num)s artists", n) % {"num": n}
    return ngettext("Write to this person", "Write to these %(num)s people", n) % {"num": n}


def reason_words(reason: Reason) -> str:
    """Return why somebody is suggested."""
    if reason == Reason.COUNTRY:
        return _("from your country")
    if reason == Reason.FEW:
        return _("few letters yet")
    return _("letters are shared out over the whole list")


def nobody_from(country: str) -> str:
    """Return why people from elsewhere are shown to somebody from this country."""
    name = country_name(country)
    if not name:
        return _("Nobody on this list is from your country. Everybody on it may get your letter.")
    return _("Nobody on this list is from %(country)s. Everybody on it may get your letter.") % {"country": name}


def nobody_now_from(country: str) -> str:
    """Return why people from elsewhere are suggested where those of this country are left out for now."""
    name = country_name(country)
    return _("Those from %(country)s get no letters at the moment, but others on the list do.") % {"country": name}


def left_out_words(entry: ListEntry) -> str:
    """Return why somebody on the list gets no letters at the moment."""
    if entry.exclusion == ListEntry.Exclusion.ALLY:
        return _("already supports us")
    if entry.exclusion == ListEntry.Exclusion.ANSWERED:
        return _("has answered")
    if entry.exclusion == ListEntry.Exclusion.AWAY and entry.excluded_until is not None:
        return _("away until %(date)s") % {"date": date_words(entry.excluded_until)}
    return entry.exclusion_words


def about(target: Target, *, country: bool = False) -> list[str]:
    """Return what says who somebody is: role, institution and, where asked for, country; nothing twice."""
    said = [target.role, target.institution, country_name(target.country) if country else ""]
    return [words for place, words in enumerate(said) if words and words not in (target.name, *said[:place])]


def country_name(code: str) -> str:
    """Return a country's name in the language of the page; "" for none."""
    return countries.name_of(code, language())


def countries_of(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return (code, name) of these countries, by name."""
    named = {code: country_name(code) or code for code in codes if code}
    return sorted(named.items(), key=lambda pair: folded(pair[1]))


def folded(text: str) -> str:
    """Return a text without case and marks, so that "Orban" finds "Orbán" and Å stands beside A."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in flat if not unicodedata.combining(sign))

"""Looking through a long list of people without JavaScript: a filter, groups, forty a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from targets import countries
from targets.lists import Reachable
from targets.models import Target
from web.supporters import people

A_PAGE = 40
LONG_FROM = 13  # fewer people are seen at one look: no filter
_LONGEST_TEXT = 100


@dataclass(frozen=True)
class Wanted:
    """What somebody asked to see: a country's people, those a text is about, and which page of them."""

    country: str = ""
    text: str = ""
    page: int = 1

    def fits(self, target: Target) -> bool:
        """Return whether this is one of them: every word of the text is about them."""
        if self.country not in ("", target.country):
            return False
        if not self.text:
            return True
        said = people.folded(" ".join((target.name, target.given_name, target.family_name, *people.about(target))))
        return all(word in said for word in people.folded(self.text).split())


@dataclass(frozen=True)
class Found:
    """One page of what was found, by group; in words, whom there is not; and the ways out: (value, words)."""

    groups: list[tuple[str, list[Reachable]]]
    page: int
    pages: int
    nobody: str = ""
    ways_out: Sequence[tuple[str, str]] = ()

    @property
    def is_flat(self) -> bool:
        """Return whether there are no groups, so that each line must say where somebody is from."""
        return all(not name for name, _members in self.groups)


def wanted(asked: Mapping[str, str], *, country: str) -> Wanted:
    """Return what a query asks for; `country` is shown to somebody who has not asked for anything yet."""
    if not is_asked(asked):
        return Wanted(country=country)
    show = asked.get("show", "")
    text = " ".join(asked.get("q", "").split())[:_LONGEST_TEXT]
    number = asked.get("page", "")
    return Wanted(
        country="" if show == "all" else countries.code_of(asked.get("country", "")),
        text="" if show else "".join(sign for sign in text if sign.isprintable()),
        page=int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1,
    )


def is_asked(asked: Mapping[str, str]) -> bool:
    """Return whether the page's own form was sent, so that what is ticked in it counts and not what was kept."""
    return any(name in asked for name in ("q", "country", "show", "page"))


def found(reachable: Sequence[Reachable], wanted: Wanted, *, chosen: Sequence[Reachable]) -> Found:
    """Return the people wanted without those chosen, who stand by themselves.

    Where nobody is from the country that was asked for, it is everybody, and the reason is said.
    """
    nobody = ""
    ways_out: list[tuple[str, str]] = []
    fitting = [each for each in reachable if wanted.fits(each.target)]
    if not fitting and wanted.text:
        nobody = _("Nobody called “%(name)s”. Try the family name.") % {"name": wanted.text}
        if name := people.country_name(wanted.country):
            ways_out.append(("country", _("Show everyone in %(country)s") % {"country": name}))
        ways_out.append(("all", _("Show everybody")))
    elif not fitting and wanted.country:
        nobody = people.nobody_from(wanted.country)
        fitting = list(reachable)
    group_of = _grouping(reachable)
    taken = {each.target.pk for each in chosen}
    rest = [each for each in fitting if each.target.pk not in taken]
    ordered = sorted(rest, key=lambda each: _place(group_of(each.target)))
    pages = max(1, -(-len(ordered) // A_PAGE))
    page = min(max(wanted.page, 1), pages)
    shown = ordered[(page - 1) * A_PAGE : page * A_PAGE]
    groups = [(name, list(members)) for name, members in groupby(shown, key=lambda each: group_of(each.target))]
    return Found(groups=groups, page=page, pages=pages, nobody=nobody, ways_out=ways_out)


def _grouping(reachable: Sequence[Reachable]) -> Callable[[Target], str]:
    """Return what names the group of a target: country, else institution; "" where groups would be of one each."""
    ways: tuple[Callable[[Target], str], ...] = (lambda target: target.country, lambda target: target.institution)
    for way in ways:
        if 1 < len({way(each.target) for each in reachable}) <= len(reachable) / 2:
            return lambda target: people.country_name(way(target)) or way(target)
    return lambda _target: ""


def _place(group: str) -> tuple[bool, str]:
    """Return what groups are ordered by: their names, those without one last."""
    return not group, people.folded(group)

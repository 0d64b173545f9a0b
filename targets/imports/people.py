"""Lists of people on a web page that are no tables: every address, with the name that stands nearest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PageElement

from targets.imports.spelling import addresses_in, read_round_about
from targets.imports.table import CELL_LIMIT, ROWS_LIMIT, Table, too_many_rows

FOUND_LIMIT = 4 * ROWS_LIMIT
_NAMING = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "strong", "dt", "th"])
SAYS_NOTHING = re.compile(
    r"\W*(?:(?:e-?mail|mail|send|write|an|to|me|us|contact|schreiben|kontakt|contacto|écrire|почта)\b\W*)*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """An address somewhere on the page, and the element that holds it."""

    address: str
    node: PageElement  # the link or the text itself
    element: Tag  # what holds it
    label: str  # a link's own words, or what stands before the address in the same text
    hidden: bool


def written_out(node: PageElement, words: str, parent: Tag, *, hidden: bool) -> Iterator[Found]:
    """Yield the addresses written out in a text, each with the words between it and the one before."""
    if not any(sign in words for sign in "@[({") and " dot " not in words.lower():
        return
    rest = read_round_about(words)
    for address in addresses_in(words):
        before, _, rest = rest.partition(address)
        yield Found(address, node, parent, _as_name(before), hidden)


def list_of_people(found: list[Found]) -> Table:
    """Return one row for each address on the page, with the name that stands nearest."""
    chosen: dict[str, Found] = {}
    for item in found:
        known = chosen.get(item.address.lower())
        if known is None or (item.hidden, not item.label) < (known.hidden, not known.label):
            chosen[item.address.lower()] = item
    if len(chosen) > ROWS_LIMIT:
        raise too_many_rows(len(chosen))
    within: dict[int, set[str]] = {}  # element → the addresses in it, as far up as cards reach
    for item in found:
        for outer in _upwards(item.element):
            within.setdefault(id(outer), set()).add(item.address.lower())
    rows = tuple((_name_near(item, within), item.address[: CELL_LIMIT + 1]) for item in chosen.values())
    hidden = frozenset(position for position, item in enumerate(chosen.values()) if item.hidden)
    notes = ["made from the addresses on a web page, with the name nearest to each"]
    if hidden:
        notes.append(f"addresses that the page does not show: {len(hidden)}")
    return Table("Addresses on the page", ("Name", "E-mail"), rows, 1, tuple(notes), hidden=hidden)


def _upwards(element: Tag) -> Iterator[Tag]:
    """Yield the element and what it stands in, up to eight levels: enough for the card of one person."""
    outer: Tag | None = element
    for _ in range(8):
        if outer is None or isinstance(outer, BeautifulSoup):
            return
        yield outer
        outer = outer.parent


def _name_near(item: Found, within: dict[int, set[str]]) -> str:
    if item.label and not SAYS_NOTHING.fullmatch(item.label):
        return item.label
    for outer in _upwards(item.element):
        if outer.name == "dd" and (term := _term_of(outer)):
            return term
        if len(within[id(outer)]) > 1:
            break
        name = _name_in(outer)
        if name:
            # A heading further out names the person better than a line beside the address.
            return next((better for wider in _cards(outer, within) if (better := _heading_in(wider))), name)
    fallback = ""
    for steps, earlier in enumerate(item.node.previous_elements):
        if steps > 60:
            break
        if not isinstance(earlier, NavigableString) or earlier.parent is None:
            continue
        words = str(earlier)
        if addresses_in(words[:1000]) or (earlier.parent.name == "a" and id(earlier.parent) in within):
            break
        name = _as_name(words)
        if name and earlier.parent.name in _NAMING:
            return name
        fallback = fallback or name
    return fallback


def _term_of(definition: Tag) -> str:
    for _, earlier in zip(range(10), definition.previous_siblings, strict=False):
        if isinstance(earlier, Tag) and earlier.name == "dt":
            return _as_name(" ".join(texts_in(earlier, 20)))
    return ""


def _cards(element: Tag, within: dict[int, set[str]]) -> Iterator[Tag]:
    for outer in _upwards(element):
        if len(within.get(id(outer), ())) > 1:
            return
        yield outer


def _heading_in(card: Tag) -> str:
    for steps, inner in enumerate(card.descendants):
        if steps > 80:
            break
        if isinstance(inner, NavigableString) and inner.parent is not None and inner.parent.name in _NAMING:
            name = _as_name(str(inner))
            if name:
                return name
    return ""


def _name_in(card: Tag) -> str:
    return _heading_in(card) or next((name for words in texts_in(card, 80) if (name := _as_name(words))), "")


def _as_name(words: str) -> str:
    """Return a piece of text as a name, "" where it is an address, a word such as "E-mail", or long."""
    name = " ".join(words[:500].split()).strip(" ,;:·|–—-([<>)]")
    if len(name) > 100 or SAYS_NOTHING.fullmatch(name) or "@" in read_round_about(name):
        return ""
    return name if any(char.isalpha() for char in name) else ""


def texts_in(tag: Tag, limit: int) -> Iterator[str]:
    """Yield the texts among the first `limit` things inside an element."""
    element: PageElement
    for steps, element in enumerate(tag.descendants):
        if steps > limit:
            return
        if isinstance(element, NavigableString):
            yield str(element)

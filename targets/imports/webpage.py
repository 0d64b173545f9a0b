"""Tables on a web page."""

import re
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, NavigableString, Tag

from targets.imports.headers import find_header, is_email_word
from targets.imports.markup import plain_markup
from targets.imports.people import FOUND_LIMIT, SAYS_NOTHING, Found, list_of_people, texts_in, written_out
from targets.imports.spelling import addresses_in, addresses_in_row, read_round_about, without_scheme
from targets.imports.table import CELL_LIMIT, COLUMNS_LIMIT, ROWS_LIMIT, Table, too_many_rows

_TABLES_LIMIT = 50
_SPANNED_LIMIT = 2_000_000  # characters that row and column spans may repeat
_BLOCKS = frozenset([
    "address", "article", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "ol", "p", "section", "table", "td", "th", "tr", "ul",
])  # fmt: skip
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_OUT_OF_SIGHT = re.compile(
    r"display:none|visibility:hidden|opacity:0(?![.\d])|font-size:0(?![.\d])|(?:left|top|text-indent):-\d{3,}"
    r"|clip:rect\(0|clip-path:inset\((?:50|100)%"
)


@dataclass
class _Cell:
    """What stands in one cell, the seen and the unseen apart."""

    colspan: int = 1
    rowspan: int = 1
    seen: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    block: int = 0

    def text(self) -> str:
        """Return the lines a reader sees, else the ones that are there."""
        return _lines("".join(self.seen)) or _lines("".join(self.unseen))

    @property
    def is_trap(self) -> bool:
        return not _lines("".join(self.seen)) and bool(_lines("".join(self.unseen)))


@dataclass
class _Row:
    hidden: bool
    cells: list[_Cell] = field(default_factory=list)


@dataclass
class _Grid:
    title: str
    hidden: bool
    rows: list[_Row] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where in the page something stands."""

    hidden: bool = False
    block: int = 0
    grid: _Grid | None = None
    row: _Row | None = None
    cell: _Cell | None = None


def read_page(text: str) -> list[Table]:
    """Return every table of an HTML page and, where addresses stand outside tables, one made of those.

    `text` is a page or a fragment of one. Raises ImportRefused where it is too large.
    """
    soup = BeautifulSoup(plain_markup(text), "html.parser")
    grids, found = _walk(soup)
    tables = [table for grid in grids[: 20 * _TABLES_LIMIT] if (table := _table(grid))][:_TABLES_LIMIT]
    named = sum(1 for table in tables for row in table.rows if 1 <= len(addresses_in_row(row)) <= 2)
    if found and named * 2 < len({item.address for item in found}):
        tables.append(list_of_people(found))
    return tables


def _walk(soup: BeautifulSoup) -> tuple[list[_Grid], list[Found]]:
    """Go through the page once, in its own order; parents come before what they hold."""
    grids: list[_Grid] = []
    found: list[Found] = []
    places: dict[int, _Place] = {id(soup): _Place()}
    heading = ""
    for element in soup.descendants:
        parent = element.parent
        place = places[id(parent)] if parent is not None else _Place()
        if isinstance(element, Tag):
            if element.name == "br" and place.cell:
                (place.cell.unseen if place.hidden else place.cell.seen).append("\n")
            places[id(element)] = _place_of(element, place, grids, heading)
            _note_link(element, places[id(element)], found)
        elif isinstance(element, NavigableString) and parent is not None:
            words = str(element)
            if parent.name in (*_HEADINGS, "caption") and words.strip():
                heading = " ".join(words.split())[:100]
                if parent.name == "caption" and place.grid:
                    place.grid.title = heading
            if place.cell:
                _write(place.cell, words, place)
            if len(found) < FOUND_LIMIT and len(words) <= 5 * CELL_LIMIT:
                found.extend(written_out(element, words, parent, hidden=place.hidden))
    return grids, found


def _place_of(tag: Tag, outer: _Place, grids: list[_Grid], heading: str) -> _Place:
    hidden = outer.hidden or _is_hidden(tag)
    block = id(tag) if tag.name in _BLOCKS else outer.block
    if tag.name == "table":
        grid = _Grid(title=heading, hidden=hidden)
        grids.append(grid)
        return _Place(hidden, block, grid)
    if tag.name == "tr" and outer.grid:
        # Tags that nobody closed nest; a row belongs to its table, not to the row before.
        row = _Row(hidden=outer.grid.hidden or _is_hidden(tag))
        outer.grid.rows.append(row)
        return _Place(row.hidden, block, outer.grid, row)
    if tag.name in ("td", "th") and outer.grid:
        row = outer.row or _Row(hidden=outer.grid.hidden)
        if outer.row is None:
            outer.grid.rows.append(row)
        cell = _Cell(_span(tag, "colspan", COLUMNS_LIMIT), _span(tag, "rowspan", ROWS_LIMIT))
        row.cells.append(cell)
        return _Place(row.hidden or _is_hidden(tag), block, outer.grid, row, cell)
    if hidden == outer.hidden and block == outer.block:
        return outer
    return _Place(hidden, block, outer.grid, outer.row, outer.cell)


def _is_hidden(tag: Tag) -> bool:
    if not tag.attrs:
        return False
    style = re.sub(r"\s+", "", str(tag.get("style", ""))).lower()
    return (
        tag.has_attr("hidden")
        or str(tag.get("aria-hidden", "")).lower() == "true"
        or bool(style and _OUT_OF_SIGHT.search(style))
    )


def _span(tag: Tag, name: str, limit: int) -> int:
    text = str(tag.get(name, "1")).strip()
    return max(1, min(int(text), limit)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _note_link(tag: Tag, place: _Place, found: list[Found]) -> None:
    target = str(tag.get("href", "")).strip() if tag.name == "a" else ""
    if not target.lower().startswith("mailto:") or len(found) >= FOUND_LIMIT:
        return
    address = without_scheme(target)
    if address:
        label = " ".join("".join(texts_in(tag, 50)).split())[:200]
        found.append(Found(address, tag, tag, "" if "@" in read_round_about(label) else label, place.hidden))
        if place.cell and not place.hidden:
            place.cell.links.append(address)


def _write(cell: _Cell, words: str, place: _Place) -> None:
    into = cell.unseen if place.hidden else cell.seen
    if place.block != cell.block and into:
        into.append("\n")
    cell.block = place.block
    into.append(words.replace("\n", " ").replace("\r", " "))


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)[: CELL_LIMIT + 1]


def _table(grid: _Grid) -> Table | None:
    """Return the grid as a table, spans filled in; None where it holds no data."""
    grid.rows = [row for row in grid.rows if row.cells]
    if len(grid.rows) > ROWS_LIMIT + 10:
        raise too_many_rows(len(grid.rows))
    rows, links = _filled(grid)
    _add_links(rows, links)
    kept = [index for index, row in enumerate(rows) if any(row) and not _is_divider(grid.rows[index])]
    if not kept:
        return None
    header = find_header([rows[index] for index in kept])
    data = [index for index in kept[header.skipped :] if rows[index] != header.cells]
    if len(data) > ROWS_LIMIT:
        raise too_many_rows(len(data))
    if not data:
        return None
    hidden = frozenset(position for position, index in enumerate(data) if _is_trap(grid.rows[index]))
    notes = ["read from a table on a web page", *header.notes]
    if hidden:
        notes.append(f"rows that the page does not show: {len(hidden)}")
    return Table(
        title=header.title or grid.title,
        header=header.cells,
        rows=tuple(rows[index] for index in data),
        first_line=data[0] + 1,
        notes=tuple(notes),
        lines=tuple(index + 1 for index in data),
        hidden=hidden,
    )


def _is_divider(row: _Row) -> bool:
    """Return whether a row is one cell across the table, such as the name of a group."""
    return len(row.cells) == 1 and row.cells[0].colspan > 1 and not addresses_in(row.cells[0].text())


def _is_trap(row: _Row) -> bool:
    return row.hidden or any(cell.is_trap and addresses_in(cell.text()) for cell in row.cells)


def _filled(grid: _Grid) -> tuple[list[tuple[str, ...]], list[dict[int, list[str]]]]:
    """Return the rows with row and column spans filled in, and per row the linked addresses by column."""
    repeated = 0
    reaching: dict[int, tuple[int, str]] = {}  # column → how many more rows, text
    rows: list[list[str]] = []
    links: list[dict[int, list[str]]] = []
    for row in grid.rows:
        cells: list[str] = []
        linked: dict[int, list[str]] = {}
        for cell in row.cells:
            _reach_down(reaching, cells)
            if len(cells) >= COLUMNS_LIMIT:
                break
            text = cell.text()
            if cell.links:
                linked[len(cells)] = cell.links
            repeated += len(text) * (cell.colspan * cell.rowspan - 1)
            again = text if repeated <= _SPANNED_LIMIT else ""
            for number in range(min(cell.colspan, COLUMNS_LIMIT - len(cells))):
                if cell.rowspan > 1:
                    reaching[len(cells)] = (cell.rowspan - 1, again)
                cells.append(again if number else text)
        _reach_down(reaching, cells)
        rows.append(cells)
        links.append(linked)
    width = max((len(cells) for cells in rows), default=0)
    return [tuple(cells + [""] * (width - len(cells))) for cells in rows], links


def _reach_down(reaching: dict[int, tuple[int, str]], cells: list[str]) -> None:
    """Add the cells that reach down from rows above to the row being filled."""
    while len(cells) in reaching:
        left, text = reaching.pop(len(cells))
        if left > 1:
            reaching[len(cells)] = (left - 1, text)
        cells.append(text)


def _add_links(rows: list[tuple[str, ...]], links: list[dict[int, list[str]]]) -> None:
    """Write addresses that stand only behind links into the table: in an e-mail column, else in a new one."""
    headings = rows[0] if rows else ()
    apart: list[str] = []
    for index, linked in enumerate(links):
        cells = list(rows[index])
        extra: list[str] = []
        for column, addresses in linked.items():
            missing = [a for a in dict.fromkeys(addresses) if a.lower() not in cells[column].lower()]
            if not missing or addresses_in(cells[column]):
                continue
            if is_email_word(headings[column]) or SAYS_NOTHING.fullmatch(cells[column]):
                cells[column] = "; ".join(missing)[: CELL_LIMIT + 1]
            else:
                extra.extend(missing)
        rows[index] = tuple(cells)
        apart.append("; ".join(extra)[: CELL_LIMIT + 1])
    if any(apart):
        starts_with_data = bool(apart[0])
        for index, text in enumerate(apart):
            rows[index] = (*rows[index], text or ("E-mail" if index == 0 and not starts_with_data else ""))

"""CSV and pasted cells: which separator, which rows."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from targets.imports.headers import find_header
from targets.imports.spelling import addresses_in_row
from targets.imports.table import CELL_LIMIT, COLUMNS_LIMIT, ROWS_LIMIT, Table, too_many_rows

_SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "upright bars"}
_SAMPLE = 60_000
_TALLEST = 60  # lines of one record


@dataclass
class _Record:
    line: int
    cells: tuple[str, ...]
    unclosed: bool = False


def read_delimited(text: str, *, encoding: str) -> Table | None:
    """Return the table in a text of separated cells; None where it holds no data. Raises ImportRefused."""
    separator = _separator(text[:_SAMPLE])
    records = _records(text, separator)
    if len(records) == 1 and len(records[0].cells) > 1 and all("@" in cell for cell in records[0].cells):
        # "a@x.example; b@y.example", as mail programs copy it.
        records = [_Record(records[0].line, (cell,)) for cell in records[0].cells]
    header = find_header([record.cells for record in records])
    data = [record for record in records[header.skipped :] if record.cells != header.cells]
    if len(data) > ROWS_LIMIT:
        raise too_many_rows(len(data))
    if not data:
        return None
    width = len(header.cells)
    alone = width == 1 and all(len(record.cells) <= 1 for record in data)
    return Table(
        title=header.title,
        header=header.cells,
        rows=tuple(record.cells + ("",) * (width - len(record.cells)) for record in data),
        first_line=data[0].line,
        notes=(
            f"read as {encoding}, {'one column' if alone else f'separated by {_SEPARATORS[separator]}'}",
            *header.notes,
        ),
        lines=tuple(record.line for record in data),
        unclosed=frozenset(number for number, record in enumerate(data) if record.unclosed),
    )


def _separator(sample: str) -> str:
    """Return the separator with which most lines have as many cells as the first."""
    scores: dict[str, float] = {}
    for separator in _SEPARATORS:
        records = [record for record in _records(sample, separator) if not record.unclosed][:200]
        widths = Counter(len(record.cells) for record in records)
        if not records or max(widths) == 1:
            continue
        usual, times = max(widths.items(), key=lambda item: (item[1], item[0]))
        first = len(records[0].cells)
        agreeing = max(times if usual > 1 else 0, widths[first] if first > 1 else 0)
        wide = first if first > 1 else max(usual, 2)
        # A comma may well stand in a name or an address; the others hardly ever do.
        scores[separator] = agreeing / len(records) * min(wide, 20) * (0.6 if separator == "," else 1.0)
        if first == 1:
            scores[separator] *= 0.3
    return max(scores, key=lambda separator: scores[separator]) if scores else ","


class _Lines:
    """The lines from one on, and a limit to how many of them one record may swallow."""

    def __init__(self, lines: list[str], start: int) -> None:
        self.lines = lines
        self.at = start - 1
        self.record_began = self.at

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at - self.record_began >= _TALLEST:
            raise csv.Error
        self.at += 1
        return self.lines[self.at - 1]


def _records(text: str, separator: str) -> list[_Record]:
    """Return the records that hold anything. A quotation mark that never ends costs its own line only."""
    records: list[_Record] = []
    start = 1
    lines = list(io.StringIO(text, newline=""))
    while start <= len(lines) and len(records) <= ROWS_LIMIT + 100:
        broken = _read_on(lines, start, separator, records)
        if not broken:
            break
        cells = lines[broken - 1].rstrip("\r\n").split(separator)
        records.append(_Record(broken, _tidy(cells), unclosed=True))
        start = broken + 1
    return records


def _read_on(lines: list[str], start: int, separator: str, records: list[_Record]) -> int:
    """Read from a line on, adding to `records`; return the line of a quotation mark that never ends, or 0."""
    source = _Lines(lines, start)
    reader = csv.reader(source, delimiter=separator, skipinitialspace=separator != "\t")
    while len(records) <= ROWS_LIMIT + 100:
        source.record_began = source.at
        try:
            cells = next(reader)
        except StopIteration:
            return 0
        except csv.Error:
            # A record taller than any address, or a cell beyond the reader's 128 kB: a lost quotation mark.
            return source.record_began + 1
        used = lines[source.record_began : source.at]
        if len(used) > 1 and _is_lost(cells, used, at_end=source.at >= len(lines)):
            return source.record_began + 1
        tidy = _tidy(cells)
        if any(tidy):
            records.append(_Record(source.record_began + 1, tidy))
    return 0


def _is_lost(cells: list[str], used: list[str], *, at_end: bool) -> bool:
    """Return whether a record swallowed the lines below it: no end, or several people in one cell."""
    if at_end and sum(line.count('"') for line in used) % 2:
        return True
    return any(cell.count("@") > 1 and sum("@" in line for line in cell.splitlines()) > 1 for cell in cells)


def _tidy(cells: list[str]) -> tuple[str, ...]:
    """Return the cells without outer blanks, and without the empty ones at the end of the line."""
    tidy = [
        cell.replace("\r\n", "\n").replace("\r", "\n").strip(" \t\n\u00a0")[: CELL_LIMIT + 1]
        for cell in cells
    ]
    tidy = tidy[: COLUMNS_LIMIT + 1]
    while tidy and not tidy[-1]:
        tidy.pop()
    return tuple(tidy)


def holds_addresses(table: Table) -> int:
    """Return how many rows of a table hold one or two e-mail addresses, as rows about people do."""
    return sum(1 for row in table.rows if 1 <= len(addresses_in_row(row)) <= 2)

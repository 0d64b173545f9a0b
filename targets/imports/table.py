"""One table, whatever it was read from, and why something is none."""

from dataclasses import dataclass

BYTES_LIMIT = 2_000_000
ROWS_LIMIT = 5_000
COLUMNS_LIMIT = 100
CELL_LIMIT = 10_000  # characters


class ImportRefused(ValueError):
    """A file or paste that cannot be read as a table: a code, and a sentence that names the cure."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Table:
    """A header and its rows. Rows are at least as wide as the header; cells are text, never evaluated.

    `lines` names each row's place in the file (or in the page's table), counted from 1; `hidden` and
    `unclosed` hold positions in `rows`: rows that the page does not show, rows with a lost quotation mark.
    A cell longer than CELL_LIMIT is cut one character behind it, so that checking can tell.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_line: int
    notes: tuple[str, ...]
    lines: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    unclosed: frozenset[int] = frozenset()

    def line(self, position: int) -> int:
        """Return where the row at this position stands in the file, counted from 1."""
        return self.lines[position] if position < len(self.lines) else self.first_line + position


def too_many_rows(count: int) -> ImportRefused:
    """Return the refusal of a table with more rows than one import takes."""
    return ImportRefused(
        "too_many_rows",
        f"The table has {count:,} rows; one import takes {ROWS_LIMIT:,}. Split it into several files.",
    )

"""Tables that leave the house: text that no spreadsheet takes for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

# OWASP "CSV injection": also behind blanks and quotes, because spreadsheets strip them; full-width
# forms count.
_BEGINS_LIKE_A_FORMULA = re.compile(r"[\s\"'\u201c\u201d\u2018\u2019]*[=+\-@\t\r\n\0＝＋－＠]")


def begins_like_a_formula(text: str) -> bool:
    """Return whether a spreadsheet might calculate this text instead of showing it."""
    return _BEGINS_LIKE_A_FORMULA.match(text) is not None


def safe_cell(text: str) -> str:
    """Return the text so that every spreadsheet shows it as text: an apostrophe in front where needed."""
    return f"'{text}" if begins_like_a_formula(text) else text


def restored_cell(text: str) -> str:
    """Return what `safe_cell` was given, so that an exported table can be imported again unchanged."""
    return text[1:] if text.startswith("'") and begins_like_a_formula(text[1:]) else text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the table row by row as RFC 4180 CSV (commas, CRLF), fit for spreadsheets."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    for cells in chain((header,), rows):
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([safe_cell(cell) for cell in cells])
        yield buffer.getvalue()

"""What the steps of an import show and read back. Nothing here writes anything."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.http import QueryDict
from django.utils.translation import gettext as _

from targets import imports, lists
from targets.imports.table import Table
from targets.models import ImportedFile

ROWS_SHOWN = 50
NOTED_SHOWN = 100  # rows with a box to leave them out; a form carries at most 200 fields
HIDDEN_SHOWN = 60
EXAMPLES = 3
FROM_SEVERAL_COLUMNS = {"ignore", "postal_address"}


@dataclass(frozen=True)
class Column:
    """One column of the table: its name, three values, where it goes and how sure the guess was."""

    header: str
    examples: list[str]
    field: str
    confidence: str


@dataclass(frozen=True)
class Cure:
    """All problems that the same cure mends."""

    words: str
    problems: list[imports.Problem]


@dataclass(frozen=True)
class Examination:
    """A table compared with its list: what was offered, and what is left of it after a person's choices."""

    file: ImportedFile
    table: Table
    rows: list[imports.Row]
    offer: lists.Comparison  # with every row, whatever was chosen
    comparison: lists.Comparison  # without the rows that are left out
    left: frozenset[int]  # lines left out by hand
    taken: frozenset[int]  # hidden lines taken by hand
    missing_choice: str = ""  # keep or retire: what happens to targets that are not in the table

    @property
    def hidden(self) -> list[imports.Row]:
        """Return the rows that the page did not show and that could be imported all the same."""
        return [row for row in self.rows if row.hidden and row.ok]

    @property
    def noted(self) -> list[imports.Row]:
        """Return the rows that are fine but for a note."""
        return [row for row in self.rows if row.ok and row.problems and not row.hidden]

    @property
    def cures(self) -> list[Cure]:
        """Return the problems of refused rows by what mends them, the most frequent first."""
        found: dict[str, list[imports.Problem]] = {}
        for row in self.offer.refused:
            for problem in row.problems:
                if problem.severity == "error":
                    found.setdefault(problem.cure or problem.sentence, []).append(problem)
        return sorted((Cure(*pair) for pair in found.items()), key=lambda cure: -len(cure.problems))

    @property
    def seen(self) -> str:
        """Return a mark of what is offered: it differs as soon as the list or the table does."""
        offer = self.offer
        marks = [
            sorted(row.line for row in offer.new),
            sorted((row.line, differences) for row, _target, differences in offer.changed),
            sorted(target.pk for target in offer.missing),
            self.file.columns,
        ]
        return hashlib.sha256(repr(marks).encode()).hexdigest()[:16]

    def objections(self, form: QueryDict) -> dict[str, str]:
        """Return why this cannot be accepted yet: a sentence for each field."""
        if form.get("seen") != self.seen:
            return {"rows": _("The list has changed since you looked. Look at the rows again, then import them.")}
        if self.offer.missing and form.get("missing") not in {"keep", "retire"}:
            return {"missing": _("Choose what happens to the targets that are not in your table.")}
        return {}


def examine(file: ImportedFile, form: QueryDict | None) -> Examination:
    """Read the kept table again, check its rows and compare them with the list.

    `form` holds lines to `leave` out and hidden lines to `take`; hidden ones are left out unless taken.
    """
    table = imports.read(bytes(file.content), filename=file.filename)[file.table]
    rows = imports.check_rows(table, file.columns)
    hidden = {row.line for row in rows if row.hidden}
    left, taken = _lines(form, "leave"), _lines(form, "take")
    offer = lists.compare(file.target_list, rows, skipped_lines=sorted(hidden))
    out = sorted((hidden - taken) | left)
    return Examination(
        file=file, table=table, rows=rows, offer=offer, left=left, taken=taken,
        comparison=lists.compare(file.target_list, rows, skipped_lines=out),
        missing_choice=form.get("missing", "") if form is not None else "keep",
    )  # fmt: skip


def columns_of(table: Table, fields: Sequence[str]) -> list[Column]:
    """Return the table's columns with examples; `fields` is what was chosen before, if anything was."""
    guesses = imports.guess_columns(table)
    chosen = list(fields) if len(fields) == len(guesses) else [guess.field for guess in guesses]
    return [
        Column(header, list(islice(_examples(table, number), EXAMPLES)), chosen[number], guesses[number].confidence)
        for number, header in enumerate(table.header)
    ]


def posted_columns(table: Table, form: QueryDict) -> tuple[list[str], dict[str, str]]:
    """Return the field chosen for each column, and a sentence for each choice that cannot be."""
    fields = [form.get(f"column-{number}", "ignore") for number in range(len(table.header))]
    fields = [field if field in imports.FIELDS else "ignore" for field in fields]
    errors: dict[str, str] = {}
    for number, field in enumerate(fields):
        if field in fields[:number] and field not in FROM_SEVERAL_COLUMNS:
            sentence = _("Two columns go to “%(field)s”. Choose which one it is.")
            errors[f"column-{number}"] = sentence % {"field": _(imports.FIELDS[field])}
    if not errors and not {"email", "postal_address"} & set(fields):
        errors["column-0"] = _("Say which column holds the e-mail address or the postal address.")
    return fields, errors


def rejected_rows(examined: Examination) -> tuple[list[str], Iterator[list[str]]]:
    """Return header and rows of the table of refused rows: as they came, with a `problem` column at the end."""
    table = examined.table
    cells = {table.line(position): row for position, row in enumerate(table.rows)}
    refused = examined.offer.refused
    width = max([len(table.header), *(len(cells[row.line]) for row in refused)])
    header = [*table.header, *[""] * (width - len(table.header)), "problem"]
    return header, (
        [*cells[row.line], *[""] * (width - len(cells[row.line])), _said(row)] for row in refused
    )


def _said(row: imports.Row) -> str:
    return " ".join(f"{p.sentence} {p.cure}".strip() for p in row.problems if p.severity == "error")


def _examples(table: Table, column: int) -> Iterator[str]:
    seen = dict.fromkeys(" ".join(row[column].split()) for row in table.rows[:200] if column < len(row))
    return (value for value in seen if value)


def _lines(form: QueryDict | None, name: str) -> frozenset[int]:
    asked = form.getlist(name) if form is not None else []
    return frozenset(int(line) for line in asked if line.isascii() and line.isdecimal() and len(line) < 9)

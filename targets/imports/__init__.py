"""Importing targets: a file or a paste becomes one table, its columns are matched, its rows checked."""

from targets.imports.checking import Problem, Row, check_rows
from targets.imports.columns import FIELDS, Guess, guess_columns
from targets.imports.reading import read
from targets.imports.table import ImportRefused, Table

__all__ = [
    "FIELDS",
    "Guess",
    "ImportRefused",
    "Problem",
    "Row",
    "Table",
    "check_rows",
    "guess_columns",
    "read",
]

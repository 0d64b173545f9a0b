"""Statements over many given rows at once, and how each of the two databases takes them.

The rows travel as one JSON value, so a statement's text is the same for one row and for six hundred: PostgreSQL plans
it once per connection, SQLite parses it once.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection
from psycopg.pq import Format

Row = tuple[Any, ...]
_planned_once: "WeakSet[psycopg.Connection[Any]]" = WeakSet()


class Statement:
    """A statement in which `{given}` stands for a table of rows; each value of `columns` is a PostgreSQL type.

    `:name` is not used; the text's `%(name)s` are the other values it is called with.
    """

    def __init__(self, text: str, **columns: str) -> None:
        self._postgresql = text.replace(
            "{given}",
            "jsonb_to_recordset(%(given)s::jsonb) AS given("
            + ", ".join(f"{name} {kind}" for name, kind in columns.items())
            + ")",
        )
        taken = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(columns))
        self._sqlite = text.replace("{given}", f"(SELECT {taken} FROM json_each(%(given)s)) AS given")  # noqa: S608
        self._names = tuple(columns)

    def __call__(self, rows: Iterable[Row], **values: Any) -> list[Row]:
        """Execute it; returns the rows it returns. `rows` hold one value per column, in the columns' order."""
        if connection.vendor == "postgresql":
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            return _on_postgresql(self._postgresql, {"given": json.dumps(named, default=_as_text), **values})
        given = json.dumps(list(rows), default=_as_sqlite_keeps_it)
        adapted = {
            name: _as_sqlite_keeps_it(value) if isinstance(value, datetime) else value for name, value in values.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(self._sqlite, {"given": given, **adapted})
            return cursor.fetchall() if cursor.description else []


def moment(value: datetime | str) -> datetime:
    """Return a time that a statement returned: SQLite gives it as it keeps it, in UTC without saying so."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _on_postgresql(text: str, values: dict[str, Any]) -> list[Row]:
    """Execute with values apart from the text, so that the server plans the statement once."""
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.format = Format.BINARY  # which is read faster than text
        if raw not in _planned_once:  # else it would weigh a new plan each time, at the price of the statement itself
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            raw.prepare_threshold = 1  # Django prepares nothing by itself
            _planned_once.add(raw)
        cursor.execute(text, values, prepare=True)
        return cursor.fetchall() if cursor.pgresult is not None and cursor.pgresult.nfields else []


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot travel to the database")


def _as_sqlite_keeps_it(value: Any) -> str:
    if isinstance(value, datetime):
        return str(connection.ops.adapt_datetimefield_value(value))
    raise TypeError(f"{type(value).__name__} cannot travel to the database")

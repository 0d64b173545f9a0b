"""Statements over many given rows at once, and how each of the two databases takes them.

The rows travel as whole columns (PostgreSQL) or as one JSON value (SQLite), so a statement's text is the same for one
row and for six hundred: PostgreSQL plans it once per connection, SQLite parses it once.
"""

import itertools
import json
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus

Row = tuple[Any, ...]
_PLACE = re.compile(r"%\((\w+)\)s")
_KINDS = {bool: 16, int: 20, str: 25, datetime: 1184}  # of values, by PostgreSQL's numbers for its types
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_numbers = itertools.count(1)
_prepared: "WeakKeyDictionary[psycopg.Connection[Any], set[bytes]]" = WeakKeyDictionary()


class Statement:
    """A statement in which `{given}` stands for a table of rows; each value of `columns` is a PostgreSQL type.

    The text's `%(name)s` are the other values it is called with; so are the columns named in `once`, which are the same
    in all rows. `:name` is not used.
    """

    def __init__(self, text: str, *, once: Collection[str] = (), **columns: str) -> None:
        kinds = {name: kind for name, kind in columns.items() if name not in once}
        self._names = tuple(kinds)
        arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in kinds.items())
        same = "".join(f", %({name})s::{columns[name]} AS {name}" for name in once)
        table = f"(SELECT *{same} FROM unnest({arrays}) AS own({', '.join(kinds)})) AS given"  # noqa: S608
        whole = text.replace("{given}", table)
        self._places = tuple(dict.fromkeys(_PLACE.findall(whole)))
        self._postgresql = _PLACE.sub(lambda found: f"${self._places.index(found[1]) + 1}", whole).encode()
        self._number = b"given_%d" % next(_numbers)
        taken = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(kinds))
        same = "".join(f", %({name})s AS {name}" for name in once)
        self._sqlite = text.replace("{given}", f"(SELECT {taken}{same} FROM json_each(%(given)s)) AS given")  # noqa: S608

    def __call__(self, rows: Iterable[Row], **values: Any) -> list[Row]:
        """Execute it; returns the rows it returns. `rows` hold one value per column, in the columns' order."""
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor == "postgresql":
            return self._on_postgresql(connection, list(rows), values)
        given = json.dumps(list(rows), default=_as_sqlite_keeps_it)
        adapted = {
            name: _as_sqlite_keeps_it(value) if isinstance(value, datetime) else value for name, value in values.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(self._sqlite, {"given": given, **adapted})
            return cursor.fetchall() if cursor.description else []

    def _on_postgresql(self, connection: BaseDatabaseWrapper, rows: Sequence[Row], values: dict[str, Any]) -> list[Row]:
        """Execute through libpq itself: a cursor would cost several times what the database takes.

        The server plans the statement once, since values travel apart from the text.
        """
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        given = zip(self._names, zip(*rows, strict=True), strict=True) if rows else ((name, ()) for name in self._names)
        words: dict[str, str | None] = {name: _array(column) for name, column in given}
        words |= {name: _word(value) for name, value in values.items()}
        with connection.wrap_database_errors:
            if self._number not in _prepared.get(raw, ()):
                self._prepare(raw, values)
            parameters: list[Any] = [None if (word := words[name]) is None else word.encode() for name in self._places]
            _begin(raw)
            result = raw.pgconn.exec_prepared(self._number, parameters, None, Format.BINARY)
            _check(raw, result)
            if result.status != ExecStatus.TUPLES_OK:
                return []
            loading = Transformer(raw)
            loading.set_pgresult(result, format=Format.BINARY)
            return loading.load_rows(0, result.ntuples, tuple)

    def _prepare(self, raw: "psycopg.Connection[Any]", values: dict[str, Any]) -> None:
        if raw not in _prepared:  # else it would weigh a new plan each time, at the price of the statement itself
            _check(raw, raw.pgconn.exec_(b"SET plan_cache_mode = force_generic_plan"))
            _prepared[raw] = set()
        _begin(raw)
        kinds = [_KINDS.get(type(values.get(name)), 0) for name in self._places]  # 0: as the text says
        _check(raw, raw.pgconn.prepare(self._number, self._postgresql, kinds))
        _prepared[raw].add(self._number)


def moment(value: datetime | str) -> datetime:
    """Return a time that a statement returned: SQLite gives it as it keeps it, in UTC without saying so."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _begin(raw: "psycopg.Connection[Any]") -> None:
    """Begin a transaction where one is due, as a cursor would."""
    if not raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE:
        _check(raw, raw.pgconn.exec_(b"BEGIN"))


def _check(raw: "psycopg.Connection[Any]", result: Any) -> None:
    """Raise psycopg's error for a result that is one."""
    if result.status in _DONE:
        return
    if raw.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is lost")
    raise psycopg.errors.error_from_result(result)


def _array(column: Iterable[Any]) -> str:
    return f"{{{','.join(map(_element, column))}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    return str(_word(value))


def _word(value: Any) -> str | None:
    """Return a value as PostgreSQL reads it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot travel to the database")


def _as_sqlite_keeps_it(value: Any) -> str:
    if isinstance(value, datetime):
        return str(connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value(value))
    raise TypeError(f"{type(value).__name__} cannot travel to the database")

"""A question to the database whose text is made once and then asked again with other values.

Making the text of a claim's question takes Django longer than the database takes to answer it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Question:
    """The question of a queryset of value lists that depends on nothing but the values with which it is asked.

    `marks` stand for these values while the text is made: for each name one that the question means nowhere else.
    """

    def __init__(self, rows: "Callable[..., QuerySet[Any, Any]]", **marks: Any) -> None:
        self._text, values = rows(**marks).query.sql_with_params()
        adapted = [(_adapted(mark), name) for name, mark in marks.items()]
        self._values = [(value, next((name for mark, name in adapted if mark == value), "")) for value in values]

    def ask(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of the answer, as the database's driver gives them."""
        given = {name: _adapted(value) for name, value in values.items()}
        with connection.cursor() as cursor:
            cursor.execute(self._text, [given[name] if name else value for value, name in self._values])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value

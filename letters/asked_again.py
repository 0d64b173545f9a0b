"""A question to the database whose text is made once and then asked again at another time.

Making the text of a claim's question takes Django longer than the database takes to answer it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_MARK = datetime(1970, 1, 1, tzinfo=UTC)  # stands for the time of asking: no question means this one


class Question:
    """The question of a queryset of value lists that depends on nothing but the time at which it is asked."""

    def __init__(self, rows: "Callable[[datetime], QuerySet[Any, Any]]") -> None:
        self._text, values = rows(_MARK).query.sql_with_params()
        mark = connection.ops.adapt_datetimefield_value(_MARK)
        self._values = [(value, value == mark) for value in values]

    def ask(self, now: datetime) -> list[tuple[Any, ...]]:
        """Return the rows of the answer, as the database's driver gives them."""
        at = connection.ops.adapt_datetimefield_value(now)
        with connection.cursor() as cursor:
            cursor.execute(self._text, [at if is_time else value for value, is_time in self._values])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

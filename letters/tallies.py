"""The counts that statistics read: kept with each move, in its transaction, one statement per batch.

They are spread over shards, so that processes counting at once do not wait for each other's rows.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from letters.models import DeliveryTally, HourTally

SHARDS = 16
Cell = tuple[int, int, int, str, bool, int]  # campaign, ask, target, state, tried, feedback
HourCell = tuple[int, int, datetime, str]  # campaign, ask, hour, measure
_CHUNK = 1000


def count(cells: Mapping[Cell, int]) -> None:
    """Add changes to the number of deliveries that stand where."""
    _add(DeliveryTally, ("campaign_id", "ask_id", "target_id", "state", "tried", "feedback"), cells)


def count_hours(cells: Mapping[HourCell, int]) -> None:
    """Add changes to what happened in an hour."""
    _add(HourTally, ("campaign_id", "ask_id", "hour", "measure"), cells)


def hour_of(at: datetime) -> datetime:
    """Return the full hour in which something happened."""
    return at.replace(minute=0, second=0, microsecond=0)


def _add(
    model: type[DeliveryTally] | type[HourTally], columns: tuple[str, ...], cells: Mapping[Any, int]
) -> None:
    """Add to tallies, in one statement; sorted, so that two processes never wait for each other in a ring."""
    shard = os.getpid() % SHARDS
    rows = sorted((*cell, shard, change) for cell, change in cells.items() if change)
    adapt = connection.ops.adapt_datetimefield_value
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        names = (*columns, "shard")
        values = ", ".join(["(" + ", ".join(["%s"] * (len(names) + 1)) + ")"] * len(part))
        table = model._meta.db_table  # noqa: SLF001  Django's documented way to a table's name
        sql = (
            f"INSERT INTO {table} ({', '.join(names)}, count) VALUES {values} "  # noqa: S608  names of our own
            f"ON CONFLICT ({', '.join(names)}) DO UPDATE SET count = {table}.count + excluded.count"
        )
        flat = [adapt(value) if isinstance(value, datetime) else value for row in part for value in row]
        with connection.cursor() as cursor:
            cursor.execute(sql, flat)

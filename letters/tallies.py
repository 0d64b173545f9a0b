"""The counts that statistics read: kept with each move, in its transaction, one statement per batch.

They are spread over shards, so that processes counting at once do not wait for each other's rows.
"""

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from letters.given import Statement

SHARDS = 16
Cell = tuple[int, int, int, str, bool, int]  # campaign, ask, target, state, tried, feedback
HourCell = tuple[int, int, datetime, str]  # campaign, ask, hour, measure


def count(cells: Mapping[Cell, int]) -> None:
    """Add changes to the number of deliveries that stand where."""
    _add(_COUNT, cells)


def count_hours(cells: Mapping[HourCell, int]) -> None:
    """Add changes to what happened in an hour."""
    _add(_COUNT_HOURS, cells)


def shard() -> int:
    """Return the shard in which this thread counts.

    A recorder counts several times before it commits, so in no order that others could keep. Where a worker's jobs run
    in threads beside it, it has the main thread; they count elsewhere, or they would wait for each other in a ring.
    """
    is_beside = threading.current_thread() is not threading.main_thread()
    return (os.getpid() + is_beside * SHARDS // 2) % SHARDS


def hour_of(at: datetime) -> datetime:
    """Return the full hour in which something happened."""
    return at.replace(minute=0, second=0, microsecond=0)


def _add(statement: Statement, cells: Mapping[Any, int]) -> None:
    """Add to tallies, in one statement; sorted, so that two processes never wait for each other in a ring."""
    rows = sorted((*cell, change) for cell, change in cells.items() if change)
    if rows:
        statement(rows, shard=shard())


_COUNT = Statement(
    """
    INSERT INTO letters_deliverytally AS kept
        (campaign_id, ask_id, target_id, state, tried, feedback, shard, count)
    SELECT g_campaign, g_ask, g_target, g_state, g_tried, g_feedback, %(shard)s, g_change FROM {given} WHERE true
    ON CONFLICT (campaign_id, ask_id, target_id, state, tried, feedback, shard)
        DO UPDATE SET count = kept.count + excluded.count
    """,
    g_campaign="bigint", g_ask="bigint", g_target="bigint", g_state="text", g_tried="boolean", g_feedback="int",
    g_change="bigint",
)  # fmt: skip
_COUNT_HOURS = Statement(
    """
    INSERT INTO letters_hourtally AS kept (campaign_id, ask_id, hour, measure, shard, count)
    SELECT g_campaign, g_ask, g_hour, g_measure, %(shard)s, g_change FROM {given} WHERE true
    ON CONFLICT (campaign_id, ask_id, hour, measure, shard) DO UPDATE SET count = kept.count + excluded.count
    """,
    g_campaign="bigint", g_ask="bigint", g_hour="timestamptz", g_measure="text", g_change="bigint",
)  # fmt: skip

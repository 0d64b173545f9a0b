"""System checks with stable ids: what the guarantee needs of its databases."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register(Tags.database)
def durable_commits(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """postbag.E001: a confirmed letter must survive a crash, so commits must reach the disk."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
                fsync, synchronous_commit = cursor.fetchone() or ("", "")
            durable = fsync == "on" and synchronous_commit not in {"off", "local"}
        else:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous")
                durable = (cursor.fetchone() or (0,))[0] >= 2
        if not durable:
            found.append(
                Error(
                    "The database may forget commits in a crash.",
                    hint="Set fsync=on and synchronous_commit=on (PostgreSQL), synchronous=FULL (SQLite).",
                    id="postbag.E001",
                )
            )
    return found

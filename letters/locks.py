"""Locks that hold until the transaction ends, where a row to lock does not exist yet."""

from django.db import connection


def of_address(hashed: bytes) -> None:
    """Let one transaction at a time decide about mail to this address; call it inside a transaction.

    PostgreSQL needs an advisory lock; SQLite's IMMEDIATE transactions already write one after the other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(hashed[:8], "big", signed=True)])

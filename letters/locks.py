"""Locks that hold until the transaction ends: where a row to lock does not exist yet, and where a worker holds it."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

TRIES_AFTER = (0.05, 0.2, 0.6, 1.2)  # seconds
# Shorter than PostgreSQL looks for deadlocks (1 s): where a worker and we wait for each other, we give way, never it.
_PATIENCE = "SET LOCAL lock_timeout = '400ms'"
_TAKEN = {"55P03", "40P01"}  # the lock could not be had in time; a deadlock
T = TypeVar("T")


class Taken(Exception):
    """Somebody else holds the rows for longer than we wait; nothing was changed."""

    code = "taken"
    sentence = "These letters are in use at the moment. Please try again."


def of_address(hashed: bytes) -> None:
    """Let one transaction at a time decide about mail to this address; call it inside a transaction.

    PostgreSQL needs an advisory lock; SQLite's IMMEDIATE transactions already write one after the other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(hashed[:8], "big", signed=True)])


def giving_way(deed: Callable[[], T], *, tries_after: tuple[float, ...] = TRIES_AFTER) -> T:
    """Do a deed in one transaction, and again where it would have to wait for a worker that waits for it.

    Workers commit several times a second and hold few rows, in an order of their own. Inside a transaction that began
    elsewhere the deed is done once, since that one's locks are not ours to let go. Raises Taken.
    """
    if connection.in_atomic_block:
        return deed()
    for wait in (*tries_after, None):
        try:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute(_PATIENCE)
                return deed()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in _TAKEN:
                raise
            if wait is None:
                raise Taken(Taken.sentence) from error
            time.sleep(wait)
    raise AssertionError  # the last try returns or raises

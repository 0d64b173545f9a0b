"""F28 at the size of the gate, on the kind of database that the tests use."""

import os

import pytest

from tests.faults import restore
from tests.faults.installations import on_postgresql, on_sqlite

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.either_pair]
KIND = on_postgresql if os.environ.get("DATABASE_URL", "").startswith("postgres") else on_sqlite


def test_a_restored_backup_sends_nothing_and_what_is_released_arrives() -> None:
    restore.restored(KIND, 2, "gate")  # its worker is killed


def test_a_running_worker_notices_that_its_database_is_another() -> None:
    restore.underfoot(KIND, 1, "gate")


def test_a_copy_sends_nothing_while_the_original_sends_all() -> None:
    restore.copied(KIND, 1, "gate")

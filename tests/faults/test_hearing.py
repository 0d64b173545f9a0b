"""F20, F21 and F23 at the size of the gate, on the kind of database that the tests use."""

import os

import pytest

from tests.faults import hooks, inbound

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.either_pair]
KIND = "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"


def test_webhooks_told_again_in_any_order_come_to_one_result() -> None:
    found = hooks.replayed(KIND, 1, "gate")
    assert found["results"] == 1
    assert found["events"] == 200 * 5 * 3


def test_forged_webhooks_change_nothing() -> None:
    found = hooks.forged(KIND, 1, "gate")
    assert (found["forged"], found["changed"]) == (9, 0)


def test_mail_that_comes_back_is_believed_for_its_name_alone_and_never_answered() -> None:
    assert inbound.came_back(KIND, 1, "gate")["answers"] == 0

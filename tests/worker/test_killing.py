"""A worker process that is killed again and again in the middle of its work loses nothing."""

import json
import random
import time
from pathlib import Path

import pytest

from tests.worker.faulty_server import Act, FaultyServer, Moment, says
from tests.worker.processes import environment, manage, python, started, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.slow]
LETTERS, TARGETS, KILLS, LINES = 100, 3, 8, 4

WRITE = f"""
from tests import cast
from tests.letters import deeds
from unittest import mock
with mock.patch("worker.doorbell.ring"):
    ask = cast.the_ask(cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice")))
    for number in range({LETTERS}):
        deeds.a_confirmed_letter(ask, email=f"dana.{{number}}@mail.example")
from letters.models import Notice
Notice.objects.all().delete()
"""
HURRY = """
from django.utils import timezone
from letters.models import Delivery
Delivery.objects.filter(state="queued").update(due_at=timezone.now())
"""
LEDGER = """
import json
from letters.models import Delivery
from letters import tokens
rows = Delivery.objects.values_list("pk", "state", "ambiguous", "digest")
print(json.dumps({tokens.reference(pk): [state, ambiguous, digest] for pk, state, ambiguous, digest in rows}))
"""


def test_a_worker_killed_in_the_middle_loses_nothing_and_copies_only_what_it_recorded(tmp_path: Path) -> None:
    """Deliveries sent: all. Copies of each: at most one more than its unclear endings. Tallies: exact."""
    drawn = random.Random(16)  # noqa: S311  any numbers do, if they are the same each time

    def slow_yes(moment: Moment) -> Act | None:
        return says("250 taken", after=0.02) if moment.point == "dot" else None

    with FaultyServer(slow_yes) as server:
        env = environment(
            tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{server.port}", LEASE_SECONDS="3", BACKOFF_PERCENT="1",
            CONNECTIONS=str(LINES), LOG_LEVEL="WARNING",
        )  # fmt: skip
        log = tmp_path / "log"
        assert manage("migrate", "--verbosity", "0", env=env).returncode == 0
        python(WRITE, env=env)
        kills = 0
        for _ in range(KILLS):
            before = server.dots
            with started("deliver", env=env, log=log) as worker:
                wait_until(lambda before=before: server.dots > before, seconds=20)  # type: ignore[misc]
                time.sleep(drawn.uniform(0, 0.25))
                assert worker.poll() is None
                worker.kill()
                worker.wait(5)
                kills += 1
            if len(server.copies()) >= LETTERS * TARGETS - 3 * LINES:
                break
        assert kills >= 3, "it was killed too late, too often: this test tested nothing"
        with started("deliver", env=env, log=log) as worker:
            wait_until(lambda: _all_ended(env), seconds=40)
            worker.terminate()
            assert worker.wait(10) == 0, log.read_text()
        rows = json.loads(python(LEDGER, env=env))

    assert {state for state, _, _ in rows.values()} <= {"sent", "uncertain"}
    copies = server.copies()
    assert set(copies) == set(rows), "nothing lost, nothing foreign"
    assert {reference: n for reference, n in copies.items() if n > 1 + rows[reference][1]} == {}
    extra = sum(copies.values()) - len(copies)
    assert extra <= sum(ambiguous for _, ambiguous, _ in rows.values()) <= kills * LINES
    assert {(letter.delivery, letter.digest) for letter in server.taken} == {
        (reference, digest) for reference, (_, _, digest) in rows.items()
    }, "all copies of one delivery are the same bytes"
    recount = manage("recount", env=env)
    assert recount.returncode == 0, recount.stderr
    assert "Traceback" not in log.read_text()


def _all_ended(env: dict[str, str]) -> bool:
    states = {state for state, _, _ in json.loads(python(HURRY + LEDGER, env=env)).values()}
    return states <= {"sent", "uncertain"}

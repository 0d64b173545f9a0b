"""A worker's first look at the database."""

import signal
from pathlib import Path

import pytest
from django.core.management.base import BaseCommand
from django.db import OperationalError

from config.supervisor.ports import free_port
from tests.worker.processes import environment, started, wait_until
from worker import starting


class Command(BaseCommand):
    """Finds the database away so many times."""

    def __init__(self, *, away: int) -> None:
        super().__init__()
        self.away = away
        self.asked: list[tuple[object, object]] = []

    def check(self, *_args: object, tags: object = None, databases: object = None, **_options: object) -> None:
        """Note what was asked for."""
        self.asked.append((tags, databases))
        if len(self.asked) <= self.away:
            raise OperationalError("connection refused\nIs the server running?")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "AGAIN_AFTER", 0.0)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_restarts_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    command = Command(away=2)
    starting.check_database(command)
    assert command.asked == [(["database"], ["default"])] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "the database is away (connection refused); looking again"
    ] * 2


@pytest.mark.django_db(transaction=True)
def test_one_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "AWAY_FOR", -1.0)
    with pytest.raises(OperationalError):
        starting.check_database(Command(away=1))


@pytest.mark.servers
@pytest.mark.parametrize("command", ["deliver", "work"])
def test_a_worker_that_starts_before_its_database_stays(tmp_path: Path, command: str) -> None:
    nobody_there = f"postgres://postbag:secret@127.0.0.1:{free_port()}/postbag"
    log = tmp_path / "log"
    with started(command, env=environment(tmp_path, DATABASE_URL=nobody_there), log=log) as worker:
        wait_until(lambda: log.read_text().count("the database is away") >= 2, seconds=30)
        worker.send_signal(signal.SIGUSR1)
        wait_until(lambda: "most recent call first" in log.read_text(), seconds=10)
        assert worker.poll() is None, "who asks where it stands does not end it"
    assert "Traceback" not in log.read_text()
    assert "secret" not in log.read_text()

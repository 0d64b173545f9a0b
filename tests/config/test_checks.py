"""A worker does not start on a database that may forget what it confirmed."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import override_settings

from config import checks, env, providers
from tests.worker.processes import environment, manage
from worker.management.commands import deliver, work


@pytest.mark.django_db
def test_our_own_database_keeps_its_commits() -> None:
    """SQLite with synchronous=FULL, PostgreSQL as it comes."""
    assert checks.durable_commits(databases=["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_may_forget_commits_is_postbag_e001() -> None:
    """The setting, and the cure in the hint."""
    weak, strong = (
        ("SET synchronous_commit = off", "RESET synchronous_commit")
        if connection.vendor == "postgresql"
        else ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL")
    )
    with connection.cursor() as cursor:
        cursor.execute(weak)
    try:
        (found,) = checks.durable_commits(databases=["default"])
        for command in (deliver.Command(), work.Command()):
            with pytest.raises(SystemCheckError, match=r"postbag\.E001"):
                command.handle()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(strong)
    assert found.id == "postbag.E001"
    assert found.hint is not None
    assert "synchronous" in found.hint


@pytest.mark.parametrize(
    ("fsync", "commit", "durable"),
    [("on", "on", True), ("on", "remote_apply", True), ("on", "remote_write", True), ("on", "off", False),
     ("on", "local", False), ("off", "on", False)],
)  # fmt: skip
def test_each_setting_of_postgresql_is_judged(
    monkeypatch: pytest.MonkeyPatch, fsync: str, commit: str, durable: bool
) -> None:
    """Without a server at hand."""

    class Cursor:
        def __enter__(self) -> "Cursor":
            return self

        def __exit__(self, *_facts: object) -> None:
            pass

        def execute(self, sql: str) -> None:
            assert "fsync" in sql

        def fetchone(self) -> tuple[str, str]:
            return fsync, commit

    class Connection:
        vendor = "postgresql"

        def cursor(self) -> Cursor:
            return Cursor()

    connections: dict[str, Any] = {"default": Connection()}
    monkeypatch.setattr(checks, "connections", connections)
    assert (checks.durable_commits(databases=["default"]) == []) is durable


def test_no_database_is_asked_where_none_is_named() -> None:
    """`manage.py check` must work while the database is away."""
    assert checks.durable_commits(databases=None) == []


@pytest.mark.slow
def test_a_worker_on_a_strong_database_starts(tmp_path: Path) -> None:
    """The refusal above is the check's, not the command's."""
    env = environment(tmp_path, EMAIL_URL="smtp://127.0.0.1:1")
    assert manage("migrate", "--verbosity", "0", env=env).returncode == 0
    done = manage("deliver", "--once", env=env)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("address", "where"), [
    (env.MailServerAddress("mail.office.example", 25, "plain", "us", "secret"), "mail.office.example"),
    (env.MailServerAddress("mail.office.example", 587, "starttls", "us", "secret"), ""),
    (env.MailServerAddress("mail.office.example", 25, "plain"), ""),
    (env.MailServerAddress("127.0.0.1", 25, "plain", "us", "secret"), ""),
    (providers.read("EMAIL_URL", "anymail+mailgun://:key@/?api_url=http://api.example/"), "api.example"),
    (providers.read("EMAIL_URL", "anymail+mailgun://:key@/?api_url=http://127.0.0.1:1/"), ""),
    (providers.read("EMAIL_URL", "anymail+mailgun://:key@/"), ""),
])  # fmt: skip
def test_a_password_that_would_leave_this_machine_in_the_clear_is_postbag_w002(address: Any, where: str) -> None:
    """The password itself is not said."""
    with override_settings(MAIL_SERVER=address, SUPPORTER_MAIL_SERVER=env.MailServerAddress("127.0.0.1", 25, "plain")):
        found = checks.secrets_under_way()
    expected = [("postbag.W002", True, False)] if where else []
    assert [(one.id, where in one.msg, "secret" in one.msg) for one in found] == expected

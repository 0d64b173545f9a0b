"""Servers that keep our lines waiting, or will not have them: others go on, and nobody is knocked at too often."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from campaigns.models import Ask
from config.env import MailServerAddress
from letters import instance, notices, outbox
from letters.models import Delivery, Notice
from tests.letters import deeds
from tests.worker.faulty_server import Act, FaultyServer, Moment, at, says
from worker import automatic_mail, lines, supporter_mail
from worker.engine import Drained, Engine
from worker.loop import Loop
from worker.transports import LineDown
from worker.transports.smtp import Server, connected
from worker.transports.wires import Wires

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
STUCK = "northland.example"
SHORT_WAIT = 20.0  # seconds after which the one that keeps us waiting gives up, and the test has failed


@pytest.fixture
def waiting(ask: Ask) -> list[int]:
    """Return thirty deliveries that are due to three domains; those to one of them first."""
    for number in range(10):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    Notice.objects.all().delete()
    stuck = Delivery.objects.filter(address__domain=STUCK)
    stuck.update(due_at=F("due_at") - timedelta(hours=1))
    return list(stuck.values_list("pk", flat=True))


def drain(server: FaultyServer, *, lines: int = 2) -> Drained:
    """Send all that is due."""
    assert instance.may_send(now=timezone.now())
    carrier = Wires(lambda: connected(Server("127.0.0.1", server.port)), connections=lines)
    try:
        return Engine(carrier, stop=threading.Event()).drain()
    finally:
        carrier.close()


class Stuck:
    """A script by which one domain's dots are answered only when all that is for others has been taken."""

    def __init__(self, server: FaultyServer, others: int) -> None:
        self.others_were_first: list[bool] = []
        self._server, self._others = server, others
        self._to: dict[int, bytes] = {}  # by connection

    def __call__(self, moment: Moment) -> Act | None:
        """Wait, at the dots of the one."""
        if moment.point == "rcpt":
            self._to[moment.connection] = moment.said
        if moment.point == "dot" and STUCK.encode() in self._to[moment.connection]:
            until = time.monotonic() + SHORT_WAIT
            while not self._is_done() and time.monotonic() < until and all(self.others_were_first):
                time.sleep(0.01)
            self.others_were_first.append(self._is_done())
        return None

    def _is_done(self) -> bool:
        return sum(not letter.to.endswith(STUCK) for letter in self._server.taken) >= self._others


@pytest.fixture
def stuck(waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    """Have a domain that keeps its one line waiting, and claims so small that the first takes its letters alone."""
    real = outbox.claim
    monkeypatch.setattr(outbox, "claim", lambda *, limit, **how: real(limit=min(limit, 6), **how))
    server.script = script = Stuck(server, others=20)
    with override_settings(CONNECTIONS_PER_DOMAIN=1):
        yield script


def test_a_domain_that_keeps_its_line_waiting_keeps_no_other_letter_from_being_claimed(
    stuck: Stuck, server: FaultyServer
) -> None:
    assert drain(server) == Drained(sent=30)
    assert all(stuck.others_were_first)
    assert set(server.copies().values()) == {1}


def test_no_more_is_claimed_for_a_domain_that_has_enough_waiting(
    stuck: Stuck, waiting: list[int], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.waiting.HELD_UP_AFTER", 0.0)
    most = 0
    real = Engine._claim

    def claim(self: Engine) -> None:
        nonlocal most
        real(self)
        if not any(stuck.others_were_first):
            most = max(most, Delivery.objects.filter(pk__in=waiting, state="sending").count())

    monkeypatch.setattr(Engine, "_claim", claim)
    drain(server)
    assert 0 < most <= 6, "the other four are left to other workers"


@pytest.mark.parametrize(
    ("ready", "waits", "free", "needs"),
    [(64, 64, 4, False), (63, 63, 0, True), (10, 599, 0, True), (10, 600, 0, False), (10, 600, 1, True)],
)
def test_more_is_claimed_where_lines_might_run_dry_and_not_behind_busy_ones(
    monkeypatch: pytest.MonkeyPatch, ready: int, waits: int, free: int, *, needs: bool
) -> None:
    """600 are what a claim takes at most: behind lines that are all busy, more would only part the domains."""
    carriage = SimpleNamespace(lines=32, ready=ready, waiting=waits, free=free)
    engine = Engine.__new__(Engine)
    monkeypatch.setattr(engine, "_carriage", carriage, raising=False)
    assert engine._needs_more() is needs


def test_a_database_that_is_away_for_a_moment_ends_no_drain(
    stuck: Stuck, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    few: Callable[..., Any] = outbox.claim
    calls = 0

    def claim(**given: Any) -> outbox.Claim:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OperationalError("away")
        claimed: outbox.Claim = few(**given)
        return claimed

    monkeypatch.setattr(outbox, "claim", claim)
    assert drain(server) == Drained(sent=30)
    assert all(stuck.others_were_first)


def test_a_server_that_will_not_have_us_is_not_knocked_at_again_at_once(
    waiting: list[int], server: FaultyServer
) -> None:
    """The recorder may need half a second to notice."""
    server.script = at("banner", says("421 4.3.2 busy", hangs_up=True))
    down = drain(server, lines=4)
    assert down.line_down
    assert server.connections <= 4


def test_mail_to_supporters_and_letters_to_targets_do_not_wait_for_each_other(ask: Ask, server: FaultyServer) -> None:
    """A confirmation leaves while a letter's line is held up, and a letter while a confirmation's is."""
    with FaultyServer() as other:
        released = threading.Event()
        server.script = other.script = lambda moment: (
            None if moment.point != "dot" or released.wait(SHORT_WAIT) else Act()
        )
        deeds.a_confirmed_letter(ask)
        Notice.objects.all().delete()
        deeds.an_awaiting_letter(ask, email="erik@mail.example")
        with override_settings(
            MAIL_SERVER=MailServerAddress("127.0.0.1", server.port, "plain"), CONNECTIONS=2,
            SUPPORTER_MAIL_SERVER=MailServerAddress("127.0.0.1", other.port, "plain"),
        ):  # fmt: skip
            running = Loop()
            thread = threading.Thread(target=running.run)
            thread.start()
            until = time.monotonic() + SHORT_WAIT / 2
            while (not server.in_data or not other.in_data) and time.monotonic() < until:
                time.sleep(0.01)
            both = bool(server.in_data and other.in_data)
            released.set()
            running.stop()
            thread.join(SHORT_WAIT)
    assert not thread.is_alive()
    assert both, "both were under way at once"


def test_a_slow_server_for_supporters_gets_no_mail_twice(
    ask: Ask, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is claimed goes back before the claim runs out."""
    for number in range(3):
        deeds.an_awaiting_letter(ask, email=f"erik.{number}@mail.example")
    monkeypatch.setattr(automatic_mail, "LONGEST_BATCH", 0.0)
    claimed: list[int] = []
    real = notices.claim

    def claim(*, limit: int, now: datetime) -> list[Notice]:
        batch = real(limit=limit, now=now)
        claimed.append(len(batch))
        return batch

    monkeypatch.setattr(notices, "claim", claim)
    with override_settings(SUPPORTER_MAIL_SERVER=MailServerAddress("127.0.0.1", server.port, "plain")):
        line = lines.to_supporters()
        assert supporter_mail.send_due(line) == 3
        line.close()
    assert claimed == [3, 2, 1, 0]
    assert sorted(letter.to for letter in server.taken) == [f"erik.{number}@mail.example" for number in range(3)]
    assert set(Notice.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_mail_to_supporters_does_not_keep_a_worker_that_is_asked_to_end(ask: Ask, server: FaultyServer) -> None:
    """What has left is recorded, and what has not goes back to whoever works next."""
    for number in range(3):
        deeds.an_awaiting_letter(ask, email=f"erik.{number}@mail.example")
    with override_settings(SUPPORTER_MAIL_SERVER=MailServerAddress("127.0.0.1", server.port, "plain")):
        line = lines.to_supporters()
        assert supporter_mail.send_due(line, is_stopping=lambda: len(server.taken) > 0) == 1
        line.close()
    assert sorted(Notice.objects.values_list("state", "attempts")) == [("queued", 0), ("queued", 0), ("sent", 1)]


def test_a_server_that_goes_away_after_a_mail_to_supporters_has_taken_that_one(ask: Ask, server: FaultyServer) -> None:
    """The others go back as if they had never been tried; who finds the server away from the start is told so."""
    for number in range(3):
        deeds.an_awaiting_letter(ask, email=f"erik.{number}@mail.example")

    def leaves_after_the_first(moment: Moment) -> Act | None:
        if moment.point == "dot":
            return says("250 taken", hangs_up=True)
        return says("554 closed") if moment.point == "banner" and server.taken else None

    server.script = leaves_after_the_first
    with override_settings(SUPPORTER_MAIL_SERVER=MailServerAddress("127.0.0.1", server.port, "plain")):
        line = lines.to_supporters()
        assert supporter_mail.send_due(line) == 1
        with pytest.raises(LineDown):
            supporter_mail.send_due(line)
        line.close()
    assert sorted(Notice.objects.values_list("state", "attempts")) == [("queued", 0), ("queued", 0), ("sent", 1)]

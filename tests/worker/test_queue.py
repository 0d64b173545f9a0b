"""The doorbell over a real broker: what stands in it, what rings, and what happens when it is away."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.test import override_settings

from config.supervisor import broker
from tests.worker.faulty_server import FaultyServer
from tests.worker.processes import environment, manage, python, started, wait_until
from worker import doorbell
from worker.management.commands.work import Doorman

pytestmark = pytest.mark.servers
CAMPAIGN = """
from tests import cast
cast.an_open_campaign(cast.a_member(cast.an_organisation(), "Alice"))
"""
WRITE = """
from campaigns.models import Campaign
from tests import cast
from tests.letters import deeds
import uuid
deeds.a_confirmed_letter(cast.the_ask(Campaign.objects.get()), email=f"dana.{uuid.uuid4().hex}@mail.example")
"""


class Broker:
    """A real Valkey on a Unix socket, which a test may start, kill and empty."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.socket = directory, broker.socket_path(directory)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        broker.clear(self.directory, self.socket)
        self.process = subprocess.Popen(
            broker.command(self.directory, self.socket), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: broker.answers(self.socket), seconds=10)

    def kill(self) -> None:
        """End it without a chance to save anything."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(5)

    def client(self) -> redis.Redis:
        """Return a client of its own."""
        return redis.Redis(unix_socket_path=str(self.socket))

    def dump(self) -> str:
        """Return every key with all it holds."""
        with self.client() as client:
            lines = []
            for key in sorted(client.keys("*")):
                kind = client.type(key)
                value: object = {
                    b"string": client.get, b"hash": client.hgetall, b"set": client.smembers,
                    b"list": lambda k: client.lrange(k, 0, -1), b"zset": lambda k: client.zrange(k, 0, -1),
                    b"stream": client.xrange,
                }[kind](key)  # fmt: skip
                lines.append(f"{key!r} {value!r}")
            return "\n".join(lines)


@pytest.fixture
def a_broker(tmp_path: Path) -> Iterator[Broker]:
    """Return a running broker."""
    made = Broker(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def a_data_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what an installation with a campaign keeps on disk; to be copied."""
    place = tmp_path_factory.mktemp("installation")
    made = environment(place, LOG_LEVEL="WARNING")
    done = manage("migrate", "--verbosity", "0", env=made)
    assert done.returncode == 0, done.stderr
    python(CAMPAIGN, env=made)
    return place


@pytest.fixture
def env(tmp_path: Path, a_data_directory: Path, a_broker: Broker, server: FaultyServer) -> dict[str, str]:
    """Return the environment of an installation: a database with a campaign, this broker, a mail server."""
    shutil.copytree(a_data_directory, tmp_path, dirs_exist_ok=True)
    return environment(
        tmp_path,
        REDIS_URL=f"unix://{a_broker.socket}",
        EMAIL_URL=f"smtp://127.0.0.1:{server.port}",
        LOG_LEVEL="WARNING",
    )


@pytest.fixture
def our_queue(a_broker: Broker) -> Iterator[None]:
    """Let this process ring at the broker."""
    with override_settings(RQ_QUEUES=_queues(a_broker)):
        _forget_queues()
        yield
    _forget_queues()


def _queues(a_broker: Broker) -> dict[str, dict[str, object]]:
    from django.conf import settings  # noqa: PLC0415

    return {"postbag": {**settings.RQ_QUEUES["postbag"], "URL": f"unix://{a_broker.socket}"}}


def _forget_queues() -> None:
    from django_rq import settings as kept  # noqa: PLC0415

    if hasattr(kept, "get_queues_map"):
        getattr(kept.get_queues_map, "cache_clear", lambda: None)()


def delivered(server: FaultyServer) -> int:
    """Return how many letters to targets arrived."""
    return len(server.copies().keys() - {""})  # without the mail that asks a supporter to confirm


@pytest.mark.usefixtures("our_queue")
def test_a_thousand_rings_leave_one_job_that_says_nothing_about_anybody(a_broker: Broker) -> None:
    """JSON, a fixed description, no arguments."""
    os.environ.pop("RQ_JOB_ID", None)
    from worker.doorbell import ring  # noqa: PLC0415

    for _ in range(1000):
        ring()
    with a_broker.client() as client:
        assert client.lrange("rq:queue:postbag", 0, -1) == [b"ring"]
        job = client.hgetall("rq:job:ring")
    assert json.loads(zlib.decompress(job[b"data"])) == ["worker.jobs.deliver", None, [], {}]
    assert job[b"description"] == b"ring"


@pytest.fixture(autouse=True)
def _no_bell() -> None:
    """Let the bell ring: it is what is tested here."""


def test_a_ring_never_raises_and_never_waits_long(
    a_broker: Broker, our_queue: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that is away costs one sweep, and one line in the log; one that hangs costs seconds at most."""
    a_broker.kill()
    doorbell._said_at = float("-inf")
    begun = time.monotonic()
    for _ in range(3):
        doorbell.ring()
    assert time.monotonic() - begun < 6
    assert caplog.text.count("the broker is away") == 1


def test_a_confirmed_letter_rings_and_is_delivered_within_two_seconds(
    env: dict[str, str], a_broker: Broker, server: FaultyServer, tmp_path: Path
) -> None:
    """And the broker never learns what it is about."""
    with started("work", env=env, log=tmp_path / "log"):
        wait_until(lambda: b"rq:workers" in a_broker.client().keys("*"), seconds=20)
        python(WRITE, env=env)
        assert wait_until(lambda: delivered(server) == 3, seconds=10) < 2
        dump = a_broker.dump()
    assert "rq:worker" in dump
    for word in ("mail.example", "northland", "Dana", "dana", "strike", "Zhanaozen", "@"):
        assert word not in dump, word
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_a_broker_that_is_killed_or_emptied_costs_ten_seconds_and_no_letter(
    env: dict[str, str], a_broker: Broker, server: FaultyServer, tmp_path: Path
) -> None:
    """The pages still confirm, the loop still delivers, and the worker takes up with the broker again."""
    log = tmp_path / "log"
    with started("work", env=env, log=log) as worker:
        wait_until(lambda: b"rq:workers" in a_broker.client().keys("*"), seconds=20)
        a_broker.kill()
        python(WRITE, env=env)
        assert wait_until(lambda: delivered(server) == 3, seconds=15) <= 10
        a_broker.start()
        a_broker.client().flushall()
        python(WRITE, env=env)
        assert wait_until(lambda: delivered(server) == 6, seconds=15) <= 10
        time.sleep(7)  # longer than RQ's longest pause between two knocks
        assert worker.poll() is None, log.read_text()
        python(WRITE, env=env)
        assert wait_until(lambda: delivered(server) == 9, seconds=15) < 3
    assert {n for reference, n in server.copies().items() if reference} == {1}
    assert worker.returncode == 0, log.read_text()


def test_a_worker_started_without_a_broker_delivers_and_finds_it_when_it_comes(
    env: dict[str, str], a_broker: Broker, server: FaultyServer, tmp_path: Path
) -> None:
    """Which of the two starts first does not matter."""
    a_broker.kill()
    log = tmp_path / "log"
    python(WRITE, env=env)
    with started("work", env=env, log=log) as worker:
        wait_until(lambda: delivered(server) == 3, seconds=15)
        assert worker.poll() is None, log.read_text()
        a_broker.start()
        wait_until(lambda: b"rq:workers" in a_broker.client().keys("*"), seconds=10)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert "the broker is away" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_worker_without_a_broker_ends_when_asked(env: dict[str, str], a_broker: Broker, tmp_path: Path) -> None:
    """By SIGTERM, while it knocks in vain."""
    a_broker.kill()
    log = tmp_path / "log"
    with started("work", env=env, log=log) as worker:
        wait_until(lambda: "the broker is away" in log.read_text(), seconds=20)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0, log.read_text()


@pytest.mark.usefixtures("our_queue")
def test_a_signal_that_was_swallowed_in_the_queue_s_code_ends_its_work_all_the_same() -> None:
    """RQ raises an exception out of its handler, which whatever was interrupted may catch."""
    stop = threading.Event()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    at_last = threading.Timer(15, os.kill, (os.getpid(), signal.SIGTERM))
    at_last.start()
    threading.Timer(0.5, stop.set).start()
    begun = time.monotonic()
    try:
        Doorman(stop, ttl=16).work(logging_level="CRITICAL")
        assert time.monotonic() - begun < 10
    finally:
        at_last.cancel()
        for number, handler in handlers.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_without_rq_delivers_and_ends_when_asked(
    env: dict[str, str], a_broker: Broker, server: FaultyServer, tmp_path: Path, number: signal.Signals
) -> None:
    """`manage.py deliver` needs no broker at all."""
    a_broker.kill()
    log = tmp_path / "log"
    python(WRITE, env=env)
    with started("deliver", env=env, log=log) as worker:
        wait_until(lambda: delivered(server) == 3, seconds=20)
        worker.send_signal(number)
        assert worker.wait(10) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_deliver_once_ends_when_nothing_is_due(env: dict[str, str], server: FaultyServer) -> None:
    """For cron, and for those who look over its shoulder."""
    python(WRITE, env=env)
    done = manage("deliver", "--once", env=env)
    assert (done.returncode, delivered(server)) == (0, 3), done.stderr


def test_the_clock_rings_what_recurs_without_arguments(env: dict[str, str], a_broker: Broker, tmp_path: Path) -> None:
    """As JSON: RQ's own cron would pickle, and writing to the broker would be running code."""
    with started("clock", env=env, log=tmp_path / "log"):
        wait_until(lambda: len(_queued(a_broker)) >= 4, seconds=30)
        assert sorted(str(call[0]) for call in _queued(a_broker)[:4]) == [
            "worker.jobs.expire", "worker.jobs.release", "worker.jobs.remind", "worker.jobs.sweep",
        ]  # fmt: skip
        assert all(call[1:] == [None, [], {}] for call in _queued(a_broker))
        assert "@" not in a_broker.dump()


def test_what_the_clock_rings_a_worker_does(env: dict[str, str], tmp_path: Path) -> None:
    """Drafts of 2011 have had their time: forgetting depends on the clock alone."""
    python("from campaigns.models import Campaign\nfrom tests import cast\nfrom tests.letters import deeds\n"
           "deeds.a_draft(cast.the_ask(Campaign.objects.get()))", env=env)  # fmt: skip
    log = tmp_path / "log"
    look = "from letters.models import Letter\nprint(*Letter.objects.values_list('stage', flat=True))"
    with started("work", env=env, log=log), started("clock", env=env, log=log):
        wait_until(lambda: python(look, env=env).split() == ["expired"], seconds=30)


def _queued(a_broker: Broker) -> list[list[object]]:
    with a_broker.client() as client:
        jobs = [client.hget(b"rq:job:" + name, "data") for name in client.lrange("rq:queue:postbag", 0, -1)]
    return [json.loads(zlib.decompress(data)) for data in jobs if data]

"""Goal 8: a provider's API with latency. One real worker process, the guarantee on, C connections.

`python -m bench.provider CONNECTIONS SECONDS LATENCY` prints deliveries a second beside what latency allows.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0  # seconds beyond what it should take
_TAKEN = b'{"id": "<n@provider.example>", "message": "Queued. Thank you."}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + str(len(_TAKEN)).encode() + b"\r\n\r\n"
) + _TAKEN
_FILL = """
import sys
from unittest import mock
from django.utils import timezone
from accounts.models import Organisation
from campaigns.demonstration import loading
from letters import notices, privacy, writing
from letters.models import Delivery, Notice
now = timezone.now()
with mock.patch("worker.doorbell.ring"):
    campaign = loading.load(
        organisation=Organisation.objects.create(name="Bench"), by=None, wrapped_key=privacy.new_wrapped_key(), now=now
    )
    ask = campaign.asks.order_by("pk").first()
    number = 0
    while Delivery.objects.count() < int(sys.argv[1]):
        number += 1
        letter = writing.begin(ask=ask, language="en", now=now, sentence=f"I am Жанар Łukasz {number}.")
        posted = {"name": f"Zoë Åkesson {number}", "town": "Łódź", "email": f"writer.{number}@mail.example"}
        writing.revise(letter, posted=posted, now=now)
        writing.submit(letter, now=now)
        writing.confirm_by_link(notices.open_confirmation(letter), chosen=None, now=now)
    Notice.objects.all().delete()
print(Delivery.objects.count())
"""
_RATE = """
from django.db.models import Count, Max, Min
from letters.models import Delivery
told = Delivery.objects.filter(state="sent").aggregate(n=Count("pk"), first=Min("sent_at"), last=Max("sent_at"))
print(told["n"], (told["last"] - told["first"]).total_seconds() if told["n"] else 0.0)
"""
_LEFT = "SELECT count(*) FROM letters_delivery WHERE state <> 'sent'"


def measure(connections: int, seconds: float, latency: float) -> float:
    """Return the deliveries a second that one worker process hands to a provider which answers after `latency` s.

    Counted from the first recorded delivery to the last, over about `seconds`, in a database of its own: in the
    cluster of DATABASE_URL where that names PostgreSQL, else SQLite. Raises RuntimeError where a delivery is not sent.
    """
    wanted = max(round(connections / latency * seconds), 2)
    with (
        tempfile.TemporaryDirectory(prefix="pb-bench-") as directory,
        _database() as database,
        _provider(latency) as url,
    ):
        env = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
            "POSTBAG_DATA": directory, "DATABASE_URL": database, "EMAIL_URL": f"anymail+mailgun://:key@/?api_url={url}",
            "CONNECTIONS": str(connections), "CONNECTIONS_PER_DOMAIN": "64", "WORKERS": "1", "HOOKS": "none",
            "SECRET_KEY": secrets.token_urlsafe(48), "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env)
        filled = int(_python(_FILL, env, str(wanted)))
        with _worker(env):
            _wait_until_sent(database, Path(directory), wanted / connections * latency + PATIENCE)
        count, took = _python(_RATE, env).split()
        if int(count) != filled:
            raise RuntimeError(f"{count} of {filled} deliveries were sent")
        return (filled - 1) / float(took)


def _wait_until_sent(database: str, directory: Path, seconds: float) -> None:
    """Look now and then, at little cost to what is measured."""
    until = time.monotonic() + seconds
    while _left(database, directory):
        if time.monotonic() > until:
            raise RuntimeError("the worker did not finish")
        time.sleep(1.0)


def _left(database: str, directory: Path) -> int:
    if database:
        with psycopg.connect(database, autocommit=True) as line:
            return int((line.execute(_LEFT).fetchone() or (0,))[0])
    with closing(sqlite3.connect(directory / "postbag.sqlite3", timeout=30)) as file:
        return int(file.execute(_LEFT).fetchone()[0])


@contextlib.contextmanager
def _database() -> Iterator[str]:
    """Yield the address of a new database beside the one of DATABASE_URL; "" for SQLite where that names none."""
    outside = os.environ.get("DATABASE_URL", "")
    if not outside.startswith("postgres"):
        yield ""
        return
    name = f"postbag_bench_{secrets.token_hex(4)}"
    with psycopg.connect(outside, autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload, unused-ignore]
    try:
        yield urlunsplit(urlsplit(outside)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(outside, autocommit=True) as line:
            line.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload, unused-ignore]


@contextlib.contextmanager
def _provider(latency: float) -> Iterator[str]:
    """Run the provider in a process of its own; yield its address."""
    command = [sys.executable, "-m", "bench.provider", "serve", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


@contextlib.contextmanager
def _worker(env: Mapping[str, str]) -> Iterator[None]:
    """Run one worker process; it is ended in an orderly way."""
    with subprocess.Popen([sys.executable, "manage.py", "deliver"], cwd=ROOT, env=dict(env)) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _python(code: str, env: Mapping[str, str], *arguments: str) -> str:
    return _run([sys.executable, "-c", "import django; django.setup()\n" + code, *arguments], env)


def _run(command: list[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


# ── the provider ─────────────────────────────────────────────────────────────────────────────────────────────


class _Api(asyncio.Protocol):
    """Answers each whole request with Mailgun's yes, after the latency."""

    latency = 0.1

    def __init__(self) -> None:
        self._unread = bytearray()
        self._line: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._line = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._unread[:end]).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self._unread) < end + 4 + length:
                return
            del self._unread[: end + 4 + length]
            asyncio.get_running_loop().call_later(self.latency, self._answer)

    def _answer(self) -> None:
        if self._line is not None:
            self._line.write(_ANSWER)


async def _serve(latency: float) -> None:
    _Api.latency = latency
    server = await asyncio.get_running_loop().create_server(_Api, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(arguments: list[str]) -> None:
    """Serve, or measure and print."""
    if arguments[0] == "serve":
        asyncio.run(_serve(float(arguments[1])))
        return
    connections, seconds, latency = int(arguments[0]), float(arguments[1]), float(arguments[2])
    rate, most = measure(connections, seconds, latency), connections / latency
    print(
        f"{connections} connections, {latency * 1000:.0f} ms: {rate:.1f} deliveries/s, {rate / most:.1%} of {most:.0f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

"""What can be started: each program's command, environment, and how one sees that it is ready."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.supervisor import broker, readiness

ROOT = Path(__file__).resolve().parents[2]
FINISHING_FOR = 30.0  # seconds a program gets to finish what is in flight
WEB_PROCESSES = 2
WEB_THREADS = 8


@dataclass(frozen=True)
class Program:
    """One process to keep running.

    `needed_first` programs start (and are ready) before the others and end after them. `is_ready` is asked
    until it says yes; None means: ready once it runs. `announces` drops the first line, written for machines;
    lines that hold one of the words `quiet_about` are dropped too. `explains` programs print where their threads stand
    at SIGUSR1: one that does not end in time is asked to, so that its log says why.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    needed_first: bool = False
    is_ready: Callable[[], bool] | None = None
    finishing_for: float = FINISHING_FOR
    announces: bool = False
    explains: bool = False
    quiet_about: tuple[str, ...] = ()
    prepare: Callable[[], None] | None = None  # what a predecessor left behind is cleared before each start


def broker_program(directory: Path, socket: Path, environment: Mapping[str, str]) -> Program:
    """Valkey on a Unix socket only; jobs survive a restart in an append-only file under `directory`/broker.

    Raises BrokerMissing where the wheel holds none for this machine.
    """
    return Program(
        "broker",
        broker.command(directory / "broker", socket),
        environment,
        needed_first=True,
        is_ready=lambda: broker.answers(socket),
        finishing_for=10.0,
        quiet_about=("overcommit_memory", "signal-handler", "ready to exit"),
        prepare=lambda: broker.clear(directory / "broker", socket),
    )


def mail_server_program(directory: Path, port: int, environment: Mapping[str, str]) -> Program:
    """The built-in mail server on 127.0.0.1:`port`; keeps what it receives in `directory`/postbox.sqlite3."""
    return Program(
        "mail server",
        [sys.executable, "-m", "postbox", "--data", str(directory), "--port", str(port)],
        environment,
        needed_first=True,
        is_ready=lambda: readiness.greets(port),
        announces=True,
    )


def web_program(host: str, port: int, environment: Mapping[str, str]) -> Program:
    """The pages on `host`:`port`, ready once /healthz answers."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Program(
        "web",
        [
            sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", address,
            "--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS),
            "--timeout", "60", "--graceful-timeout", "25", "--log-level", "warning", "--no-control-socket",
        ],
        environment,
        is_ready=lambda: readiness.healthy(host, port),
    )


def worker_program(number: int, environment: Mapping[str, str]) -> Program:
    """One process that carries letters to the mail server."""
    return Program(f"worker {number}", _manage("work"), environment, explains=True)


def clock_program(environment: Mapping[str, str]) -> Program:
    """The one process that starts what recurs."""
    return Program("clock", _manage("clock"), environment, finishing_for=10.0)


def receiver_program(environment: Mapping[str, str]) -> Program:
    """The one process that takes mail to MAIL_DOMAIN: bounces and answers."""
    return Program("receiver", _manage("receive"), environment)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]

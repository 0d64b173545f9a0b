"""Where a rehearsal takes place: a database, a broker and a mail server of its own, all on this machine."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config import env
from config.supervisor import broker, ports, programs
from config.supervisor.programs import Program

LEASE_SECONDS = 20
BACKOFF_PERCENT = 1  # a rehearsal does not wait a quarter of an hour for a second try


class NotThisMachine(Exception):
    """A rehearsal was pointed at a mail server elsewhere."""

    code = "not_this_machine"
    sentence = "A rehearsal sends to this machine only. Name a loopback address, such as --smtp 127.0.0.1:2525."


def receiving_server(text: str) -> env.MailServerAddress:
    """Read HOST:PORT; raises NotThisMachine for anything that is not a loopback address."""
    host, _, port = text.rpartition(":")
    server = env.MailServerAddress(
        host.strip("[]"), int(port) if port.isdecimal() and 0 < int(port) < 65536 else 0, "plain"
    )
    if not server.port or not server.is_loopback:
        raise NotThisMachine(NotThisMachine.sentence)
    return server


def settings_for(
    directory: Path, *, port: int, mail_port: int, smtp: str, paced: bool, outside: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment in which everything of the rehearsal runs."""
    inside = {name: value for name, value in outside.items() if not name.startswith(("EMAIL_URL", "SUPPORTER_EMAIL"))}
    inside |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REHEARSAL": "yes",
        "POSTBAG_DATA": str(directory),
        "POSTBAG_BROKER_SOCKET": str(broker.socket_path(directory)),
        "REDIS_URL": f"unix://{broker.socket_path(directory)}",
        "PORT": str(port),
        "BASE_URL": f"http://localhost:{port}",
        "POSTBOX_PORT": str(mail_port),
        "PACED": "yes" if paced else "no",
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "BACKOFF_PERCENT": str(BACKOFF_PERCENT),
    }
    if smtp:
        server = receiving_server(smtp)
        inside["EMAIL_URL"] = f"smtp://{server.host if ':' not in server.host else f'[{server.host}]'}:{server.port}"
    return inside


@contextmanager
def a_directory() -> Iterator[Path]:
    """A directory that goes with the rehearsal."""
    with tempfile.TemporaryDirectory(prefix="postbag-rehearsal-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def a_database(url: str) -> Iterator[str]:
    """A database of the rehearsal's own beside the one named: its address, or "" for SQLite in the directory."""
    if not url.startswith(("postgres://", "postgresql://")):
        yield ""
        return
    name = f"postbag_rehearsal_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def cast(inside: Mapping[str, str], directory: Path, *, port: int, mail_port: int, workers: int) -> list[Program]:
    """Return every program of the rehearsal."""
    return [
        programs.broker_program(directory, broker.socket_path(directory), inside),
        programs.mail_server_program(directory, mail_port, inside),
        programs.web_program("127.0.0.1", port, inside),
        *(programs.worker_program(number, inside) for number in range(1, workers + 1)),
        programs.clock_program(inside),
    ]


def a_port(wanted: int, *, only_free: bool) -> int:
    """Return the wanted port where it is free, else any free one."""
    return ports.free_port() if only_free or not ports.is_free(wanted) else wanted

"""A postbox that listens on a free port, and ways to talk to it."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from postbox.server import MailServer
from postbox.store import Store
from tests.postbox.wire import Wire

LIMIT = 10  # seconds; no test here may wait longer for an answer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store whose file does not exist yet."""
    store = Store(tmp_path / "data" / "postbox.sqlite3")
    yield store
    store.close()


@pytest.fixture
def server(store: Store) -> Iterator[MailServer]:
    """A listening postbox."""
    server = MailServer(store)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection of smtplib."""
    with smtplib.SMTP(server.host, server.port, timeout=LIMIT) as client:
        yield client


@pytest.fixture
def wire(server: MailServer) -> Iterator[Wire]:
    """A bare connection, after the greeting and HELO."""
    wire = Wire(server.host, server.port)
    wire.say(b"HELO dana.example\r\n")
    assert wire.codes(2) == ["220", "250"]
    yield wire
    wire.close()

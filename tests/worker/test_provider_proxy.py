"""Reaching a provider through a proxy, where the environment names one."""

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letters.endings import Accepted
from tests.worker import certificates
from tests.worker.fake_provider import FakeProvider, answered
from tests.worker.provider_lines import a_line, a_line_to, send
from worker.transports import LineDown

YES = answered(200, b'{"id": "n", "message": "Queued. Thank you."}', {})


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextlib.contextmanager
def a_proxy(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by hand; yield host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def accept() -> None:
            with contextlib.suppress(OSError):
                taken, _ = server.accept()
                taken.settimeout(20)
                with taken:
                    serve(taken)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.close()
        thread.join(30)


def head(line: socket.socket) -> str:
    """Read a request up to the blank line."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += line.recv(1)
    return read.decode()


def test_a_secured_api_is_reached_through_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy learns the host and its own password, and nothing of the letter or the key."""
    certificate = certificates.make(tmp_path, name="api.provider.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    heard: list[str] = []

    def tunnel(taken: socket.socket) -> None:
        heard.append(head(taken))
        taken.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with certificates.server_side(certificate).wrap_socket(taken, server_side=True) as inside:
            heard.append(head(inside))
            inside.sendall(YES)
            with contextlib.suppress(ssl.SSLError):
                inside.recv(65536)

    with a_proxy(tunnel) as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:a%20word@{at}")
        assert isinstance(send(a_line_to("https://api.provider.example/v3/")), Accepted)
    asked, request = heard
    assert asked.startswith("CONNECT api.provider.example:443 HTTP/1.")
    assert f"Basic {base64.b64encode(b'someone:a word').decode()}" in asked
    assert request.startswith("POST /v3/letters.postbag.example/messages HTTP/1.1\r\n")
    assert "Host: api.provider.example\r\n" in request


def test_a_proxy_that_refuses_is_a_line_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_proxy(lambda taken: taken.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{at}")
        with pytest.raises(LineDown, match="403"):
            send(a_line_to("https://api.provider.example/v3/"))


def test_an_api_in_the_clear_is_asked_for_by_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def forward(taken: socket.socket) -> None:
        heard.append(head(taken))
        taken.sendall(YES)
        taken.recv(65536)

    with a_proxy(forward) as at:
        monkeypatch.setenv("HTTP_PROXY", f"http://{at}")
        assert isinstance(send(a_line_to("http://postal.inside.example/v3/")), Accepted)
    assert heard[0].startswith("POST http://postal.inside.example/v3/letters.postbag.example/messages HTTP/1.1\r\n")


def test_what_is_on_this_machine_is_reached_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with FakeProvider() as provider:
        assert isinstance(send(a_line(provider)), Accepted)

"""How an attempt over a provider's API ends, whatever the provider, the line and the fence do (RELIABILITY §3)."""

import contextlib
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from letters.endings import Accepted, Ambiguous, Deferred, NotSent, Refused
from tests.worker import certificates
from tests.worker.fake_provider import KEY, Act, FakeProvider, answered, honest, says
from tests.worker.processes import wait_until
from tests.worker.provider_lines import a_letter, a_line, a_line_to, always, send
from worker.transports import LineDown

SPOKEN = ["mailgun", "postmark", "brevo", "resend"]
LONG = "Please speak up for them. " * 500_000  # more than all buffers of a connection hold


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return providers that are honest until a test scripts them."""
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def never() -> bool:
    """Fail: nobody may ask for the fence here."""
    raise AssertionError("the fence was asked for")


@contextlib.contextmanager
def a_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by hand; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def accept() -> None:
            taken, _ = server.accept()
            taken.settimeout(20)
            with taken, contextlib.suppress(OSError):
                serve(taken)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/mailgun/"
        thread.join(30)


# ── yes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("esp", SPOKEN)
def test_a_yes_is_accepted_with_the_provider_s_own_name(provider: FakeProvider, esp: str) -> None:
    ending = send(a_line(provider, esp))
    assert isinstance(ending, Accepted)
    assert ending.provider_id == "name-1"
    assert ending.code in {200, 201}
    assert len(provider.taken) == 1


def test_a_yes_counts_even_if_the_line_breaks_next(provider: FakeProvider) -> None:
    provider.script = lambda request: Act(honest(request, "name-1").answer, resets=True)
    line = a_line(provider)
    assert isinstance(line.send(a_letter(), allow=always), Accepted)
    wait_until(lambda: provider.open_connections == 0, seconds=20)  # else the next letter may be on its way by then
    provider.script = lambda _request: None
    assert isinstance(send(line, a_letter(8)), Accepted), "and the next letter finds a new connection"
    assert provider.connections == 2


def test_a_connection_is_used_again(provider: FakeProvider) -> None:
    line = a_line(provider)
    for number in range(5):
        assert isinstance(line.send(a_letter(number), allow=always), Accepted)
    line.close()
    assert provider.connections == 1


def test_an_answer_that_was_packed_though_nobody_asked_is_understood(provider: FakeProvider) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b'{"id": "n", "message": "Queued. Thank you."}') + packer.flush()
    provider.script = lambda _r: says(200, packed, headers={"Content-Encoding": "gzip"})
    assert send(a_line(provider)) == Accepted(200, "Queued. Thank you.", "n")


# ── the fence ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_fence_is_asked_for_when_the_connection_stands_and_nothing_is_written(provider: FakeProvider) -> None:
    seen: list[tuple[int, int]] = []

    def allow() -> bool:
        deadline = time.monotonic() + 5
        while provider.connections == 0 and time.monotonic() < deadline:
            time.sleep(0.001)
        seen.append((provider.connections, len(provider.requests)))
        return True

    assert isinstance(send(a_line(provider), allow=allow), Accepted)
    assert seen == [(1, 0)]


def test_a_refused_fence_makes_no_request(provider: FakeProvider) -> None:
    line = a_line(provider)
    assert line.send(a_letter(), allow=lambda: False) == NotSent("stopped before the request")
    assert isinstance(send(line, a_letter(8)), Accepted), "the line goes on"
    assert [request.document["v:delivery"][:2] for request in provider.requests] == ["8-"]


def test_a_provider_that_answers_twice_has_not_answered_the_next_request(provider: FakeProvider) -> None:
    line = a_line(provider)
    provider.script = lambda request: Act(2 * honest(request, "early").answer)
    assert isinstance(line.send(a_letter(), allow=always), Accepted)
    provider.script = lambda _request: says(503)
    assert isinstance(send(line, a_letter(8)), Deferred)
    assert provider.connections == 2


def test_a_yes_that_comes_before_the_request_is_no_answer_to_it() -> None:
    """It arrives while we wait for the fence: nothing was written, so nothing was taken."""
    spoken = threading.Event()
    read: list[bytes] = []

    def speak(taken: socket.socket) -> None:
        taken.sendall(answered(200, b'{"id": "early", "message": "Queued. Thank you."}', {}))
        spoken.set()
        read.append(taken.recv(100))

    def allow() -> bool:
        assert spoken.wait(10)
        time.sleep(0.05)
        return True

    with a_server(speak) as url:
        ending = send(a_line_to(url), allow=allow)
    assert ending == NotSent("the line broke before the whole request: the provider spoke before the request")
    assert read == [b""]


def test_a_provider_that_hangs_up_before_the_request_has_taken_nothing(provider: FakeProvider) -> None:
    def allow() -> bool:
        deadline = time.monotonic() + 10
        while not provider.connections and time.monotonic() < deadline:
            time.sleep(0.001)
        provider.cut()
        time.sleep(0.05)
        return True

    ending = send(a_line(provider), allow=allow)
    assert ending == NotSent("the line broke before the whole request: the provider hung up")
    assert provider.requests == []


# ── nothing can be reached ───────────────────────────────────────────────────────────────────────────────────


def test_a_closed_port_is_a_line_down_and_asks_for_no_fence(closed_port: int) -> None:
    with pytest.raises(LineDown, match="refused") as down:
        send(a_line_to(f"http://127.0.0.1:{closed_port}/mailgun/"), allow=never)
    assert KEY not in down.value.sentence


def test_a_name_that_does_not_exist_is_a_line_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_args: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    line = a_line_to("https://api.nowhere.invalid/")
    with pytest.raises(LineDown, match="Name or service not known"):
        send(line)
    with pytest.raises(LineDown, match="Name or service not known"):
        line.open()


def test_a_knock_finds_a_provider_that_is_there_and_sends_nothing(provider: FakeProvider, closed_port: int) -> None:
    line = a_line(provider)
    line.open()
    line.close()
    assert provider.requests == []
    with pytest.raises(LineDown, match="refused"):
        a_line_to(f"http://127.0.0.1:{closed_port}/").open()


def test_a_certificate_that_nobody_trusts_is_a_line_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes over an unproved line is the key first of all."""
    certificate = certificates.make(tmp_path)
    with FakeProvider(context=certificates.server_side(certificate)) as provider:
        with pytest.raises(LineDown, match="certificate"):
            send(a_line_to(provider.url("mailgun", scheme="https")))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        line = a_line_to(provider.url("mailgun", scheme="https"))
        assert isinstance(line.send(a_letter(), allow=always), Accepted), "TLS's own words are no early answer"
        assert isinstance(send(line, a_letter(8)), Accepted)
        assert len(provider.requests) == 2


def test_a_certificate_for_another_name_is_a_line_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificates.make(tmp_path, name="api.elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with FakeProvider(context=certificates.server_side(certificate)) as provider:
        with pytest.raises(LineDown, match="certificate"):
            send(a_line_to(provider.url("mailgun", scheme="https")))
        assert provider.requests == []


def test_a_password_file_does_not_take_the_place_of_the_key(
    provider: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert isinstance(send(a_line(provider, "resend")), Accepted)
    assert provider.requests[0].headers["authorization"] == f"Bearer {KEY}"


# ── later ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("esp", SPOKEN)
@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_not_now_is_deferred(provider: FakeProvider, esp: str, status: int) -> None:
    provider.script = lambda _r: says(status, {"message": "Slow down", "Message": "Slow down"})
    assert send(a_line(provider, esp)) == Deferred(status, "Slow down")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("120", 120), ("0.5", 1), (" 7 ", 7), ("999999999", 86_400), ("soon", None), ("-5", None), ("", None)],
)
def test_the_wait_that_a_provider_names_is_kept(provider: FakeProvider, told: str, seconds: int | None) -> None:
    provider.script = lambda _r: says(429, {"message": "later"}, headers={"Retry-After": told})
    assert send(a_line(provider)) == Deferred(429, "later", wait_for=seconds)


def test_a_wait_may_be_named_as_a_date(provider: FakeProvider) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    provider.script = lambda _r: says(503, {"message": "later"}, headers={"Retry-After": at})
    ending = send(a_line(provider))
    assert isinstance(ending, Deferred)
    assert ending.wait_for is not None
    assert 590 <= ending.wait_for <= 600


def test_too_much_quiets_the_line_for_a_moment(provider: FakeProvider) -> None:
    provider.script = lambda _r: says(429, {"message": "later"}, headers={"Retry-After": "1"})
    line = a_line(provider)
    assert isinstance(line.send(a_letter(), allow=always), Deferred)
    provider.script = lambda _request: None
    begun = time.monotonic()
    assert isinstance(send(line, a_letter(8)), Accepted)
    assert 0.8 <= time.monotonic() - begun < 4


# ── unclear ──────────────────────────────────────────────────────────────────────────────────────────────────

BROKEN = {
    "500 after taking it": says(500, {"message": "oops"}, takes=True),
    "500": says(500, {"message": "oops"}),
    "502": says(502, b"<html>Bad Gateway</html>", headers={"Content-Type": "text/html"}),
    "504": says(504),
    "520, as a proxy says it": says(520, b"unknown error"),
    "599": says(599),
    "303": says(303, headers={"Location": "http://127.0.0.1:1/"}),
    "a reset after the whole request": Act(resets=True),
    "hung up after the whole request": Act(hangs_up=True),
    "garbage": Act(b"SSH-2.0-OpenSSH_9.2\r\n", hangs_up=True),
    "half of the headers": Act(b"HTTP/1.1 200 OK\r\nContent-Ty", hangs_up=True),
    "half of the body": Act(answered(200, b'{"id": "n', {"Content-Length": "60"}), hangs_up=True),
    "half of the JSON": says(200, b'{"id": "n", "mess', takes=True),
    "no JSON": says(200, b"<html>Welcome</html>", headers={"Content-Type": "text/html"}),
    "another JSON": says(200, {"hello": "world"}),
    "a list": says(200, [1, 2]),
    "null": says(200, b"null"),
    "another word for yes": says(200, {"id": "n", "message": "Perhaps"}),
    "nothing at all": says(200),
    "a packing that cannot be undone": says(200, b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"}),
    "half of a packing": says(200, zlib.compress(b"x" * 50)[:-8], headers={"Content-Encoding": "deflate"}),
    "a packing that grows": says(200, zlib.compress(b" " * 30_000_000), headers={"Content-Encoding": "deflate"}),
    "an unknown packing": says(200, b"x", headers={"Content-Encoding": "br"}),
    "a long answer": says(200, b'{"id": "' + b"n" * 1_100_000 + b'"}'),
    "a long header": Act(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", hangs_up=True),
    "headers without end": Act(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000, hangs_up=True),
}


@pytest.mark.parametrize("act", BROKEN.values(), ids=BROKEN)
def test_what_is_no_whole_answer_may_have_been_taken(provider: FakeProvider, act: Act) -> None:
    provider.script = lambda _request: act
    line = a_line(provider)
    ending = line.send(a_letter(), allow=always)
    assert isinstance(ending, Ambiguous), ending
    assert 0 < len(ending.words) <= 200
    assert ending.words.isprintable()
    provider.script = lambda _request: None
    assert isinstance(send(line, a_letter(8)), Accepted), "the next letter gets an honest answer of its own"


@pytest.mark.parametrize(
    "act",
    [Act(waits_for=30), Act(b"HTTP/1.1 200 OK\r\n", waits_for=0)],
    ids=["silence", "silence after the first line"],
)
def test_an_answer_that_does_not_come_in_time_is_unclear(provider: FakeProvider, act: Act) -> None:
    provider.script = lambda _request: act
    begun = time.monotonic()
    assert isinstance(send(a_line(provider, seconds=0.6)), Ambiguous)
    assert time.monotonic() - begun < 10


def test_an_answer_that_drips_cannot_hold_a_line_for_ever() -> None:
    """Each piece comes in time; the whole does not."""

    def drip(taken: socket.socket) -> None:
        taken.recv(65536)
        for piece in [b"H", *[b"T"] * 200]:
            taken.sendall(piece)
            time.sleep(0.1)

    begun = time.monotonic()
    with a_server(drip) as url:
        assert send(a_line_to(url, seconds=1.0)) == Ambiguous("no answer to the request: no answer in time")
    assert time.monotonic() - begun < 10


# ── a person must look ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("esp", SPOKEN)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 418, 422])
def test_a_refusal_that_is_not_about_the_target_is_our_fault(provider: FakeProvider, esp: str, status: int) -> None:
    told = {"message": f"The domain is not verified; key {KEY}", "Message": "no", "ErrorCode": 10}
    provider.script = lambda _r: says(status, told)
    ending = send(a_line(provider, esp))
    assert isinstance(ending, NotSent)
    assert ending.hold
    assert str(status) in ending.words
    assert KEY not in ending.words


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_letter_is_never_sent_on_to_another_address(provider: FakeProvider, status: int) -> None:
    with FakeProvider() as elsewhere:
        provider.script = lambda _r: says(status, headers={"Location": elsewhere.url("mailgun") + "messages"})
        ending = send(a_line(provider))
        assert isinstance(ending, NotSent)
        assert ending.hold
        assert elsewhere.connections == 0


def test_an_early_no_is_heard_though_the_letter_was_not_read() -> None:
    """Some answer 401 or 413 to the headers and hang up while the body is still on its way."""

    def refuse(taken: socket.socket) -> None:
        taken.recv(4096)
        taken.sendall(answered(401, b'{"message": "Forbidden"}', {"Connection": "close"}))
        taken.shutdown(socket.SHUT_WR)
        while taken.recv(1_000_000):
            pass

    with a_server(refuse) as url:
        ending = send(a_line_to(url), a_letter(text=LONG))
    assert ending == NotSent("mailgun refuses our request (401): Forbidden", hold=True)


def test_a_line_that_breaks_inside_the_request_has_handed_nothing_over() -> None:
    """Before its last byte nobody has a letter."""

    def reset(taken: socket.socket) -> None:
        taken.recv(4096)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with a_server(reset) as url:
        ending = send(a_line_to(url), a_letter(text=LONG))
    assert isinstance(ending, NotSent)
    assert not ending.hold
    assert ending.words.startswith("the line broke before the whole request")


# ── the target ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_that_the_provider_refuses_fails_the_delivery(provider: FakeProvider) -> None:
    provider.script = lambda _r: says(400, {"message": "'to' parameter is not a valid address. please check it"})
    assert send(a_line(provider)) == Refused(400, "5.1.3 'to' parameter is not a valid address. please check it")


def test_words_are_short_on_one_line_and_hold_no_key(provider: FakeProvider) -> None:
    provider.script = lambda _r: says(429, {"message": f"a\x00b\r\nc\u2028d {KEY} " + "x" * 500})
    ending = send(a_line(provider))
    assert isinstance(ending, Deferred)
    assert ending.words.startswith("a b c d … xxx")
    assert len(ending.words) == 200

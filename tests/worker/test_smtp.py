"""How each attempt over SMTP ends: every row of the table of endings, with a server that misbehaves on request."""

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from tests.worker import certificates
from tests.worker.faulty_server import Act, FaultyServer, Moment, Script, at, drops, falls_silent, says
from worker.transports import LineDown, conversation, dialogue
from worker.transports.dialogue import stuffed
from worker.transports.smtp import Server, SmtpLine

pytestmark = pytest.mark.servers

TEXT = b"From: letter@letters.postbag.example\r\nX-Postbag-Delivery: %b\r\n\r\nDear Sir,\r\n\r\nstop.\r\n"
SHORT = 0.3  # seconds: every time-out in these tests
LINE_OF_9_KB = b"250 " + b"x" * 9216 + b"\r\n"


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time-outs of RFC 5321 §4.5.3.2, which add up to twenty minutes."""
    for name in ("ENVELOPE_SECONDS", "DATA_START_SECONDS", "DATA_BLOCK_SECONDS", "DOT_SECONDS"):
        monkeypatch.setattr(dialogue, name, SHORT)
    monkeypatch.setattr(conversation, "CONNECT_SECONDS", SHORT)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """Return an honest server until a test scripts it."""
    with FaultyServer() as server:
        yield server


def a_letter(number: int = 1, data: bytes = b"") -> Message:
    """Return the n-th letter."""
    data = data or TEXT % str(number).encode()
    return Message(
        number, f"return-{number}@letters.postbag.example", "office@northland.example", data,
        hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


_OPENED: list[SmtpLine] = []


@pytest.fixture(autouse=True)
def no_line_stays_open() -> Iterator[None]:
    """End the lines that a test left open: a forgotten socket is an error here."""
    yield
    while _OPENED:
        _OPENED.pop()._drop()


def opened(server: Server, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> SmtpLine:
    """Return a line that this test may leave open."""
    _OPENED.append(SmtpLine(server, tls=tls))
    return _OPENED[-1]


def a_line(server: FaultyServer) -> SmtpLine:
    """Return a line in clear to the server."""
    return opened(Server("127.0.0.1", server.port))


def sent(server: FaultyServer, *, letters: int = 1) -> list[Ending]:
    """Send letters over one line, each allowed, and return how they ended."""
    line = a_line(server)
    endings = [line.send(a_letter(number), allow=lambda: True) for number in range(1, letters + 1)]
    line.close()
    return endings


GARBAGE = {
    "garbage": says(b"\x16\x03\x01\x02 hello\r\n"),
    "a line of 9 kB": says(LINE_OF_9_KB),
    "an answer without an end": says(b"250-more\r\n" * 200),
    "a code of one digit": says(b"2 ok\r\n"),
    "a code of four digits": says(b"2500 ok\r\n"),
    "a code of 199": says(b"199 ok\r\n"),
    "a code of 600": says(b"600 ok\r\n"),
    "two codes in one answer": says(b"250-yes\r\n550 no\r\n"),
    "a bare carriage return": says(b"250 ok\rno\r\n"),
    "an empty line": says(b"\r\n"),
    "silence": falls_silent(SHORT * 4),
    "a drop": drops(),
    "half an answer": says(b"25", hangs_up=True),
    "an answer without a line end": says(b"250 taken", hangs_up=True),
}
BEFORE_THE_LETTER = ("mail", "rcpt", "data")


def test_a_letter_that_the_server_takes_is_accepted(server: FaultyServer) -> None:
    """2xx to the end of the data."""
    assert sent(server) == [Accepted(250, "taken")]
    assert [letter.to for letter in server.taken] == ["office@northland.example"]
    assert server.taken[0].digest == a_letter().digest


def test_a_line_that_breaks_right_after_the_yes_is_accepted_all_the_same(server: FaultyServer) -> None:
    """The server is responsible from its 2xx on (RFC 5321 §6.1)."""
    server.script = at("dot", says("250 2.0.0 queued as 17", hangs_up=True))
    assert sent(server) == [Accepted(250, "2.0.0 queued as 17")]


def test_words_with_nul_8_bit_and_control_characters_are_kept_printable(server: FaultyServer) -> None:
    """No database column takes NUL: an answer that cannot be recorded would send a second copy."""
    server.script = at("dot", says(b"250 a\x00b\x07 caf\xc3\xa9 \xff\r\n"))
    assert sent(server) == [Accepted(250, "a b  café �")]


def test_an_answer_of_many_lines_is_read_to_its_end(server: FaultyServer) -> None:
    """The next letter would otherwise read the rest."""
    server.script = at("dot", says(b"250-yes\r\n250-and\r\n250 thanks\r\n"))
    assert sent(server, letters=2) == [Accepted(250, "yes and thanks")] * 2
    assert server.connections == 1


@pytest.mark.parametrize("point", ["banner", "ehlo"])
@pytest.mark.parametrize(
    "act", [*GARBAGE.values(), says("554 go away"), says("421 busy")], ids=[*GARBAGE, "554", "421"]
)
def test_a_server_that_cannot_be_greeted_is_a_line_down(server: FaultyServer, point: str, act: Act) -> None:
    """Nothing was said of any letter, and the next one would fare the same."""
    server.script = at(point, act)
    with pytest.raises(LineDown) as down:
        sent(server)
    assert down.value.sentence.startswith("The mail server cannot be reached: ")
    assert server.taken == []


def test_a_port_where_nobody_listens_is_a_line_down(server: FaultyServer) -> None:
    """Connection refused."""
    server.__exit__()
    with pytest.raises(LineDown):
        sent(server)


def test_a_host_that_has_no_address_is_a_line_down() -> None:
    """A name of the reserved kind never resolves (RFC 6761); one beyond IDNA cannot even be asked for."""
    for host in ("mx.nowhere.invalid", "x" * 300 + ".invalid"):
        with pytest.raises(LineDown):
            opened(Server(host, 25)).send(a_letter(), allow=lambda: True)


@pytest.mark.parametrize("point", BEFORE_THE_LETTER)
@pytest.mark.parametrize("act", GARBAGE.values(), ids=GARBAGE)
def test_a_line_that_breaks_before_the_letter_has_sent_nothing(server: FaultyServer, point: str, act: Act) -> None:
    """Drop, silence and nonsense at MAIL, RCPT and DATA."""
    server.script = at(point, act, letters=(1,))
    first, second = sent(server, letters=2)
    assert isinstance(first, NotSent)
    assert isinstance(second, Accepted), "the second letter goes over a fresh connection"
    assert server.connections == 2
    assert [letter.delivery for letter in server.taken] == ["2"]


def test_a_yes_to_data_is_no_leave_to_send_the_letter(server: FaultyServer) -> None:
    """Only 354 is; what follows a 250 would be read as commands."""
    server.script = at("data", says("250 ok"), letters=(1,))
    first, second = sent(server, letters=2)
    assert (type(first), type(second)) == (NotSent, Accepted)


def test_a_drop_inside_the_letter_has_sent_nothing(server: FaultyServer) -> None:
    """The server never saw the dot; the fence need not even be asked for."""
    server.script = at("body", drops(), letters=(1,))
    line = a_line(server)
    big = a_letter(1, b"X-Postbag-Delivery: 1\r\n\r\n" + b"a line of a long letter\r\n" * 400_000)
    asked = threading.Event()
    assert isinstance(line.send(big, allow=lambda: asked.set() or True), NotSent)  # type: ignore[func-returns-value]
    assert not asked.is_set()
    assert isinstance(line.send(a_letter(2), allow=lambda: True), Accepted)
    assert server.dots == 1


@pytest.mark.parametrize("words", ["250 thanks, that is enough", "552 too large", "421 closing"])
def test_a_server_that_speaks_inside_the_letter_gets_no_dot(server: FaultyServer, words: str) -> None:
    """A yes said too early would pass for the answer to the dot."""
    server.script = at("body", says(words), letters=(1,))
    line = a_line(server)

    def allow() -> bool:
        time.sleep(0.1)  # as long as a commit takes; the words arrive meanwhile
        return True

    assert isinstance(line.send(a_letter(), allow=allow), NotSent)
    assert server.dots == 0


def test_a_no_from_our_side_writes_no_dot(server: FaultyServer) -> None:
    """The receiver has nothing; the next letter goes over a fresh connection."""
    line = a_line(server)
    assert line.send(a_letter(1), allow=lambda: False) == NotSent("stopped before the final dot")
    assert isinstance(line.send(a_letter(2), allow=lambda: True), Accepted)
    line.close()
    assert (server.dots, server.connections) == (1, 2)


def test_leave_for_the_dot_is_asked_for_when_the_letter_is_through(server: FaultyServer) -> None:
    """Not earlier: between the question and the dot nothing may take time."""
    line = a_line(server)
    seen: list[bytes] = []

    def allow() -> bool:
        seen.append(server.commands()[-1])
        return True

    line.send(a_letter(), allow=allow)
    assert seen == [b"DATA\r\n"]


@pytest.mark.parametrize("point", [*BEFORE_THE_LETTER, "dot"])
@pytest.mark.parametrize("code", [450, 451, 452, 499])
def test_not_now_is_deferred_at_any_point(server: FaultyServer, point: str, code: int) -> None:
    """4xx, and the line stays usable."""
    server.script = at(point, says(f"{code} 4.2.0 later"), letters=(1,))
    first, second = sent(server, letters=2)
    assert first == Deferred(code, "4.2.0 later", at_recipient=point == "rcpt")
    assert isinstance(second, Accepted)
    assert server.connections == 1
    assert (b"RSET\r\n" in server.commands()) is (point != "dot"), "an envelope left behind is forgotten"


@pytest.mark.parametrize("point", [*BEFORE_THE_LETTER, "dot"])
def test_a_421_is_deferred_and_ends_the_connection(server: FaultyServer, point: str) -> None:
    """The server says itself that it hangs up (RFC 5321 §3.8)."""
    server.script = at(point, says("421 4.3.2 shutting down"), letters=(1,))
    first, second = sent(server, letters=2)
    assert isinstance(first, Deferred)
    assert isinstance(second, Accepted)
    assert server.connections == 2


@pytest.mark.parametrize("point", [*BEFORE_THE_LETTER, "dot"])
@pytest.mark.parametrize("code", [500, 550, 554, 599])
def test_no_is_refused_at_any_point_and_the_line_stays_usable(server: FaultyServer, point: str, code: int) -> None:
    """5xx."""
    server.script = at(point, says(f"{code} 5.1.1 no such person"), letters=(1,))
    assert sent(server, letters=2) == [Refused(code, "5.1.1 no such person"), Accepted(250, "taken")]
    assert server.connections == 1
    assert [letter.delivery for letter in server.taken] == ["2"]


def test_a_server_that_does_not_forget_a_refused_letter_is_left(server: FaultyServer) -> None:
    """RSET refused: the next letter must not join the old envelope."""
    faults = {"rcpt": says("550 no"), "rset": says("500 what?")}
    server.script = lambda moment: faults.get(moment.point) if moment.letter == 1 else None
    first, second = sent(server, letters=2)
    assert (type(first), type(second)) == (Refused, Accepted)
    assert server.connections == 2


@pytest.mark.parametrize(
    "act",
    [*GARBAGE.values(), says(b"354 go on\r\n"), says(b"300 hm\r\n"), drops(takes=True)],
    ids=[*GARBAGE, "354", "300", "taken and dropped"],
)
def test_no_clean_answer_to_the_dot_is_ambiguous(server: FaultyServer, act: Act) -> None:
    """A copy may have been taken, and nobody can know."""
    server.script = at("dot", act, letters=(1,))
    first, second = sent(server, letters=2)
    assert isinstance(first, Ambiguous)
    assert isinstance(second, Accepted), "the second letter goes over a fresh connection"
    assert (server.dots, server.connections) == (2, 2)


def test_a_slow_yes_within_the_time_out_is_accepted(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving up early makes duplicates (RFC 5321 §4.5.3.2.6)."""
    monkeypatch.setattr(dialogue, "DOT_SECONDS", 5.0)
    server.script = at("dot", says("250 at last", after=2 * SHORT))
    assert sent(server) == [Accepted(250, "at last")]


@pytest.mark.parametrize(("point", "ending"), [("rcpt", NotSent), ("dot", Ambiguous)])
def test_an_answer_that_drips_does_not_outlast_the_time_out(
    server: FaultyServer, point: str, ending: type[Ending]
) -> None:
    """A tarpit that says one byte before each time-out would hold a line for days."""

    def drip(moment: Moment) -> Act | None:
        if moment.point == point and moment.letter == 1:
            dripping.set()
            for _ in range(30):
                time.sleep(SHORT / 3)
                visit_says(b"2")
        return None

    dripping = threading.Event()
    visit_says = _speaks_for(server)
    server.script = drip
    begun = time.monotonic()
    line = a_line(server)
    assert isinstance(line.send(a_letter(), allow=lambda: True), ending)
    assert dripping.is_set()
    assert time.monotonic() - begun < 6 * SHORT


def _speaks_for(server: FaultyServer) -> Callable[[bytes], None]:
    def say(piece: bytes) -> None:
        for line in list(server._alive):
            line.sendall(piece)

    return say


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("greylisted, try again in 300 seconds", 300), ("retry in 5 minutes", 300), ("try again after 2 hours", 7200),
     ("please try later", None)],
)  # fmt: skip
def test_a_time_that_the_server_names_is_read(server: FaultyServer, words: str, seconds: int | None) -> None:
    """ "Try again in N" is honoured."""
    server.script = at("rcpt", says(f"450 4.7.1 {words}"))
    (ending,) = sent(server)
    assert isinstance(ending, Deferred)
    assert ending.wait_for == seconds


def test_an_idle_connection_that_the_server_ended_costs_no_attempt(server: FaultyServer) -> None:
    """Servers hang up on the idle, often with a 421: the next letter simply goes over a fresh connection."""
    line = a_line(server)
    line.send(a_letter(1), allow=lambda: True)
    server.cut()
    time.sleep(0.1)
    assert isinstance(line.send(a_letter(2), allow=lambda: True), Accepted)
    assert server.connections == 2


def test_an_address_cannot_carry_a_second_command(server: FaultyServer) -> None:
    """Addresses are checked on their way in; this is the last door."""
    for address in ("a@x.example>\r\nRCPT TO:<b@x.example", "a b@x.example", "<a@x.example", "a\0@x.example"):
        letter = a_letter()
        letter = Message(1, letter.envelope_from, address, letter.data, letter.digest)
        ending = a_line(server).send(letter, allow=lambda: True)
        assert isinstance(ending, Refused)
        assert ending.words.startswith("5.1.3")
    assert not any(said.startswith(b"RCPT") for said in server.commands())


def test_an_address_outside_ascii_is_refused_and_the_line_stays_usable(server: FaultyServer) -> None:
    """Our servers do not offer SMTPUTF8 to us: `failed`, and no loop."""
    letter = Message(1, "return-1@letters.postbag.example", "büro@northland.example", a_letter().data, "")
    line = a_line(server)
    assert isinstance(line.send(letter, allow=lambda: True), Refused)
    assert isinstance(line.send(a_letter(2), allow=lambda: True), Accepted)
    assert server.connections == 1


def test_the_size_is_told_to_a_server_that_asks_for_it(server: FaultyServer) -> None:
    """It may refuse at MAIL what it would refuse after the letter (RFC 1870)."""
    sent(server)
    assert b"MAIL FROM:<return-1@letters.postbag.example> SIZE=%d\r\n" % len(a_letter().data) in server.commands()


@pytest.mark.parametrize(
    "data",
    [b".\r\n", b"..\r\n...\r\n", b"a\r\n.\r\nMAIL FROM:<b@c.example>\r\n", b"no line end", b".hidden\r\n\r\n.\r\n",
     b"\r\n\r\n", b"From here\r\n.From there\r\n"],
)  # fmt: skip
def test_dots_at_line_starts_arrive_byte_for_byte(server: FaultyServer, data: bytes) -> None:
    """Nothing in a letter can end it, and nothing is lost (RFC 5321 §4.5.2)."""
    assert isinstance(a_line(server).send(a_letter(1, data), allow=lambda: True), Accepted)
    assert [letter.data for letter in server.taken] == [data if data.endswith(b"\r\n") else data + b"\r\n"]


@pytest.mark.parametrize("data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"a\n.\nMAIL\r\n", b"a\n\r\n", b"a\r\n\r"])
def test_a_bare_line_end_is_never_written(server: FaultyServer, data: bytes) -> None:
    """Some servers end a letter at LF-dot-LF: a text could smuggle in a second one."""
    with pytest.raises(ValueError, match="CRLF"):
        stuffed(data)
    with pytest.raises(ValueError, match="CRLF"):
        a_line(server).send(a_letter(1, data), allow=lambda: True)
    assert server.commands() == [], "it is refused before a word is said"


# ── TLS and signing in ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_over_tls_to_a_server_with_a_trusted_certificate(tmp_path: Path, security: str) -> None:
    """The certificate is checked against the host's name."""
    path = certificates.make(tmp_path)
    context = certificates.server_side(path)
    with FaultyServer(context=context, tls_at_once=security == "tls") as server:
        line = opened(Server("localhost", server.port, security), tls=lambda: certificates.trusting(path))
        for number in (1, 2):
            assert isinstance(line.send(a_letter(number), allow=lambda: True), Accepted)
        line.close()
        assert server.connections == 1, "an idle TLS line is not taken for one on which the server spoke"
        assert (b"STARTTLS\r\n" in server.commands()) is (security == "starttls")


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("flaw", ["unknown", "another name"])
def test_a_certificate_that_is_not_trusted_is_a_line_down(tmp_path: Path, security: str, flaw: str) -> None:
    """And never a letter in clear."""
    path = certificates.make(tmp_path, name="localhost" if flaw == "unknown" else "mx.elsewhere.test")
    trusts = certificates.make(tmp_path / "..", name="localhost") if flaw == "unknown" else path
    with FaultyServer(context=certificates.server_side(path), tls_at_once=security == "tls") as server:
        line = opened(
            Server("localhost", server.port, security, "postbag", "a secret"), tls=lambda: certificates.trusting(trusts)
        )
        with pytest.raises(LineDown):
            line.send(a_letter(), allow=lambda: True)
        assert server.letters == 0
        assert not any(said.startswith(b"AUTH") for said in server.commands())


@pytest.mark.parametrize(
    "script", [at("starttls", says("454 not now")), at("starttls", says("502 what?")), at("starttls", drops())]
)
def test_a_server_that_does_not_secure_the_line_gets_no_letter_and_no_password(tmp_path: Path, script: Script) -> None:
    """Whether it offers STARTTLS and then declines."""
    with FaultyServer(script, context=certificates.server_side(certificates.make(tmp_path))) as server:
        with pytest.raises(LineDown):
            opened(Server("localhost", server.port, "starttls", "postbag", "a secret")).open()
        assert all(said.upper().startswith((b"EHLO", b"STARTTLS", b"QUIT")) for said in server.commands())


def test_a_server_that_does_not_offer_tls_gets_no_letter_in_clear(server: FaultyServer) -> None:
    """Somebody on the way may have struck the offer out."""
    with pytest.raises(LineDown):
        opened(Server("localhost", server.port, "starttls")).open()
    assert server.letters == 0


def test_what_a_server_says_before_tls_does_not_count_after_it(tmp_path: Path) -> None:
    """An answer slipped in behind the 220 in clear would be read as said under TLS (RFC 3207 §4.2)."""
    path = certificates.make(tmp_path)
    smuggled = at("starttls", says(b"220 go on\r\n250 mx.evil.test\r\n"))
    with FaultyServer(smuggled, context=certificates.server_side(path)) as server:
        line = opened(Server("localhost", server.port, "starttls"), tls=lambda: certificates.trusting(path))
        assert isinstance(line.send(a_letter(), allow=lambda: True), Accepted)
        assert b" SIZE=" in b"".join(server.commands()), "what it offers is what it said under TLS"


def test_a_line_signs_in_where_a_name_is_given() -> None:
    """AUTH with the operator's name and password, once per connection."""
    with FaultyServer(extensions=("AUTH PLAIN LOGIN",)) as server:
        line = opened(Server("127.0.0.1", server.port, "plain", "postbag", "a secret"))
        for number in (1, 2):
            assert isinstance(line.send(a_letter(number), allow=lambda: True), Accepted)
        signed_in = [said for said in server.commands() if said.startswith(b"AUTH")]
        assert signed_in == [b"AUTH PLAIN " + base64.b64encode(b"\0postbag\0a secret") + b"\r\n"]


def test_a_password_that_does_not_fit_is_a_line_down_that_names_the_server_s_words() -> None:
    """Our own fault, not the letters'."""
    with (
        FaultyServer(at("auth", says("535 5.7.8 wrong")), extensions=("AUTH PLAIN",)) as server,
        pytest.raises(LineDown, match=r"535 5\.7\.8 wrong"),
    ):
        opened(Server("127.0.0.1", server.port, "plain", "postbag", "a secret")).open()

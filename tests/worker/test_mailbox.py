"""The listener for bounces and answers: it takes mail to our addresses alone, says yes last, and answers nothing."""

import asyncio
import contextlib
import logging
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.utils import timezone

from campaigns.models import Ask
from letters import arrivals, incoming, tokens, tracking
from letters.feedback import Reply, Report
from letters.models import Delivery, Notice
from tests.letters import deeds, shapes
from tests.worker import certificates
from tests.worker.processes import environment, manage, started, wait_until
from worker import mailbox
from worker.mailbox import Listener, Mailbox

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
MY = settings.MAIL_DOMAIN
OFFICE = "office@northland.example"
THREADS = 3


@pytest.fixture
def sent(ask: Ask) -> Delivery:
    """Return Dana's delivery to Anna Lund, taken by the mail server an hour ago; no mail to Dana is due."""
    deeds.a_confirmed_letter(ask)
    deeds.send_all()
    Delivery.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    Notice.objects.all().delete()
    arrivals.forget_gathered()
    return Delivery.objects.get(target__name="Anna Lund")


@contextlib.contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """Listen by SMTP and by LMTP on free ports, in a thread."""
    made = Mailbox([Listener("127.0.0.1", 0), Listener("127.0.0.1", 0, is_lmtp=True)], name=MY, tls=tls)
    thread = threading.Thread(target=_serve, args=(made,))
    thread.start()
    try:
        assert made.opened.wait(10)
        yield made
    finally:
        made.stop()
        thread.join(20)
        assert not thread.is_alive()


def _serve(made: Mailbox) -> None:
    """Serve, and close what the threads of this test opened to the database: a process that ends needs not."""
    met = threading.Barrier(THREADS)

    def close() -> None:
        met.wait(10)
        connections.close_all()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS))
        await made.serve()
        await asyncio.gather(*(loop.run_in_executor(None, close) for _ in range(THREADS)))

    asyncio.run(serve())


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """Return a mailbox that listens."""
    with listening() as made:
        yield made


@pytest.fixture
def smtp(box: Mailbox) -> Iterator[smtplib.SMTP]:
    """Return a conversation by SMTP."""
    with smtplib.SMTP("127.0.0.1", box.ports[0], timeout=20) as line:
        line.ehlo("mx.northland.example")
        yield line


@pytest.fixture
def lmtp(box: Mailbox) -> Iterator[smtplib.LMTP]:
    """Return a conversation by LMTP."""
    with smtplib.LMTP("127.0.0.1", box.ports[1], timeout=20) as line:
        line.ehlo("mx.northland.example")
        yield line


def to(door: str, delivery: Delivery) -> str:
    """Return an address of ours that names a delivery."""
    return f"{door}-{tokens.reference(delivery.pk)}@{MY}"


def give(line: smtplib.SMTP, to: str, shape: shapes.Shape) -> int:
    """Hand one mail over; return the code of the last answer."""
    line.mail(shape.sender)
    code, _ = line.rcpt(to)
    return line.data(shape.data)[0] if code == 250 else code


def counts() -> dict[str, int]:
    """Return what was counted."""
    return {row.what: row.count for row in arrivals.days(since=timezone.now())}


def an_answer(delivery: Delivery, text: str = "Thank you.") -> shapes.Shape:
    """Return what an office writes back."""
    data = f"From: Anna Lund <{OFFICE}>\r\nTo: <{to('reply', delivery)}>\r\nSubject: Re: strike\r\n\r\n{text}\r\n"
    return shapes.Shape(OFFICE, data.encode())


def test_a_bounce_is_written_down_before_the_yes(sent: Delivery, smtp: smtplib.SMTP) -> None:
    assert give(smtp, to("return", sent), shapes.postfix(tokens.reference(sent.pk))) == 250
    assert Report.objects.get().source == "mail"
    sent.refresh_from_db()
    assert sent.feedback == Delivery.Feedback.BOUNCED


def test_an_answer_is_passed_on_to_the_supporter_and_nobody_is_answered(sent: Delivery, lmtp: smtplib.LMTP) -> None:
    assert give(lmtp, to("reply", sent), an_answer(sent)) == 250
    assert give(lmtp, to("reply", sent), an_answer(sent)) == 250, "once more: the yes was lost on its way"
    assert Reply.objects.get().delivery_id == sent.pk
    assert Notice.objects.get().kind == "reply"
    assert counts() == {"reply": 1, "repeated": 1}


def test_lmtp_answers_for_each_address_by_itself(
    sent: Delivery, lmtp: smtplib.LMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = incoming.take

    def take(mail: incoming.Mail, **named: object) -> object:
        if mail.to.startswith("complaints"):
            raise tracking.Busy
        return real(mail, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(incoming, "take", take)
    lmtp.mail("")
    for address in (to("return", sent), f"complaints@{MY}", f"letter@{MY}"):
        assert lmtp.rcpt(address)[0] == 250
    lmtp.putcmd("data")
    assert lmtp.getreply()[0] == 354
    lmtp.send(shapes.postfix(tokens.reference(sent.pk)).data + b"\r\n.\r\n")
    assert [lmtp.getreply()[0] for _ in range(3)] == [250, 451, 250]
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["return-1-{zeros}@{my}", "dana@mail.example", "someone@{my}", "return-{reference}0@{my}", "postmaster@{my}",
     "reply-{reference}@elsewhere.example"],
)  # fmt: skip
def test_an_address_that_is_not_ours_is_refused_before_the_mail_travels(
    sent: Delivery, smtp: smtplib.SMTP, address: str
) -> None:
    """Forged, unknown, or somebody else's: nothing is passed on to others."""
    named = address.format(zeros="0" * 32, my=MY, reference=tokens.reference(sent.pk))
    assert give(smtp, named, shapes.postfix(tokens.reference(sent.pk))) == 550
    assert counts() == {"unknown": 1}
    assert not Report.objects.exists()


def test_what_is_too_old_gets_the_words_of_what_never_was(sent: Delivery, smtp: smtplib.SMTP) -> None:
    Delivery.objects.update(sent_at=timezone.now() - timedelta(days=15))
    smtp.mail("")
    old, forged = smtp.rcpt(to("return", sent)), smtp.rcpt(f"return-1-{'0' * 32}@{MY}")
    assert old == forged
    assert counts() == {"expired": 1, "unknown": 1}


def test_who_tries_many_addresses_is_sent_away(sent: Delivery, smtp: smtplib.SMTP) -> None:
    smtp.mail("")
    codes = [smtp.rcpt(f"return-{n}-{'0' * 32}@{MY}")[0] for n in range(11)]
    assert codes == [550] * 10 + [421]
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        smtp.noop()


def test_people_who_answer_our_mail_to_supporters_are_told_where_to_go(sent: Delivery, smtp: smtplib.SMTP) -> None:
    smtp.mail("dana@mail.example")
    code, words = smtp.rcpt(f"confirm@{MY}")
    assert (code, b"Nobody reads" in words) == (550, True)
    smtp.rset()
    assert give(smtp, f"confirm@{MY}", shapes.free_text("")) == 250, "bounces of it are taken"


@pytest.mark.parametrize("error", [OperationalError("away"), tracking.Busy()])
def test_what_cannot_be_written_down_now_is_wanted_again(
    sent: Delivery, smtp: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise error

    shape = shapes.postfix(tokens.reference(sent.pk))
    with monkeypatch.context() as patched:
        patched.setattr(incoming, "take", fail)
        assert give(smtp, to("return", sent), shape) == 451
    with monkeypatch.context() as patched:
        patched.setattr(incoming, "refusal", fail)
        if isinstance(error, OperationalError):
            assert give(smtp, to("return", sent), shape) == 451
            smtp.rset()
    assert give(smtp, to("return", sent), shape) == 250
    assert Report.objects.count() == 1


def test_a_defect_of_ours_is_told_once_and_shows_nothing(
    sent: Delivery, smtp: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError(OFFICE)

    monkeypatch.setattr(incoming, "take", fail)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # as the command does
    assert give(smtp, to("reply", sent), an_answer(sent)) == 250
    assert counts() == {"malformed": 1}
    assert "could not be taken in: RuntimeError" in caplog.text
    assert OFFICE not in caplog.text
    assert tokens.reference(sent.pk) not in caplog.text


def test_a_mail_of_more_than_ten_megabytes_is_refused(sent: Delivery, smtp: smtplib.SMTP) -> None:
    smtp.mail(OFFICE)
    smtp.rcpt(to("reply", sent))
    assert smtp.data(an_answer(sent, "a line of a mail\r\n" * 600_000).data)[0] == 552
    smtp.putcmd("mail", f"FROM:<{OFFICE}> SIZE=10000001")
    assert smtp.getreply()[0] == 552
    assert not Reply.objects.exists()


@pytest.mark.parametrize("name", ["long headers", "many headers"])
def test_a_megabyte_of_headers_counts_for_nothing(sent: Delivery, smtp: smtplib.SMTP, name: str) -> None:
    lines = b"X-Filler: a line that says nothing\r\n" * 31_000
    shape = {
        "long headers": shapes.long_headers(tokens.reference(sent.pk)),
        "many headers": shapes.Shape("", lines + shapes.postfix(tokens.reference(sent.pk)).data),
    }[name]
    began_at = time.monotonic()
    code = give(smtp, to("return", sent), shape)
    assert time.monotonic() - began_at < 5
    assert code == (500 if name == "long headers" else 250), "one line of more than 100 kB is no mail"
    assert counts() == ({} if name == "long headers" else {"malformed": 1})
    assert not Report.objects.exists()
    smtp.rset()
    assert give(smtp, to("return", sent), shapes.postfix(tokens.reference(sent.pk))) == 250, "and the line goes on"


@pytest.mark.parametrize(
    "said",
    [b"\xff\xfe\x00\r\n", b"MAIL FROM:<@@>\r\n", b"RCPT TO:<@>\r\n", b"BDAT 5\r\n", b"\r\n", b"GET / HTTP/1.1\r\n",
     b"RCPT TO:<" + b"x" * 5000 + b">\r\n", b"MAIL FROM:<a@b.example> BODY=9BIT\r\n"],
)  # fmt: skip
def test_garbage_gets_a_no_and_the_conversation_goes_on(sent: Delivery, box: Mailbox, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", box.ports[0]), timeout=20) as line, line.makefile("rb") as answers:
        assert answers.readline().startswith(b"220")
        line.sendall(b"HELO x\r\n" + said)
        assert answers.readline().startswith(b"250")
        assert answers.readline()[:1] == b"5"
        line.sendall(b"NOOP\r\n")
        assert answers.readline().startswith(b"250")


def test_too_many_at_once_are_asked_to_come_again(
    sent: Delivery, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_CONVERSATIONS", 2)
    with contextlib.ExitStack() as lines:
        for _ in range(2):
            lines.enter_context(smtplib.SMTP("127.0.0.1", box.ports[0], timeout=20))
        with pytest.raises(smtplib.SMTPConnectError, match="421"):
            smtplib.SMTP("127.0.0.1", box.ports[0], timeout=20)
    wait_until(lambda: not box._open, seconds=10)
    with smtplib.SMTP("127.0.0.1", box.ports[0], timeout=20) as line:
        assert line.noop()[0] == 250


def test_a_mail_may_have_a_hundred_addresses_and_not_one_more(sent: Delivery, smtp: smtplib.SMTP) -> None:
    smtp.mail("")
    assert [smtp.rcpt(to("return", sent))[0] for _ in range(101)] == [250] * 100 + [452]


def test_it_speaks_tls_where_it_has_a_certificate(sent: Delivery, tmp_path: Path) -> None:
    path = certificates.make(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    with listening(context) as box, smtplib.SMTP("localhost", box.ports[0], timeout=20) as line:
        line.ehlo()
        assert line.starttls(context=ssl.create_default_context(cafile=str(path)))[0] == 220
        line.ehlo()
        assert give(line, to("return", sent), shapes.postfix(tokens.reference(sent.pk))) == 250
    assert Report.objects.count() == 1


def test_what_was_handed_over_when_it_is_asked_to_end_is_written_down_and_answered(
    sent: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, codes = threading.Event(), list[int]()
    real: Callable[..., object] = incoming.take

    def slow(*args: object, **named: object) -> object:
        began.set()
        time.sleep(0.5)
        return real(*args, **named)

    monkeypatch.setattr(incoming, "take", slow)

    def hand_over(port: int) -> None:
        with contextlib.suppress(smtplib.SMTPServerDisconnected), smtplib.SMTP("127.0.0.1", port, timeout=20) as line:
            line.ehlo("x")
            codes.append(give(line, to("return", sent), shapes.postfix(tokens.reference(sent.pk))))

    with listening() as box:
        thread = threading.Thread(target=hand_over, args=(box.ports[0],))
        thread.start()
        assert began.wait(10)
    thread.join(20)
    assert codes == [250]
    assert Report.objects.count() == 1


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_listens_on_both_ports_and_ends_when_asked(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in (one, two)]
    env = environment(tmp_path, INBOUND_PORT=str(ports[0]), INBOUND_LMTP_PORT=str(ports[1]), LOG_LEVEL="DEBUG")
    assert manage("migrate", "--verbosity", "0", env=env, seconds=300).returncode == 0
    log = tmp_path / "receive.log"

    def takes(port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    with started("receive", env=env, log=log) as process:
        wait_until(lambda: all(takes(port) for port in ports), seconds=30)
        for kind, port in ((smtplib.SMTP, ports[0]), (smtplib.LMTP, ports[1])):
            with kind("127.0.0.1", port, timeout=20) as line:
                line.ehlo("x")
                shape = shapes.Shape("secret.sender@office.example", b"Subject: x\r\n\r\nwords of a stranger\r\n")
                assert give(line, "letter@letters.postbag.example", shape) == 250
        process.terminate()
        assert process.wait(20) == 0
    said = log.read_text()
    assert "secret.sender" not in said
    assert "words of a stranger" not in said
    assert "Traceback" not in said
    assert "mail: unknown 2" in manage("feedback", env=env).stdout


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert manage("migrate", "--verbosity", "0", env=env, seconds=300).returncode == 0
    none = manage("receive", env=env)
    assert (none.returncode, "Set INBOUND_PORT" in none.stderr) == (1, True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        there = manage("receive", env={**env, "INBOUND_PORT": str(taken.getsockname()[1])})
    assert (there.returncode, "cannot be taken there" in there.stderr) == (1, True)
    bad = manage("receive", env={**env, "INBOUND_PORT": "1", "INBOUND_CERTIFICATE": str(tmp_path / "none.pem")})
    assert (bad.returncode, "INBOUND_CERTIFICATE" in bad.stderr) == (1, True)

"""A mail that a provider hands over is read as if it had come by our own listener, whatever shape it comes in."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from config import hooks
from config.providers import ProviderAddress
from letters import incoming, replies, tokens
from letters.feedback import Reply, Report
from letters.incoming import Mail
from letters.models import Delivery, Notice
from tests.letters import shapes
from tests.web.hooks import mail_senders, senders
from tests.web.hooks.conftest import Poster, counts
from tests.web.hooks.mail_senders import BYTES, ESPS, FETCHED, WHOLE, post
from web.hooks import anymail_views, sns

pytestmark = pytest.mark.django_db
MY = settings.MAIL_DOMAIN
OFFICE = "office@northland.example"


@pytest.fixture
def letter_sent(sent: list[Delivery]) -> Delivery:
    """Return Dana's delivery to Anna Lund, taken an hour ago; no mail to Dana is due."""
    Delivery.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    Notice.objects.all().delete()
    return Delivery.objects.get(target__name="Anna Lund")


@pytest.fixture
def hand_over(tell: Poster, settings: Settings) -> Poster:
    """Return what hands a mail over as a provider does: post, and serve where it is fetched."""
    opened = {**settings.HOOKS.open}
    for esp, (option, _name) in FETCHED.items():
        address = ProviderAddress(esp, {option: "k", "api_key": "k"})
        opened |= hooks.read(esp, senders.SECRET, _keys_of(esp), address).open
    settings.HOOKS = hooks.Hooks(opened)
    return tell


def _keys_of(esp: str) -> str:
    return " ".join(pair for pair in senders.keys().split() if pair.startswith(esp))


def give(hand_over: Poster, esp: str, mail: Mail) -> int:
    """Hand a mail over; return the status."""

    def fetched(address: str, token: str) -> bytes:
        if token:
            assert address.endswith(FETCHED[esp][1]), address
            where = "https://kept.example/1"
            return f'{{"raw": {{"download_url": "{where}"}}, "raw_message_url": "{where}"}}'.encode()
        return mail.data

    with mock.patch.object(anymail_views, "_fetched", fetched):
        return hand_over(post(esp, mail)).status_code


def to(door: str, delivery: Delivery) -> str:
    """Return an address of ours that names a delivery."""
    return f"{door}-{tokens.reference(delivery.pk)}@{MY}"


def an_answer(delivery: Delivery, *, text: str = "Thank you – we shall raise it.", more: str = "") -> Mail:
    """Return what an office writes back, to the address that its letter asked for."""
    head = (
        f"From: Anna Lund <{OFFICE}>\r\nTo: <{to('reply', delivery)}>\r\nSubject: Re: strike\r\n{more}"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return Mail(to("reply", delivery), OFFICE, f"{head}{text}\r\n".encode())


def a_bounce(delivery: Delivery, name: str) -> Mail:
    """Return a bounce of a real shape."""
    shape = shapes.KINDS[name].make(tokens.reference(delivery.pk))
    return Mail(to("return", delivery), shape.sender, shape.data)


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_an_answer_is_kept_and_passed_on_once(letter_sent: Delivery, hand_over: Poster, esp: str) -> None:
    mail = an_answer(letter_sent)
    assert give(hand_over, esp, mail) == 200
    assert give(hand_over, esp, mail) == 200
    assert counts() == {"reply": 1, "repeated": 1}
    reply = Reply.objects.select_related("campaign").get()
    answer = replies.read(reply)
    assert answer is not None
    assert (reply.delivery_id, reply.is_automatic) == (letter_sent.pk, False)
    assert (answer.text, answer.address, answer.name) == ("Thank you – we shall raise it.", OFFICE, "Anna Lund")
    assert Notice.objects.get().kind == "reply"


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_a_bounce_is_read(letter_sent: Delivery, hand_over: Poster, esp: str) -> None:
    """Those that take a mail apart leave of a report what people would read."""
    mail = a_bounce(letter_sent, "Postfix" if esp in WHOLE else "Exim")
    assert give(hand_over, esp, mail) == 200
    assert counts() == {"taken": 1}
    report = Report.objects.get()
    assert (report.delivery_id, report.kind, report.status, report.source) == (letter_sent.pk, 3, "5.1.1", esp)


@pytest.mark.parametrize("esp", BYTES)
def test_a_bounce_in_latin_1_is_read(letter_sent: Delivery, hand_over: Poster, esp: str) -> None:
    assert give(hand_over, esp, a_bounce(letter_sent, "German gateway")) == 200
    assert counts() == {"taken": 1}


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_a_machine_is_not_answered_and_our_own_mail_is_dropped(
    letter_sent: Delivery, hand_over: Poster, esp: str
) -> None:
    own = f"Message-ID: <{tokens.reference(letter_sent.pk)}@{MY}>\r\n"
    assert give(hand_over, esp, an_answer(letter_sent, more="Auto-Submitted: auto-replied\r\n")) == 200
    assert give(hand_over, esp, an_answer(letter_sent, more=own)) == 200
    assert counts() == {"automatic": 1, "looped": 1}
    assert not Notice.objects.exists()


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_a_forged_name_counts_for_nothing(letter_sent: Delivery, hand_over: Poster, esp: str) -> None:
    reference = tokens.reference(letter_sent.pk)
    forged = f"{reference[:-4]}0000"
    shape = shapes.KINDS["Postfix"].make(forged)
    mail = Mail(f"return-{forged}@{MY}", shape.sender, shape.data)
    assert give(hand_over, esp, mail) == 200
    assert counts() == {"unknown": 1}
    assert not Report.objects.exists()


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_nobody_else_may_hand_over_mail(letter_sent: Delivery, hand_over: Poster, esp: str) -> None:
    true = post(esp, an_answer(letter_sent))
    for forged in (true.but(Authorization=None), true.but(Authorization=senders.basic("hooks:wrong"))):
        assert hand_over(forged).status_code in {400, 401}
    for name in ("Signature", "Mailtrap-Signature", "X-Mandrill-Signature", "X-Postal-Signature", "svix-signature"):
        if name in true.headers:
            assert hand_over(true.but(**{name: "0" * 64})).status_code == 400
    if esp == "mailgun":
        assert hand_over(true.but(true.body.replace(b"a-token", b"b-token"))).status_code == 400
    if esp == "amazon-ses":
        assert hand_over(true.but(true.body.replace(b"Received", b"Received "))).status_code == 400
    assert set(counts()) == {"forged"}
    assert not Reply.objects.exists()


@pytest.mark.parametrize("esp", ["mailgun", "sendgrid", "postal"])
def test_a_mail_of_some_megabytes_is_taken_and_one_of_more_than_ten_is_not(
    letter_sent: Delivery, hand_over: Poster, esp: str
) -> None:
    assert give(hand_over, esp, an_answer(letter_sent, text="word " * 600_000)) == 200
    assert counts() == {"reply": 1}
    assert give(hand_over, esp, an_answer(letter_sent, text="word " * 2_100_000)) == 413
    assert counts() == {"reply": 1, "too_large": 1}


def test_a_mail_that_cannot_be_read_does_not_come_again_for_ever(
    letter_sent: Delivery, hand_over: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise IndexError("a mail of strangers")

    monkeypatch.setattr("web.hooks.reading.mail", broken)
    assert give(hand_over, "postmark", an_answer(letter_sent)) == 200
    assert counts() == {"malformed": 1}


def test_events_and_mail_come_to_one_view_in_any_order(letter_sent: Delivery, hand_over: Poster) -> None:
    """Anymail's view of Mandrill remembers what it saw last, and ours serves everybody."""
    told = senders.post("mandrill", [senders.Told("delivered", tokens.reference(letter_sent.pk))])
    assert give(hand_over, "mandrill", an_answer(letter_sent)) == 200
    assert hand_over(told).status_code == 200
    assert give(hand_over, "mandrill", an_answer(letter_sent, text="Once more")) == 200
    assert counts() == {"reply": 2, "taken": 1}


# ── where a mail must be fetched ─────────────────────────────────────────────────────────────────────────


class _Keeper(BaseHTTPRequestHandler):
    """Keeps one mail, of as many bytes as its address says."""

    asked: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        length = int(self.path.strip("/"))
        self.send_response(200 if length else 404)
        self.end_headers()
        self.wfile.write(b"x" * length)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def keeper() -> Iterator[str]:
    """Return the address of a server that keeps mail."""
    _Keeper.asked = []
    server = HTTPServer(("127.0.0.1", 0), _Keeper)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_fetched_is_bounded_and_shows_the_key_to_the_api_alone(keeper: str) -> None:
    assert anymail_views._fetched(f"{keeper}/5", "a-key") == b"xxxxx"
    assert anymail_views._fetched(f"{keeper}/6", "") == b"xxxxxx"
    assert _Keeper.asked == [("/5", "Bearer a-key"), ("/6", "")]
    with pytest.raises(sns.Unreachable):
        anymail_views._fetched(f"{keeper}/0", "")
    with pytest.raises(ValueError, match="more than a mail"):
        anymail_views._fetched(f"{keeper}/{incoming.MOST_BYTES + 1}", "")


@pytest.mark.parametrize("esp", list(FETCHED))
def test_a_mail_that_cannot_be_fetched_now_is_told_again(
    letter_sent: Delivery, hand_over: Poster, monkeypatch: pytest.MonkeyPatch, esp: str, keeper: str
) -> None:
    fetched = anymail_views._fetched
    monkeypatch.setattr(anymail_views, "_fetched", lambda _address, token: fetched(f"{keeper}/0", token))
    answer = hand_over(mail_senders.post(esp, an_answer(letter_sent)))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert counts() == {"busy": 1}
    assert not Reply.objects.exists()

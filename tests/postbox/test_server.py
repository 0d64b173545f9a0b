"""A real server and real clients: what was sent is what is kept, once."""

import smtplib
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from postbox.server import ADDRESSES_LIMIT, SIZE_LIMIT, MailServer
from postbox.store import Arrival, Entry, Store
from tests.postbox.wire import Wire

pytestmark = pytest.mark.servers

TARGET = "mr.target@office.example"
DANA = "dana@people.example"
WHOLE = b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"
HEAD = b"Subject: No concert\r\nMessage-ID: <1@postbag.example>\r\n\r\n"


def kept(store: Store) -> list[Entry]:
    found = []
    for mailbox in store.mailboxes():
        for entry in store.letters_in(mailbox.address, limit=1000):
            whole = store.get(entry.id)
            assert whole is not None
            found.append(whole)
    return sorted(found, key=lambda entry: entry.id)


@pytest.mark.parametrize(
    "body",
    [
        b"plain\r\n",
        b".\r\n..\r\n.dots at the start\r\n...\r\nin.side\r\n",
        "Жанаозен, café, 日本\r\n".encode(),
        b"\xff\xfe\x00\x80 not any charset\r\n",
        b"x" * 998 + b"\r\n." + b"y" * 997 + b"\r\n",
        b"no empty last line but spaces  \r\n\r\n\r\n",
        b"line\r\n" * 60_000,
    ],
    ids=["plain", "dots", "eight-bit", "any bytes", "long lines", "blank ends", "large"],
)
def test_what_was_sent_is_kept_byte_for_byte(store: Store, client: smtplib.SMTP, body: bytes) -> None:
    client.sendmail(DANA, [TARGET], HEAD + body, mail_options=["BODY=8BITMIME"])
    (entry,) = kept(store)
    assert entry.raw == HEAD + body
    assert (entry.envelope_from, entry.envelope_to, entry.subject) == (DANA, TARGET, "No concert")


def test_the_mail_is_in_the_store_before_the_answer(store: Store, client: smtplib.SMTP) -> None:
    for number in range(1, 30):
        client.sendmail(DANA, [TARGET], HEAD)
        assert store.summary().received == number


def test_each_address_of_a_transaction_gets_a_row(store: Store, client: smtplib.SMTP) -> None:
    client.sendmail(DANA, [TARGET, "embassy@state.example"], HEAD)
    assert [entry.envelope_to for entry in kept(store)] == [TARGET, "embassy@state.example"]
    assert store.summary().distinct_message_ids == 1


def test_an_empty_sender_and_addresses_in_other_scripts_are_taken(store: Store, client: smtplib.SMTP) -> None:
    client.sendmail("", [TARGET], HEAD)
    client.sendmail(DANA, ["жана@озен.example"], HEAD, mail_options=["SMTPUTF8"])
    first, second = kept(store)
    assert first.envelope_from == ""
    assert second.envelope_to == "жана@озен.example"


def test_it_announces_what_it_can_and_no_version(client: smtplib.SMTP) -> None:
    _, greeting = client.ehlo()
    assert client.esmtp_features["size"] == str(SIZE_LIMIT)
    assert {"8bitmime", "smtputf8", "pipelining"} <= set(client.esmtp_features)
    assert "starttls" not in client.esmtp_features
    assert b"aiosmtpd" not in greeting.lower()


def test_the_greeting_names_no_software(server: MailServer) -> None:
    wire = Wire(server.host, server.port)
    assert wire.line() == b"220 localhost postbox\r\n"
    wire.close()


GAPS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r"]


@pytest.mark.parametrize("gap", GAPS)
def test_a_smuggled_end_does_not_end_the_mail(store: Store, wire: Wire, gap: bytes) -> None:
    inner = b"MAIL FROM:<m@m.example>\r\nRCPT TO:<x@y.test>\r\nDATA\r\nSubject: forged\r\n\r\n"
    body = b"Subject: honest\r\n\r\nbegins" + gap + inner + b"ends\r\n"
    wire.say(b"MAIL FROM:<dana@people.example>\r\nRCPT TO:<mr.target@office.example>\r\nDATA\r\n")
    assert wire.codes(3) == ["250", "250", "354"]
    wire.say(body + b".\r\nNOOP\r\n")
    assert wire.codes(2) == ["250", "250"]
    (entry,) = kept(store)
    assert entry.subject == "honest"
    assert b"forged" in entry.raw


def test_commands_in_one_write_are_answered_in_order(store: Store, wire: Wire) -> None:
    wire.say(
        b"RSET\r\nMAIL FROM:<dana@people.example> SIZE=20\r\nRCPT TO:<a@b.example>\r\nNONSENSE\r\n"
        b"RCPT TO:<mr.target@office.example>\r\nRCPT TO:broken@\r\nDATA\r\n"
    )
    # SIZE after HELO is a parameter nobody offered, so the whole group fails, each with its own answer.
    assert wire.codes(7) == ["250", "501", "503", "500", "503", "503", "503"]
    wire.say(
        b"EHLO dana.example\r\n"
        b"MAIL FROM:<dana@people.example> SIZE=20\r\nRCPT TO:<a@b.example>\r\nNONSENSE\r\n"
        b"RCPT TO:<mr.target@office.example>\r\nRCPT TO:broken@\r\nDATA\r\n"
    )
    assert wire.codes(7) == ["250", "250", "250", "500", "250", "553", "354"]
    wire.say(b"Subject: one\r\n\r\n.\r\nMAIL FROM:<dana@people.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
    assert wire.codes(4) == ["250", "250", "250", "354"]
    wire.say(b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
    assert wire.codes(3) == ["250", "221", ""]
    assert [(entry.subject, entry.envelope_to) for entry in kept(store)] == [
        ("one", "a@b.example"), ("one", TARGET), ("two", "c@d.example"),
    ]


def test_bytes_that_drip_one_by_one_make_the_same_mail(store: Store, wire: Wire) -> None:
    head = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
    for byte in head + b"Subject: slow\r\n\r\n..\r\n.\r\n":
        wire.say(bytes([byte]))
    assert wire.codes(4) == ["250", "250", "354", "250"]
    assert kept(store)[0].raw == b"Subject: slow\r\n\r\n.\r\n"


def test_a_mail_that_is_cut_off_is_not_kept(store: Store, server: MailServer, wire: Wire) -> None:
    wire.say(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: half\r\n\r\nand th")
    assert wire.codes(3) == ["250", "250", "354"]
    wire.close()
    with smtplib.SMTP(server.host, server.port, timeout=10) as client:
        client.sendmail(DANA, [TARGET], HEAD)
    assert [entry.subject for entry in kept(store)] == ["No concert"]


def test_a_line_or_a_mail_that_is_too_long_is_refused_and_the_next_is_kept(
    store: Store, client: smtplib.SMTP
) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(DANA, [TARGET], HEAD + b"x" * 5000 + b"\r\n")
    assert refused.value.smtp_code == 500
    client.mail(DANA)
    client.rcpt(TARGET)
    assert client.data((b"y" * 900 + b"\r\n") * (SIZE_LIMIT // 900))[0] == 552
    client.ehlo()
    with pytest.raises(smtplib.SMTPSenderRefused) as announced:
        client.sendmail(DANA, [TARGET], HEAD, mail_options=[f"SIZE={SIZE_LIMIT + 1}"])
    assert announced.value.smtp_code == 552
    client.sendmail(DANA, [TARGET], HEAD)
    assert store.summary().received == 1


def test_more_addresses_than_the_limit_are_put_off(store: Store, client: smtplib.SMTP) -> None:
    refused = client.sendmail(DANA, [f"t{n}@office.example" for n in range(ADDRESSES_LIMIT + 2)], HEAD)
    assert [code for code, _ in refused.values()] == [452, 452]
    assert store.summary().received == ADDRESSES_LIMIT


def test_a_store_that_fails_is_said_so_and_recovers(store: Store, client: smtplib.SMTP) -> None:
    full = "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'full'); END"
    store._writable().execute(full)
    with pytest.raises(smtplib.SMTPDataError) as failed:
        client.sendmail(DANA, [TARGET], HEAD)
    assert failed.value.smtp_code == 451
    store._writable().execute("DROP TRIGGER full")
    client.sendmail(DANA, [TARGET], HEAD)
    assert store.summary().received == 1


def test_many_clients_at_once_lose_nothing_and_double_nothing(store: Store, server: MailServer) -> None:
    failures: list[Exception] = []

    def send(sender: int) -> None:
        try:
            with smtplib.SMTP(server.host, server.port, timeout=10) as client:
                for number in range(25):
                    id_ = f"{sender}.{number}"
                    head = f"X-Postbag-Delivery: {id_}\r\nMessage-ID: <{id_}@postbag.example>\r\n\r\n"
                    client.sendmail(DANA, [TARGET], head)
        except (OSError, smtplib.SMTPException) as failure:
            failures.append(failure)

    senders = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(30)
    assert failures == []
    summary = store.summary()
    assert (summary.letters, summary.distinct_deliveries, summary.distinct_message_ids) == (200, 200, 200)


def test_mails_that_wait_are_committed_together(tmp_path: Path) -> None:
    groups: list[int] = []

    class SlowStore(Store):
        def add_many(self, arrivals: Iterable[Arrival]) -> list[int]:
            arrivals = list(arrivals)
            groups.append(len(arrivals))
            time.sleep(0.2)
            return super().add_many(arrivals)

    server = MailServer(SlowStore(tmp_path / "postbox.sqlite3"))
    server.start()
    wires = [Wire(server.host, server.port) for _ in range(6)]
    for wire in wires:
        wire.say(WHOLE)
    for wire in wires:
        assert wire.codes(6) == ["220", "250", "250", "250", "354", "250"]
        wire.close()
    server.stop()
    assert sum(groups) == 6
    assert max(groups) >= 3


def test_a_mail_in_hand_is_kept_and_answered_when_it_stops(tmp_path: Path) -> None:
    begun = threading.Event()

    class SlowStore(Store):
        def add_many(self, arrivals: Iterable[Arrival]) -> list[int]:
            arrivals = list(arrivals)
            if arrivals:
                begun.set()
                time.sleep(0.3)
            return super().add_many(arrivals)

    server = MailServer(SlowStore(tmp_path / "postbox.sqlite3"))
    server.start()
    wire = Wire(server.host, server.port)
    wire.say(WHOLE)
    assert begun.wait(5)
    server.stop()
    assert wire.codes(7) == ["220", "250", "250", "250", "354", "250", ""]
    wire.close()
    assert server.store.summary().received == 1


def test_a_restart_keeps_what_came_before(store: Store) -> None:
    for count in (1, 2):
        server = MailServer(store)
        server.start()
        with smtplib.SMTP(server.host, server.port, timeout=10) as client:
            client.sendmail(DANA, [TARGET], HEAD)
        server.stop()
        assert Store(Path(store.path)).summary().received == count


def test_stopping_is_quick_with_idle_clients_and_can_be_said_twice(server: MailServer, wire: Wire) -> None:
    begun = time.monotonic()
    server.stop()
    server.stop()
    assert time.monotonic() - begun < 5
    assert wire.line() == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=1)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "office.example", "", "127.1"])  # noqa: S104
def test_an_address_that_others_could_reach_is_refused(store: Store, host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        MailServer(store, host=host)


def test_a_taken_port_is_said_at_once(store: Store, server: MailServer, tmp_path: Path) -> None:
    other = MailServer(Store(tmp_path / "other.sqlite3"), port=server.port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.stop()


def test_a_file_that_is_no_store_is_said_at_once(tmp_path: Path) -> None:
    place = tmp_path / "postbox.sqlite3"
    place.write_bytes(b"this is a shopping list, not a database" * 100)
    with pytest.raises(Exception, match="not a database"):
        MailServer(Store(place)).start()

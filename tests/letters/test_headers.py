"""Who a letter says it is from: whatever somebody calls themselves, each header holds one address, ours."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st

from letters import composing, headers
from letters.composing import WIRE, FinishedLetter, finished, mailbox

AT = datetime(2011, 11, 23, 10, 0, tzinfo=UTC)
OFFICE, DANA = "office@northland.example", "dana@mail.example"
LETTER = FinishedLetter(subject="Free them", text="Dear Office.", sender="Dana", reply_to=DANA)
FORGED = "Angela Chancellor <chancellor@bund.example>, " + "x" * 50
NAMES = [
    FORGED, '"Angela" <chancellor@bund.example>, ' + "x" * 60, "a@b.example, " * 7, "a;b:c@d.example; " * 5,
    "(x) " * 25, "\\" * 100, '"' * 100, "\\\"" * 50, "[x], " * 20, "x" * 100, "<a@b.example>, " * 6 + "Жаңаөзен",
    "é, <a@b.example> " * 5, "Doe, Jane, Minister for Nearly Everything in the Republic of Northland and Beyond",
]  # fmt: skip


def _headers(name: str) -> tuple[bytes, EmailMessage]:
    letter = replace(LETTER, sender=f"{name} via {settings.MAIL_DOMAIN}")
    data = composing.message(delivery_id=7, letter=letter, to_name=name, to_address=OFFICE, date=AT).data
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return data, mail


def _one_address_each(name: str) -> None:
    data, mail = _headers(name)
    for header, address in (("From", f"letter@{settings.MAIL_DOMAIN}"), ("To", OFFICE), ("Reply-To", DANA)):
        assert [[one.addr_spec for one in found.addresses] for found in mail.get_all(header, [])] == [[address]]
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    data.decode("ascii")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_full_of_addresses_is_still_a_name(name: str) -> None:
    _one_address_each(name)


@example(FORGED)
@given(st.text(st.sampled_from(",<>@\"\\();:[] .ab'=?üЖ😀"), min_size=1, max_size=100))
def test_no_name_of_at_most_a_hundred_characters_brings_an_address_in(name: str) -> None:
    _one_address_each(" ".join(name.split()) or "a")


@given(st.text(st.sampled_from(',<>@"\\();:[] .ab'), min_size=1, max_size=100))
def test_a_name_in_ascii_is_read_as_it_was_typed(name: str) -> None:
    name = " ".join(name.split()) or "a"
    assert _headers(name)[1]["To"].addresses[0].display_name == name


@pytest.mark.parametrize(
    "name", ["Dana Writer", "Doe, Jane", "Жаңаөзен", "The Very Long Office of " * 4 + "Nobody", "Dr. " * 24, "é" * 90]
)
def test_names_that_were_never_misread_keep_the_bytes_of_every_earlier_release(name: str) -> None:
    before, after = EmailMessage(policy=policy.SMTP), EmailMessage(policy=WIRE)
    before["To"] = after["To"] = mailbox(name, OFFICE)
    assert bytes(before) == bytes(after)


def test_bytes_that_say_something_else_than_they_were_told_are_refused() -> None:
    as_before = EmailMessage(policy=policy.SMTP)
    as_before["From"] = mailbox(FORGED + "x" * 20, "letter@post.example")
    as_before["To"] = mailbox("", OFFICE)
    with pytest.raises(ValueError, match="From does not hold"):
        finished(as_before)


def test_two_addresses_in_one_header_are_refused() -> None:
    mail = EmailMessage(policy=WIRE)
    mail["To"] = [mailbox("", OFFICE), mailbox("", DANA)]
    with pytest.raises(ValueError, match="To does not hold"):
        finished(mail)


def test_a_line_that_no_server_takes_is_refused() -> None:
    mail = EmailMessage(policy=WIRE)
    mail["To"] = mailbox("x" * 1100, OFFICE)
    with pytest.raises(ValueError, match="too long"):
        finished(mail)


_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=120)


def _decoded(header: bytes) -> str:
    """Return what a header says, its encoded words decoded (RFC 2047 §6.2: what is between two of them is nothing)."""
    value = header.partition(b": ")[2].removesuffix(b"\r\n").replace(b"\r\n", b"").decode("ascii")
    return "".join(
        part.decode(charset or "ascii") if isinstance(part, bytes) else part for part, charset in decode_header(value)
    )


@given(_ANY_TEXT)
def test_a_subject_in_any_script_is_read_as_it_was_written(text: str) -> None:
    header = headers.text("Subject", text)
    assert _decoded(header).strip() == headers.plain(text).strip()
    assert max(map(len, header.split(b"\r\n"))) <= 78 or text.isascii()
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = headers.plain(text)
    ours = message_from_bytes(header + b"\r\n", policy=policy.SMTP)["Subject"]
    reference = message_from_bytes(bytes(mail), policy=policy.SMTP)["Subject"]
    if "  " not in text and text == text.strip() and "=" not in text:  # which EmailMessage itself does not keep
        assert ours == reference


@given(_ANY_TEXT)
def test_a_name_in_any_script_is_read_as_it_was_written(name: str) -> None:
    name = " ".join(name.split()) or "a"
    if name.isascii():
        return  # see above
    header = headers.mailbox("From", name, OFFICE)
    assert _decoded(header).removesuffix(f" <{OFFICE}>").removesuffix(f"<{OFFICE}>").strip() == headers.plain(name)
    for line in header.decode("ascii").split("\r\n"):
        assert len(line) <= 76 or "=?" not in line


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y.example", "a\nb", "a\0b", "a\x7fb"])
def test_a_line_break_never_becomes_a_header(bad: str) -> None:
    with pytest.raises(ValueError, match="line breaks"):
        headers.text("Subject", bad)
    with pytest.raises(ValueError, match="line breaks"):
        headers.mailbox("To", bad, OFFICE)

"""Who a letter says it is from: whatever somebody calls themselves, each header holds one address, ours."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st

from letters import composing
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

"""Reading a composed letter back for a provider: as the email package would, only quicker."""

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters.composing import WIRE, finished, mailbox
from tests.worker.provider_lines import a_letter
from worker.transports.provider.backends import form
from worker.transports.provider.mail import one_address, one_line, read

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200)
SUBJECT = LINE.map(lambda line: " ".join(line.split())).filter(bool)  # as letters.composing makes it


@given(text=TEXT, subject=SUBJECT, sender=LINE, to_name=LINE)
def test_every_letter_reads_as_the_email_package_reads_it(text: str, subject: str, sender: str, to_name: str) -> None:
    """Any script, any length, any quotes, any line that looks like something else."""
    try:
        message = a_letter(text=text, subject=subject, sender=sender, to_name=to_name)
    except ValueError:
        return  # composing refuses what it could not say
    headers, body = read(message.data)
    judge = BytesParser(policy=email.policy.default).parsebytes(message.data)
    assert body == judge.get_content().replace("\r\n", "\n")
    assert set(headers) == {name.lower() for name in judge}
    assert one_line(headers["subject"]) == str(judge["Subject"])
    for name in ("From", "To", "Reply-To"):
        (address,) = judge[name].addresses
        assert one_address(headers[name.lower()]) == (address.display_name, address.addr_spec)
    for name in ("Date", "Message-ID", "X-Postbag-Delivery"):
        assert headers[name.lower()] == str(judge[name])


@given(st.dictionaries(LINE, st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=3))))
def test_a_form_reads_as_it_was_filled_in(fields: dict[str, str | list[str]]) -> None:
    """Whatever stands in a text, it cannot become a field of its own."""
    told = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    assert form(fields) == urlencode(fields, doseq=True)
    assert parse_qsl(form(fields), keep_blank_values=True, strict_parsing=bool(fields)) == told


LETTER = a_letter().data


@pytest.mark.parametrize(
    "data",
    [
        LETTER.replace(b"text/plain", b"text/html"),
        LETTER.replace(b"utf-8", b"utf-16"),
        LETTER.replace(b"quoted-printable", b"base64"),
        LETTER.replace(b"Content-Type:", b"Content-Type: multipart/mixed; boundary=x\r\nX-Type:"),
        LETTER.replace(b"Subject:", b"To: somebody@else.example\r\nSubject:"),
        b"",
    ],
    ids=["HTML", "another charset", "another packing", "parts", "To twice", "nothing"],
)
def test_what_is_not_one_plain_text_is_not_read(data: bytes) -> None:
    """A defect of ours: the engine tells it, and nothing is handed over."""
    with pytest.raises((ValueError, LookupError)):
        read(data)


@pytest.mark.parametrize("header", ["", "a@x.example, b@y.example", "Undisclosed: a@x.example, b@y.example;"])
def test_one_address_is_one(header: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        one_address(header)


def test_the_mail_to_supporters_is_read_too() -> None:
    """It is composed by other hands."""
    mail = EmailMessage(policy=WIRE)
    mail["From"], mail["To"] = mailbox("Hilfe für Ölarbeiter", "confirm@us.example"), mailbox("", "d@m.example")
    mail["Subject"] = "Bestätigen"
    mail["Date"] = datetime(2011, 11, 23, tzinfo=UTC)
    mail.set_content("123456\n\nüber https://letters.example/" + "x" * 120 + "\n", cte="quoted-printable")
    headers, body = read(finished(mail))
    assert one_address(headers["from"]) == ("Hilfe für Ölarbeiter", "confirm@us.example")
    assert one_line(headers["subject"]) == "Bestätigen"
    assert body == "123456\n\nüber https://letters.example/" + "x" * 120 + "\n"

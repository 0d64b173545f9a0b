"""Letters made readable, also when they are broken."""

import random

import pytest

from postbox.reading import headings, name_of, read


def test_headers_are_found_folded_encoded_and_in_any_case() -> None:
    found = headings(
        b"TO: =?utf-8?q?Frau_M=C3=BCller?= <mueller@office.example>\r\n"
        b"from: Dana <dana@people.example>\r\n"
        b"Subject: =?utf-8?b?0JbQsNC90LA=?=\r\n =?utf-8?b?0L7Qt9C10L0=?=\r\n"
        b"Message-Id: <1@postbag.example>\r\n"
        b"x-postbag-delivery:  d1 \r\n"
        b"Subject: a second one\r\n"
        b"\r\nTo: not me\r\n"
    )
    assert found.to == "Frau Müller <mueller@office.example>"
    assert found.from_ == "Dana <dana@people.example>"
    assert found.subject == "Жанаозен"
    assert found.message_id == "<1@postbag.example>"
    assert found.delivery == "d1"


def test_a_long_subject_is_unfolded_to_one_line() -> None:
    assert headings(b"Subject: one\r\n two\r\n\tthree\r\n\r\n").subject == "one two three"


def test_headers_in_the_body_are_not_headers() -> None:
    assert headings(b"To: a@b.example\r\n\r\nX-Postbag-Delivery: d1\r\n").delivery == ""
    assert headings(b"\r\nX-Postbag-Delivery: d1\r\n").delivery == ""


def test_the_name_goes_with_its_own_address() -> None:
    header = '"Target, Mr" <mr.target@office.example>, Embassy <embassy@state.example>'
    assert name_of("EMBASSY@state.example", header) == "Embassy"
    assert name_of("mr.target@office.example", header) == "Target, Mr"
    assert name_of("nobody@office.example", header) == ""


def test_both_bodies_are_chosen_and_attachments_are_not() -> None:
    shown = read(
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n'
        b"--o\r\nContent-Disposition: attachment\r\nContent-Type: text/plain\r\n\r\nattached\r\n"
        b'--o\r\nContent-Type: multipart/alternative; boundary="i"\r\n\r\n'
        b"--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n--i\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>caf\xc3\xa9</p>\r\n--i--\r\n--o--\r\n"
    )
    assert shown.text.strip() == "café"
    assert shown.html.strip() == "<p>café</p>"
    assert shown.headers[0] == ("MIME-Version", "1.0")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"no headers at all", "no headers at all"),
        (b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nnever began', "never began"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", "no boundary"),
        (b"Content-Type: text/plain; charset=klingon\r\n\r\nhello", "hello"),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!!!aGVsbG8", "hello"),
        (b"Content-Type: ;;;\r\n\r\nhello", "hello"),
        (b"To: <<<@@@,\r\nDate: never\r\nFrom: \xff\xfe\r\n\r\nhello", "hello"),
        (b"Subject: =?utf-8?b?!!?= =?nope?q?x?=\r\n\r\nhello", "hello"),
        (b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\ncut off', "cut off"),
        (b"Content-Type: text/plain\r\n\r\nlatin \xe9", "latin \ufffd"),
    ],
)
def test_a_broken_letter_is_still_readable(raw: bytes, text: str) -> None:
    shown = read(raw)
    assert text in shown.text
    headings(raw)
    "".join(f"{name}{value}" for name, value in shown.headers).encode()


def test_mail_of_random_pieces_never_raises() -> None:
    pieces = [
        *(b"To: ", b"Subject: ", b"Message-ID: <[", b"]>", b"=?utf-8?b?", b"?=", b"--x", b"charset*=", b"a"),
        *(b"\r\n\r\n", b"\r\n", b"\n", b"\r", b" ", b"<", b">", b"@", b'"', b"(", b";", b"\xff", b"\x00"),
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/plain;",
    ]
    draw = random.Random(16122011)  # noqa: S311 – the same mails each time
    for _ in range(1500):
        raw = b"".join(draw.choices(pieces, k=draw.randrange(1, 30)))
        shown = read(raw)
        kept = headings(raw)
        (shown.text + shown.html + kept.to + kept.subject + kept.message_id).encode()


def test_very_deep_nesting_is_survived() -> None:
    layer = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n"
    raw = b"".join(layer % (n, n) for n in range(3000))
    shown = read(raw + b"\r\ndeep")
    assert isinstance(shown.text, str)

"""Links that open a mail app: RFC 6068, and never longer than every browser hands over."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters import own_mail
from letters.own_mail import MOST_OCTETS, OwnMail

TO = "office@northland.example"


def fields(mail: OwnMail) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(mail.mailto).query, strict_parsing=True).items()}


def test_the_link_carries_address_subject_and_text() -> None:
    mail = own_mail.compose(address=TO, subject="Oil & gas: 100 % + you?", text="Dear #1,\n\nGrüße & 漢字 = a+b")
    assert mail.mailto.startswith(f"mailto:{TO}?subject=")
    assert fields(mail) == {"subject": "Oil & gas: 100 % + you?", "body": "Dear #1,\r\n\r\nGrüße & 漢字 = a+b"}
    assert "+" not in mail.mailto  # RFC 6068 §5: a plus is a plus, and no space
    assert "%0D%0A" in mail.mailto
    assert not mail.is_pasted


def test_what_an_address_may_hold_is_encoded() -> None:
    mail = own_mail.compose(address="o'neil?x&y@mail.example", subject="s", text="t")
    assert mail.mailto.startswith("mailto:o%27neil%3Fx%26y@mail.example?")


def test_webmail_gets_the_same() -> None:
    mail = own_mail.compose(address=TO, subject="Oil & gas", text="Dear you,\nplease.")
    gmail, outlook = (parse_qs(urlsplit(link).query, strict_parsing=True) for link in (mail.gmail, mail.outlook))
    assert (gmail["to"], gmail["su"], gmail["body"]) == ([TO], ["Oil & gas"], ["Dear you,\r\nplease."])
    assert (outlook["to"], outlook["subject"], outlook["body"]) == ([TO], ["Oil & gas"], ["Dear you,\r\nplease."])


@pytest.mark.parametrize(
    ("text", "pasted"), [("x" * 1600, False), ("x" * 1800, True), ("ж" * 260, False), ("ж" * 300, True)]
)
def test_it_is_octets_that_count(text: str, pasted: bool) -> None:
    mail = own_mail.compose(address=TO, subject="Oil", text=text)
    assert mail.is_pasted is pasted
    assert fields(mail)["subject"] == "Oil"
    assert fields(mail)["body"] == ("(paste your letter here)" if pasted else text)


@given(st.text(max_size=200), st.text(max_size=3000))
def test_no_link_is_ever_too_long_and_none_can_gain_a_field(subject: str, text: str) -> None:
    subject, text = (part.encode(errors="ignore").decode() for part in (subject, text))
    mail = own_mail.compose(address=TO, subject=subject, text=text)
    assert mail.octets <= MOST_OCTETS
    for link in (mail.mailto, mail.gmail, mail.outlook):
        assert link.isascii()
    about, _and, body = mail.mailto.partition("?subject=")[2].partition("&body=")
    assert unquote(about) == subject or (mail.is_pasted and subject.startswith(unquote(about)))
    assert "&" not in body
    if not mail.is_pasted:
        assert unquote(body).replace("\r\n", "\n") == text.replace("\r\n", "\n")

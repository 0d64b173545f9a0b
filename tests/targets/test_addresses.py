"""E-mail addresses and names: what is taken, what is refused, and with which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.addresses import (
    AddressRefused,
    NameRefused,
    clean_person_name,
    is_role_address,
    normalise_email,
    parse_email,
)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("a@bü.example", "a@xn--b-eha.example"),
        ("o'neil+x@b.example", "o'neil+x@b.example"),
        ("  Dana.Writes@Office.EXAMPLE ", "Dana.Writes@office.example"),
        ("a@b.test", "a@b.test"),
        ("a@xn--b-eha.example", "a@xn--b-eha.example"),
        ("a@\u0430pple.example", "a@xn--pple-43d.example"),  # a Cyrillic а: taken, and seen as what it is
        ("a" * 64 + "@b.example", "a" * 64 + "@b.example"),
    ],
)
def test_a_bare_address_is_taken_with_its_domain_in_canonical_form(written: str, canonical: str) -> None:
    assert parse_email(written) == canonical
    assert parse_email(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "blank"),
        ("   ", "blank"),
        ("a@b.example\n", "line_break"),
        ("a@b.example\r\nBcc: x@y.example", "line_break"),
        ("a\u2028@b.example", "line_break"),
        ("a@b@c.example", "several"),
        ("a@b.example, c@d.example", "several"),
        ("a@b.example;c", "several"),
        ('"a@evil.example" <b@good.example>', "name_included"),
        ('"a b"@c.example', "quoted"),
        ("a@[127.0.0.1]", "number"),
        ("a@127.0.0.1", "number"),
        ("a@localhost", "no_dot"),
        ("a@example", "no_dot"),
        ("a.example", "no_at"),
        ("@b.example", "no_local_part"),
        ("a@", "no_domain"),
        ("-f@b.example", "leading_hyphen"),
        ("a!b@c.example", "relayed"),
        ("a%v@b.example", "relayed"),
        ("=?utf-8?q?a?=@b.example", "encoded"),
        ("a" * 65 + "@b.example", "local_part_too_long"),
        ("a@" + "b" * 60 + ("." + "c" * 60) * 4 + ".example", "too_long"),
        ("a@ｂ.example", "look_alike"),
        ("a@b．example", "look_alike"),
        ("a@ﬀ.example", "look_alike"),
        ("jö@b.example", "not_ascii"),
        ("in fo@b.example", "blank_inside"),
        ("a\0@b.example", "invisible_character"),
        ("a\u200b@b.example", "invisible_character"),
        ("a..b@c.example", "not_an_address"),
        ("a@-b.example", "not_an_address"),
        ("a@b_c.example", "not_an_address"),
        ("a@xn--zzzz.example", "not_an_address"),
    ],
)
def test_anything_else_is_refused_with_a_sentence_that_says_what_to_do(written: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_email(written)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")
    assert "invalid" not in refused.value.sentence.lower()


@given(st.text(max_size=80) | st.from_regex(r"[\w.%+-]{0,70}@[\w.-]{0,80}", fullmatch=True))
def test_whatever_is_written_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_email(text)
    except AddressRefused:
        return
    local, at, domain = address.partition("@")
    assert at == "@"
    assert 1 <= len(local.encode()) <= 64
    assert len(address.encode()) <= 254
    assert domain.isascii()
    assert domain == domain.lower()
    assert "." in domain
    assert not any(char.isspace() for char in address)
    assert parse_email(address) == address


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Dana@Office.example", "dana@office.example", True),
        ("d.a.n.a+news@gmail.com", "DANA@googlemail.com", True),
        ("dana+news@office.example", "dana@office.example", False),
        ("d.ana@office.example", "dana@office.example", False),
        ("a@BÜ.example", "a@xn--b-eha.example", True),
    ],
)
def test_spellings_of_one_mailbox_are_counted_once(one: str, other: str, *, same: bool) -> None:
    assert (normalise_email(one) == normalise_email(other)) is same


@given(st.text(max_size=60))
def test_folding_an_address_twice_changes_nothing_more(text: str) -> None:
    assert normalise_email(normalise_email(text)) == normalise_email(text)


@pytest.mark.parametrize(
    "address", ["abuse@x.example", "ALL@x.example", "No-Reply+a@x.example", "owner-list@x.example"]
)
def test_mailboxes_of_machines_and_houses_are_told_apart(address: str) -> None:
    assert is_role_address(address)


@pytest.mark.parametrize(
    "address", ["allan@x.example", "info@x.example", "office@x.example", "rooty@x.example"]
)
def test_mailboxes_that_people_read_are_not_role_addresses(address: str) -> None:
    assert not is_role_address(address)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('"Eve" <v@v.example>, "', '"Eve" <v@v.example>, "'),
        ("Doe, Jane", "Doe, Jane"),
        ("  Ainur \t  Kurmanov\u00a0", "Ainur Kurmanov"),
        ("Zoe\u0308", "Zoë"),
        ("🕊️", "🕊️"),
        ("محمد", "محمد"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_kept_as_people_write_it(written: str, kept: str) -> None:
    assert clean_person_name(written) == kept


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Eve\r\nBcc: x@y.example", "line_break"),
        ("Eve\x00", "control_character"),
        ("\ud800", "control_character"),
        ("Eve\u202egnp", "direction_mark"),
        ("Eve\u2066", "direction_mark"),
        ("Eve\u200f", "direction_mark"),
        ("E\u200bve", "invisible_character"),
        ("E\u2060ve", "invisible_character"),
        ("\u3164", "invisible_character"),
        ("  ", "blank"),
        ("\u0301", "blank"),
        ("x" * 101, "too_long"),
    ],
)
def test_a_name_that_hides_something_is_refused(written: str, code: str) -> None:
    with pytest.raises(NameRefused) as refused:
        clean_person_name(written)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


@given(st.text(max_size=120))
def test_a_cleaned_name_stays_as_it_is(text: str) -> None:
    try:
        name = clean_person_name(text)
    except NameRefused:
        return
    assert clean_person_name(name) == name
    assert 0 < len(name) <= 100
    assert "\n" not in name

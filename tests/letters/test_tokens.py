"""Tokens open what they name, for their purpose, exactly as given."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from letters import tokens
from tests.cast import NOW

PURPOSES = [tokens.DRAFT, tokens.PROVEN, tokens.STATUS, tokens.CONFIRM]
KEYS = st.binary(min_size=16, max_size=16)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(KEYS, st.sampled_from(PURPOSES), st.sampled_from(PURPOSES))
def test_a_token_opens_for_its_purpose_alone(key: bytes, purpose: str, other: str) -> None:
    token = tokens.make(purpose, key)
    assert len(token) == 43
    assert tokens.read(other, token) == (key if purpose == other else None)


@given(KEYS, st.integers(0, 42), st.sampled_from(ALPHABET))
def test_a_token_with_one_other_character_opens_nothing(key: bytes, place: int, other: str) -> None:
    token = tokens.make(tokens.STATUS, key)
    changed = token[:place] + other + token[place + 1 :]
    assert (tokens.read(tokens.STATUS, changed) is not None) == (changed == token)


@given(KEYS, st.integers(0, 255))
def test_a_token_with_one_other_bit_opens_nothing(key: bytes, bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(tokens.make(tokens.STATUS, key) + "="))
    raw[bit // 8] ^= 1 << bit % 8
    changed = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert tokens.read(tokens.STATUS, changed) is None


def test_the_last_character_has_one_spelling() -> None:
    token = tokens.make(tokens.STATUS, bytes(16))
    accepted = [last for last in ALPHABET if tokens.read(tokens.STATUS, token[:-1] + last)]
    assert accepted == [token[-1]]


@given(KEYS, st.sampled_from(["", ".", ">", "=", ">.", "..."]), st.sampled_from(["", "3D"]))
def test_what_mail_programs_add_is_forgiven(key: bytes, end: str, begin: str) -> None:
    assert tokens.read(tokens.CONFIRM, begin + tokens.make(tokens.CONFIRM, key) + end) == key


def test_a_token_that_begins_like_an_escape_opens_too() -> None:
    key = bytes([0xDC, 0x30]) + bytes(14)
    token = tokens.make(tokens.CONFIRM, key)
    assert token.startswith("3D")
    assert tokens.read(tokens.CONFIRM, token) == key
    assert tokens.read(tokens.CONFIRM, "3D" + token) == key


@given(st.text(max_size=80))
def test_anything_else_opens_nothing(text: str) -> None:
    assert tokens.read(tokens.DRAFT, text) is None


def test_another_secret_opens_nothing(settings: Settings) -> None:
    token, reference = tokens.make(tokens.DRAFT, bytes(16)), tokens.reference(7)
    settings.SECRET_KEY = "another key, as long as the first one was"
    assert tokens.read(tokens.DRAFT, token) is None
    assert tokens.read_reference(reference) is None


def test_codes_are_six_digits_and_differ() -> None:
    codes = {tokens.code(bytes([n]) * 16) for n in range(200)}
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 190


@given(st.integers(1, 2**50))
def test_a_reference_names_its_delivery(delivery_id: int) -> None:
    reference = tokens.reference(delivery_id)
    assert tokens.read_reference(reference) == delivery_id
    assert tokens.read_reference(reference[:-1]) is None
    assert tokens.read_reference(reference.upper()) is None
    assert tokens.read_reference(f"{delivery_id + 1:x}-{reference.partition('-')[2]}") is None


@pytest.mark.parametrize("text", ["", "-", "x", "1", "1-", "-1-2", "1-é", "\u0661-00"])
def test_no_reference_names_nothing(text: str) -> None:
    assert tokens.read_reference(text) is None


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**62 - 1), st.integers(0, 223))
def test_what_a_page_drew_comes_back_and_any_other_bit_says_nothing(wording: int, draw: int, bit: int) -> None:
    drawn = tokens.drawn(wording, draw, now=NOW)
    assert len(drawn) == 38
    assert tokens.read_drawn(drawn) == tokens.Drawn(wording, draw, int(NOW.timestamp()))
    raw = bytearray(base64.urlsafe_b64decode(drawn + "=="))
    raw[bit // 8] ^= 1 << bit % 8
    assert tokens.read_drawn(base64.urlsafe_b64encode(raw).decode().rstrip("=")) is None


@pytest.mark.parametrize("text", ["", "A", "=", "ü" * 38, "A" * 38, "A" * 10_000])
def test_what_no_page_gave_says_nothing(text: str) -> None:
    assert tokens.read_drawn(text) is None

"""Countries: their codes, and what they are called in a language."""

import pytest

from targets import countries


@pytest.mark.parametrize(("typed", "code"), [("DE", "DE"), (" dk ", "DK"), ("zz", "ZZ"), ("gr", "GR")])
def test_a_code_is_kept_in_capitals(typed: str, code: str) -> None:
    assert countries.code_of(typed) == code


@pytest.mark.parametrize("typed", ["", "D", "DEU", "D1", "xx", "\x00\x00", "ДЕ", "Denmark", "'; drop"])
def test_anything_else_is_no_country(typed: str) -> None:
    assert countries.code_of(typed) == ""


def test_a_country_is_called_as_the_language_calls_it() -> None:
    assert countries.name_of("DE", "en") == "Germany"
    assert countries.name_of("DE", "ru") == "Германия"
    assert countries.name_of("DE", "en-GB") == "Germany"
    assert countries.name_of("DE", "qq") == "Germany"


def test_a_place_that_has_no_code_has_no_name() -> None:
    assert countries.name_of(countries.ELSEWHERE, "en") == ""
    assert countries.name_of("", "en") == ""

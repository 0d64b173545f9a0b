"""What arrived with characters lost on the way is refused, and kept to be mended."""

from collections.abc import Callable

import pytest

from letters import fields
from letters.models import Letter

BROKEN = "M\ufffdller writes a whole sentence"


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("body", lambda typed, errors: fields.text("body", typed, errors, most=200)),
        ("subject", fields.subject),
        ("name", fields.name),
        ("town", fields.town),
    ],
)
def test_lost_characters_are_named_and_the_rest_is_kept(field: str, read: Callable[[str, dict[str, str]], str]) -> None:
    errors: dict[str, str] = {}
    assert read(BROKEN, errors) == BROKEN
    assert "lost on the way" in errors[field]
    errors.clear()
    assert read(BROKEN.replace("\ufffd", "ü"), errors) == BROKEN.replace("\ufffd", "ü")
    assert not errors


def test_an_address_with_lost_characters_is_named_so_too() -> None:
    errors: dict[str, str] = {}
    assert fields.email("m\ufffdller@mail.example", errors, Letter()) == "m\ufffdller@mail.example"
    assert "lost on the way" in errors["email"]

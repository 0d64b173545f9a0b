"""Colours of partners' frames: kept where everybody can read them, moved as little as needed where not."""

import random

import pytest

from campaigns import looks
from campaigns.looks import Look


def test_the_product_s_own_look_is_kept_as_it_is() -> None:
    usual = Look()
    again = looks.readable(accent=usual.accent, paper=usual.paper, corner=usual.corner, scale=usual.scale)
    assert (again.accent, again.paper) == (usual.accent, usual.paper)


def test_a_thousand_colours_by_chance_all_become_readable_in_the_light_and_in_the_dark() -> None:
    """UX §11, 30."""
    chance = random.Random(30)  # noqa: S311  the same each time
    for _ in range(1000):
        accent, paper = (f"#{chance.randrange(2**24):06x}" for _ in range(2))
        look = looks.readable(accent=accent, paper=paper, corner=3, scale=100)
        assert looks.contrast(looks.INK, look.paper) >= 7
        assert looks.contrast(look.accent, look.paper) >= 4.5
        assert looks.contrast("#ffffff", look.accent) >= 4.5
        assert looks.contrast(look.dark_accent, looks.DARK_PAPER) >= 4.5
        assert looks.contrast(looks.ON_DARK, look.dark_accent) >= 4.5
        if looks.contrast(accent, look.paper) >= 4.5 and looks.contrast("#ffffff", accent) >= 4.5:
            assert look.accent == accent, "a colour that is readable is not touched"


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48)])
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert looks.contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert looks.contrast(other, one) == looks.contrast(one, other)


@pytest.mark.parametrize("text", ["red", "#fff", "#12345g", "#0B5A67", "#0b5a67;x", ""])
def test_what_is_no_colour(text: str) -> None:
    assert not looks.is_colour(text)


def test_corners_and_type_stay_within_bounds() -> None:
    look = looks.readable(accent="#0b5a67", paper="#ffffff", corner=99, scale=300)
    assert (look.corner, look.scale) == (looks.MOST_CORNER, 125)

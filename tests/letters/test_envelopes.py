"""Where things stand, so that the address shows through the window wherever the sheet slides."""

import pytest

from letters import envelopes
from letters.envelopes import Layout

LAYOUTS = list(envelopes.LAYOUTS.values())


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_the_address_shows_wherever_the_sheet_slides(layout: Layout) -> None:
    left, top, right, bottom = layout.always_shown
    begins = layout.field_left + envelopes.INSET
    assert left <= begins
    assert begins + envelopes.ADDRESS_WIDTH <= right
    assert top <= layout.address_top
    assert layout.address_top + envelopes.ADDRESS_HEIGHT <= bottom + 0.5  # the last line's tails


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_the_folded_sheet_goes_into_its_envelope(layout: Layout) -> None:
    first, second = layout.folds
    panels = (first, second - first, layout.height - second)
    assert max(panels) < layout.envelope.height
    assert layout.width < layout.envelope.width
    # Folded at the marks the first fold lies on the envelope's lower edge: no panel may reach below it.
    assert panels[1] <= layout.envelope.height


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_sender_address_and_text_do_not_meet(layout: Layout) -> None:
    assert layout.text_top + 11 >= layout.field_top + envelopes.FIELD_HEIGHT
    beside = layout.sender_left >= layout.field_left + envelopes.FIELD_WIDTH
    above = layout.sender_top + 7 * 4.3 <= layout.field_top + envelopes.NOTES_HEIGHT  # seven lines of ten points
    assert beside or above
    assert layout.sender_left + layout.sender_width <= layout.width


@pytest.mark.parametrize(
    ("key", "field_top", "folds"),
    [("left", 27, [87, 192]), ("left-low", 45, [105, 210])],
)
def test_forms_a_and_b_of_din_5008(key: str, field_top: int, folds: list[int]) -> None:
    layout = envelopes.LAYOUTS[key]
    assert layout.field_left == 20
    assert layout.field_top == field_top
    assert list(layout.folds) == folds
    assert envelopes.FIELD_WIDTH == 85
    assert envelopes.FIELD_HEIGHT == 45


def test_a_window_in_the_wrong_place_would_be_noticed() -> None:
    moved = envelopes.Envelope(220, 110, 20, 40, 90, 45)
    layout = Layout("x", moved, 210, 297, (87, 192), field_left=20, field_top=27, sender_left=125, text_top=79)
    assert layout.address_top + envelopes.ADDRESS_HEIGHT > layout.always_shown[3]


@pytest.mark.parametrize(
    ("country", "key"),
    [("DE", "left"), ("AT", "left"), ("gb", "left-low"), ("FR", "right"), ("CH", "right"), ("US", "number-10"),
     ("CA", "number-10"), ("KZ", "left"), ("ZZ", "left"), ("", "left")],
)  # fmt: skip
def test_each_country_has_its_usual_envelope(country: str, key: str) -> None:
    assert envelopes.usual_in(country).key == key

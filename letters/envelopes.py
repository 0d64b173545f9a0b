"""Window envelopes, and where things stand on a first sheet so that its address shows through the window.

All measures are millimetres. Windows differ by country and by maker, so each layout names the one envelope that it is
reckoned for, and pages say which: no other fit is claimed.
"""

from dataclasses import dataclass

FIELD_WIDTH, FIELD_HEIGHT = 85.0, 45.0  # DIN 5008: the address field …
NOTES_HEIGHT = 17.7  # … whose upper zone ends with the return line; the address stands below it
INSET = 5.0  # from the field's left edge to the address
ADDRESS_WIDTH, ADDRESS_HEIGHT = 75.0, 22.5  # what of the field shows wherever the sheet slides


@dataclass(frozen=True, slots=True)
class Envelope:
    """A window envelope. The window is measured from the envelope's left and lower edges."""

    width: float
    height: float
    window_left: float
    window_bottom: float
    window_width: float
    window_height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A paper size, how it is folded for its envelope, and where address, sender and text begin."""

    key: str
    envelope: Envelope
    width: float
    height: float
    folds: tuple[float, float]
    field_left: float
    field_top: float
    sender_left: float
    text_top: float  # where the date stands, on the right; the subject comes some 11 mm below
    sender_top: float = 20.0
    sender_width: float = 65.0
    margin_left: float = 25.0
    margin_right: float = 20.0
    margin_top: float = 20.0
    margin_bottom: float = 20.0

    @property
    def address_top(self) -> float:
        """Return where the first line of the address begins."""
        return self.field_top + NOTES_HEIGHT + 1

    @property
    def always_shown(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of what the window shows however the folded sheet slides about.

        The sheet is folded to panels, the first being the highest, and lies somewhere in the envelope.
        """
        left, top, right, bottom = self.may_show
        across, down = self._play
        return left + across, top + down, right - across, bottom - down

    @property
    def may_show(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of what the window shows at one place or another of the sheet."""
        case = self.envelope
        across, down = self._play
        bottom = self.folds[0] - case.window_bottom  # the first fold lies on the envelope's lower edge, or higher
        right = case.window_left + case.window_width  # the sheet lies at the envelope's left edge, or further right
        return case.window_left - across, bottom - case.window_height, right, bottom + down

    @property
    def _play(self) -> tuple[float, float]:
        """Return how far the folded sheet slides sideways, and up and down."""
        panel = max(self.folds[0], self.folds[1] - self.folds[0], self.height - self.folds[1])
        return self.envelope.width - self.width, self.envelope.height - panel


_DIN = Envelope(220, 110, window_left=20, window_bottom=15, window_width=90, window_height=45)  # DIN 680, DL
_BRITISH = Envelope(220, 110, window_left=20, window_bottom=18, window_width=90, window_height=35)
_FRENCH = Envelope(220, 110, window_left=100, window_bottom=20, window_width=100, window_height=35)
_NUMBER_10 = Envelope(241.3, 104.8, window_left=22.2, window_bottom=12.7, window_width=114.3, window_height=28.6)

LAYOUTS = {
    layout.key: layout
    for layout in (
        # DIN 5008 form A, which leaves more of the page to the text than form B.
        Layout("left", _DIN, 210, 297, folds=(87, 192), field_left=20, field_top=27, sender_left=125, text_top=77),
        # DIN 5008 form B: its field shows through the lower and flatter windows of British envelopes as well.
        Layout("left-low", _BRITISH, 210, 297, folds=(105, 210), field_left=20, field_top=45, sender_left=125,
               text_top=96),
        Layout("right", _FRENCH, 210, 297, folds=(105, 210), field_left=102, field_top=38, sender_left=25,
               text_top=92),
        # A #10 leaves little play to a first panel of 101 mm, so that its flat window shows five lines in any case.
        Layout("number-10", _NUMBER_10, 215.9, 279.4, folds=(101, 190.2), field_left=20.4, field_top=45.8,
               sender_left=131, text_top=83, margin_left=25.4),
    )
}  # fmt: skip
DEFAULT = LAYOUTS["left"]
_USUAL = {
    "left-low": "GB IE",
    "right": "BE CH ES FR IT LI LU MC",
    "number-10": "BZ CA CL CO CR GT MX NI PA PH PR SV US VE",  # who write on US Letter: Unicode CLDR, paperSize
}
_BY_COUNTRY = {country: LAYOUTS[key] for key, countries in _USUAL.items() for country in countries.split()}


def usual_in(country: str) -> Layout:
    """Return the layout for the envelopes that are usual where a letter is posted (ISO 3166-1 alpha-2, or "")."""
    return _BY_COUNTRY.get(country.upper(), DEFAULT)

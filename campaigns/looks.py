"""How the form looks on a partner's page: an accent, the paper, the corners and the size of type, all readable.

A colour that would be hard to read is moved to the nearest that is not, along its lightness alone (WCAG 2.2 SC 1.4.3:
4.5 to 1 for text), in the light and in the dark.
"""

import colorsys
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ENOUGH = 4.5
ENOUGH_FOR_INK = 7.0  # long texts stand on the paper
INK, LIGHT_PAPER, DARK_PAPER, ON_DARK = "#1b2430", "#fbfaf7", "#14181d", "#0c1a1d"  # static/css/tokens.css
ACCENT, DARK_ACCENT = "#0b5a67", "#6cc6d2"
MOST_CORNER, SCALES = 16, (87, 100, 112, 125)  # pixels; per cent
_HEX = re.compile(r"#[0-9a-f]{6}")
_STEPS = 24  # halvings of lightness: finer than a colour's eight bits


@dataclass(frozen=True)
class Look:
    """The tokens of one partner's frame: colours as `#rrggbb`, the corner in pixels, the scale in per cent."""

    accent: str = ACCENT
    dark_accent: str = DARK_ACCENT
    paper: str = LIGHT_PAPER
    corner: int = 3
    scale: int = 100

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @property
    def is_usual(self) -> bool:
        """Return whether it is the product's own."""
        return self == Look()


def is_colour(text: str) -> bool:
    """Return whether a text is a colour as `#rrggbb` in lower case."""
    return bool(_HEX.fullmatch(text))


def readable(*, accent: str, paper: str, corner: int, scale: int) -> Look:
    """Return the look nearest to these wishes that everybody can read. Both colours as `#rrggbb` in lower case."""
    paper = _moved(paper, lambda tried: contrast(INK, tried) >= ENOUGH_FOR_INK, lighter=True)
    return Look(
        accent=_moved(accent, lambda tried: _fits(tried, paper, "#ffffff"), lighter=False),
        dark_accent=_moved(accent, lambda tried: _fits(tried, DARK_PAPER, ON_DARK), lighter=True),
        paper=paper,
        corner=min(max(corner, 0), MOST_CORNER),
        scale=min(SCALES, key=lambda known: abs(known - scale)),
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _fits(accent: str, paper: str, on_accent: str) -> bool:
    return contrast(accent, paper) >= ENOUGH and contrast(on_accent, accent) >= ENOUGH


def _moved(colour: str, fits: Callable[[str], bool], *, lighter: bool) -> str:
    """Return the colour itself where it fits, else the nearest that does, lighter or darker in the same hue."""
    if fits(colour):
        return colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    near, far = lightness, 1.0 if lighter else 0.0  # black and white fit whatever paper may be
    for _ in range(_STEPS):
        middle = (near + far) / 2
        near, far = (near, middle) if fits(_hex(hue, middle, saturation)) else (middle, far)
    return _hex(hue, far, saturation)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

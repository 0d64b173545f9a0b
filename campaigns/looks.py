"""How a campaign looks, and its form on a partner's page: colours, corners, type and voice, all readable.

A colour that would be hard to read is moved to the nearest that is not, along its lightness alone (WCAG 2.2 SC 1.4.3:
4.5 to 1 for text), in the light and in the dark.
"""

import colorsys
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

ENOUGH = 4.5
ENOUGH_FOR_INK = 7.0  # long texts stand on the paper
ENOUGH_TO_BE_SEEN = 1.5  # the edge says nothing: it only has to be there
INK, LIGHT_PAPER = "#1b2430", "#fbfaf7"  # static/css/tokens.css, like all of these
DARK_INK, DARK_PAPER = "#e8e6e1", "#14181d"
SHEET, DARK_SHEET = "#ffffff", "#1c2229"  # of the letter; links stand on it too
WARNED, DARK_WARNED = "#fff4dc", "#2a2416"  # what is said in warning: links and buttons stand on it
ON_ACCENT, ON_DARK = "#ffffff", "#0c1a1d"  # what is written on the accent
ACCENT, DARK_ACCENT = "#0b5a67", "#6cc6d2"
EDGES, DARK_EDGES = (ACCENT, "#a3231b"), (DARK_ACCENT, "#ff9b90")
_DARK = dict(zip(EDGES, DARK_EDGES, strict=True))  # our own, each chosen by eye
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


class Voice(StrEnum):
    """In which type a letter stands: as if printed, or as the rest of the page."""

    SERIF = "serif"
    SANS = "sans"


@dataclass(frozen=True)
class Colour:
    """A colour as it was wished for, and as it is shown in the light and in the dark."""

    wished: str
    light: str
    dark: str


@dataclass(frozen=True)
class CampaignLook:
    """The tokens of one campaign's pages: the accent, the pair of the airmail edge, the letter's voice."""

    accent: Colour = Colour(ACCENT, ACCENT, DARK_ACCENT)
    edge_1: Colour = Colour(EDGES[0], EDGES[0], DARK_EDGES[0])
    edge_2: Colour = Colour(EDGES[1], EDGES[1], DARK_EDGES[1])
    voice: Voice = Voice.SERIF

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return it from plain values; from none, the product's own."""
        if not values:
            return cls()
        colours = {name: Colour(**values[name]) for name in ("accent", "edge_1", "edge_2")}
        return cls(**colours, voice=Voice(values["voice"]))

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"voice": str(self.voice)}

    @property
    def is_usual(self) -> bool:
        """Return whether it is the product's own."""
        return self == CampaignLook()


def is_colour(text: str) -> bool:
    """Return whether a text is a colour as `#rrggbb` in lower case."""
    return bool(_HEX.fullmatch(text))


def readable(*, accent: str, paper: str, corner: int, scale: int) -> Look:
    """Return the look nearest to these wishes that everybody can read. Both colours as `#rrggbb` in lower case."""
    paper = _moved(paper, lambda tried: contrast(INK, tried) >= ENOUGH_FOR_INK, lighter=True)
    return Look(
        accent=_in_the_light(accent, paper),
        dark_accent=_in_the_dark(accent),
        paper=paper,
        corner=min(max(corner, 0), MOST_CORNER),
        scale=min(SCALES, key=lambda known: abs(known - scale)),
    )


def for_campaign(*, accent: str, edges: tuple[str, str], voice: str) -> CampaignLook:
    """Return the look nearest to these wishes that everybody can read. Colours as `#rrggbb` in lower case."""
    return CampaignLook(
        accent=Colour(accent, _in_the_light(accent, LIGHT_PAPER), _DARK.get(accent) or _in_the_dark(accent)),
        edge_1=_edge(edges[0]),
        edge_2=_edge(edges[1]),
        voice=Voice(voice),
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _in_the_light(accent: str, paper: str) -> str:
    beside = (paper, SHEET, WARNED, ON_ACCENT)
    return _moved(accent, lambda tried: _is_clear_of(beside, tried, ENOUGH), lighter=False)


def _in_the_dark(accent: str) -> str:
    beside = (DARK_PAPER, DARK_SHEET, DARK_WARNED, ON_DARK)
    return _moved(accent, lambda tried: _is_clear_of(beside, tried, ENOUGH), lighter=True)


def _edge(wished: str) -> Colour:
    light = _moved(wished, lambda tried: _is_clear_of((LIGHT_PAPER, SHEET), tried, ENOUGH_TO_BE_SEEN), lighter=False)
    dark = _moved(wished, lambda tried: _is_clear_of((DARK_PAPER, DARK_SHEET), tried, ENOUGH_TO_BE_SEEN), lighter=True)
    return Colour(wished, light, _DARK.get(wished, dark))


def _is_clear_of(beside: tuple[str, ...], colour: str, enough: float) -> bool:
    return all(contrast(colour, other) >= enough for other in beside)


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

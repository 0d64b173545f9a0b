"""Colours of campaigns and frames: kept where everybody can read them, moved as little as needed where not."""

import random
import re

import pytest

from campaigns import looks
from campaigns.looks import CampaignLook, Look
from tests.architecture.source import ROOT

ON_THE_LIGHT = ("#fbfaf7", "#ffffff", "#fff4dc", "#ffffff")  # paper, sheet, warning, and what stands on the accent
ON_THE_DARK = ("#14181d", "#1c2229", "#2a2416", "#0c1a1d")


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
        for beside in ON_THE_DARK:
            assert looks.contrast(look.dark_accent, beside) >= 4.5
        if all(looks.contrast(accent, beside) >= 4.5 for beside in (look.paper, "#ffffff", "#fff4dc")):
            assert look.accent == accent, "a colour that is readable is not touched"


def test_a_thousand_accents_of_campaigns_by_chance_can_all_be_read_on_all_that_they_stand_on() -> None:
    """UX §11, 30."""
    chance = random.Random(59)  # noqa: S311  the same each time
    kept = 0
    for _ in range(1000):
        accent, one, other = (f"#{chance.randrange(2**24):06x}" for _ in range(3))
        look = looks.for_campaign(accent=accent, edges=(one, other), voice="serif")
        assert all(looks.contrast(look.accent.light, beside) >= 4.5 for beside in ON_THE_LIGHT)
        assert all(looks.contrast(look.accent.dark, beside) >= 4.5 for beside in ON_THE_DARK)
        for edge in (look.edge_1, look.edge_2):
            assert min(looks.contrast(edge.light, paper) for paper in ("#fbfaf7", "#ffffff")) >= 1.5
            assert min(looks.contrast(edge.dark, paper) for paper in ("#14181d", "#1c2229")) >= 1.5
        assert (look.accent.wished, look.edge_1.wished, look.edge_2.wished) == (accent, one, other)
        if all(looks.contrast(accent, beside) >= 4.5 for beside in ON_THE_LIGHT):
            assert look.accent.light == accent
            kept += 1
        if all(looks.contrast(accent, beside) >= 4.5 for beside in ON_THE_DARK):
            assert look.accent.dark == accent
    assert kept > 200


def test_a_campaign_that_wishes_for_ours_gets_ours() -> None:
    look = looks.for_campaign(accent="#0b5a67", edges=("#0b5a67", "#a3231b"), voice="serif")
    assert look.is_usual
    assert CampaignLook.of({}) == CampaignLook.of(look.as_json()) == look
    other = looks.for_campaign(accent="#fec50c", edges=("#00afca", "#fec50c"), voice="sans")
    assert not other.is_usual
    assert CampaignLook.of(other.as_json()) == other


def test_the_colours_known_here_are_those_of_the_style_sheet() -> None:
    usual = (ROOT / "static/css/tokens.css").read_text("utf-8").partition("(prefers-contrast")[0]
    light, _media, dark = usual.partition("(prefers-color-scheme: dark)")
    for sheet, known in ((light, ON_THE_LIGHT), (dark, ON_THE_DARK)):
        tokens = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", sheet))
        tokens = {name: value if len(value) == 7 else f"#{value[1:] * 2}" for name, value in tokens.items()}
        named = [tokens[name] for name in ("paper", "sheet", "warning-tint", "on-action")]
        assert named == list(known)
        assert all(looks.contrast(tokens["action"], beside) >= 4.5 for beside in known)
    assert (looks.LIGHT_PAPER, looks.SHEET, looks.WARNED, looks.ON_ACCENT) == ON_THE_LIGHT
    assert (looks.DARK_PAPER, looks.DARK_SHEET, looks.DARK_WARNED, looks.ON_DARK) == ON_THE_DARK


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

"""Style sheets know a start and an end, never left and right: pages are read in both directions."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
PAGES = sorted((ROOT / "templates" / "pages").rglob("*.html"))
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_DECLARATION = re.compile(r"(?<=[{;])\s*([a-z-]+)\s*:\s*([^;{}]+)")
_SIDED = re.compile(
    r"(margin|padding|border|scroll-margin|scroll-padding)-(left|right|top|bottom)(-.*)?|left|right|top|bottom|"
    r"(min-|max-)?(width|height)|border-(top|bottom)-(left|right)-radius"
)
_SIDED_VALUES = {"text-align": {"left", "right"}, "float": {"left", "right"}, "clear": {"left", "right"}}
_SHORTHANDS = {"margin", "padding", "inset", "border-width", "border-style", "border-color"}
_STYLE_ATTRIBUTE = re.compile(r"""\sstyle=["']([^"']*)["']""")
_STYLE_BLOCK = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_STRAIGHT_ARROW = re.compile(r"[←→⇐⇒⟵⟶◀▶◂▸⯇⯈]|&[lr]arr;")  # unlike ‹ and ›, these do not turn with the writing


def sided(css: str) -> list[str]:
    """Return the declarations that know left from right."""
    found = []
    for name, value in _DECLARATION.findall("{" + _COMMENT.sub("", css)):
        values = value.split()
        if (
            _SIDED.fullmatch(name)
            or set(values) & _SIDED_VALUES.get(name, set())
            or (name in _SHORTHANDS and len(values) == 4 and "(" not in value and values[1] != values[3])
        ):
            found.append(f"{name}: {value.strip()}")
    return found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_no_style_sheet_knows_left_from_right(sheet: Path) -> None:
    assert sided(sheet.read_text("utf-8")) == []


def test_no_page_has_a_style_of_its_own_that_knows_left_from_right() -> None:
    found = {}
    for page in PAGES:
        html = page.read_text("utf-8")
        styles = [*_STYLE_BLOCK.findall(html), *_STYLE_ATTRIBUTE.findall(html)]
        if faults := [fault for css in styles for fault in sided(css)]:
            found[str(page.relative_to(ROOT))] = faults
    assert found == {}


def test_no_page_draws_an_arrow_that_does_not_turn_with_the_writing() -> None:
    supporters = [path for path in PAGES if "organisers" not in path.parts and "postbox" not in path.parts]
    drawn = {
        str(path.relative_to(ROOT)): _STRAIGHT_ARROW.findall(_JINJA_COMMENT.sub("", path.read_text("utf-8")))
        for path in [*supporters, ROOT / "static" / "css" / "supporters.css"]
    }
    assert {path: arrows for path, arrows in drawn.items() if arrows} == {}


@pytest.mark.parametrize(
    "css",
    ["a { margin-left: 1rem; }", "a{color:red;left:0}", "a { float: right }", "a { padding: 0 1px 0 2px; }",
     "a { text-align: left; }", "@media (min-width: 40rem) { a { width: 1rem; } }"],
)  # fmt: skip
def test_what_knows_left_from_right_would_be_seen(css: str) -> None:
    """The rule is only as good as what it looks for."""
    assert len(sided(css)) == 1


@pytest.mark.parametrize(
    "css",
    ["a { margin-inline-start: 1rem; }", "@media (min-width: 40rem) { a { color: red; } }", "a { float: inline-end }",
     "a { padding: 0 1px 2px; }", "a { text-align: start; }", "/* left: 0 */ a { max-inline-size: 1rem; }"],
)  # fmt: skip
def test_what_turns_with_the_writing_passes(css: str) -> None:
    assert sided(css) == []

"""A campaign's logo: an SVG, drawn anew from the few elements and attributes that can do nothing but draw.

What draws nothing (comments, what drawing programs note for themselves) is left out. What could do more than draw, or
would look different without, is refused by its name. SVG runs scripts, loads files and holds whole pages: nothing of
what was handed in is kept as it was.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree  # no document type gets as far as this, so no entity does

MOST_READ, MOST_KEPT = 64 * 1024, 8 * 1024  # bytes: as drawing programs write it, and of the drawing itself
WIDEST, HIGHEST, LEAST_SHOWN = 200, 36, 12  # pixels on the page
_DEEPEST = 20  # groups within groups
_SVG, _XLINK, _XHTML = (f"{{http://www.w3.org/{name}}}" for name in ("2000/svg", "1999/xlink", "1999/xhtml"))
_GRADIENTS = {"linearGradient", "radialGradient"}
_ELEMENTS = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "defs", "clipPath", "stop",
    *_GRADIENTS,
}  # fmt: skip
_DRAWS_NOTHING = {"title", "desc", "metadata"}
_ATTRIBUTES = {
    "id", "d", "points", "x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "x1", "y1", "x2", "y2", "fx", "fy",
    "transform", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "color", "display",
    "visibility", "clip-path", "clip-rule", "clipPathUnits", "offset", "stop-color", "stop-opacity", "gradientUnits",
    "gradientTransform", "spreadMethod", "vector-effect",
}  # fmt: skip
_OF_THE_ROOT = {"x", "y", "width", "height", "transform", "id"}  # which the page decides, or nothing refers to
_DRAWS_MORE = {"filter", "mask", "marker", "marker-start", "marker-mid", "marker-end", "mix-blend-mode"}
_CURES = {
    "text": "Turn its text into paths in your drawing program, and export it again.",
    "style": "Export it with presentation attributes instead of a style sheet.",
    "image": "Draw it as shapes: a picture cannot stand inside it.",
    "use": "Export it with its copies drawn out (“unlink clones”, “expand”).",
}
_CURE = "Export it as plain SVG that holds shapes only."
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_INSTRUCTION = re.compile(r"<!(?!--)[^\s\[<>]*|<\?[^\s<>?]*")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_OWN_PART = re.compile(r"url\(#[\w.-]+\)", re.ASCII)
_REFERENCE = re.compile(r"#[\w.-]+", re.ASCII)
_VALUE = re.compile(r"[\w\s.,%#()+-]*", re.ASCII)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?"
_BOX = re.compile(rf"\s*({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})\s*", re.ASCII)
_LENGTH = re.compile(rf"\s*({_NUMBER})(?:px)?\s*", re.ASCII)


class LogoRefused(ValueError):
    """A drawing that cannot be a logo: a sentence that names what is wrong with it, and the cure."""

    code = "logo_refused"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Drawing:
    """A logo as it is kept, and the size it is shown at, in pixels."""

    svg: str
    width: int
    height: int


def drawn_anew(content: bytes) -> Drawing:
    """Return the drawing of an SVG file as a logo; raises LogoRefused."""
    root = _read(content)
    left, top, width, height = _box_of(root)
    scale = min(HIGHEST / height, WIDEST / width)
    shown = round(width * scale), round(height * scale)
    if min(shown) < LEAST_SHOWN:
        raise LogoRefused("The logo is too narrow to be seen at the top of a page. Take one closer to a square.")
    box = " ".join(f"{number:g}" for number in (left, top, width, height))
    size = f'viewBox="{box}" width="{shown[0]}" height="{shown[1]}"'
    attributes = "".join(_attributes(root, in_clip=False))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}{attributes}>{_inside(root, depth=1, in_clip=False)}</svg>'
    if (over := len(svg) - MOST_KEPT) > 0:
        raise LogoRefused(
            f"The logo is {over / 1024:.1f} KB too large (at most 8 KB). Simplify its paths, or export it with fewer "
            "decimal places."
        )
    return Drawing(svg, *shown)


def _read(content: bytes) -> ElementTree.Element:
    if len(content) > MOST_READ:
        raise LogoRefused("The file has more than 64 KB, a logo at most 8. Simplify it, and export it again.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LogoRefused("This file is not an SVG. Export the logo as SVG.") from None
    text = _COMMENT.sub("", _DECLARATION.sub("", text, count=1))
    if found := _INSTRUCTION.search(text):
        raise LogoRefused(
            f"The logo holds “{found[0][:40]}”, which is more than a drawing. Export it as plain SVG, or delete "
            "that part in a text editor."
        )
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  without entities: see above
    except ElementTree.ParseError as broken:
        line = broken.position[0]
        raise LogoRefused(f"This is not a whole SVG: it breaks off in line {line}. Export it again as SVG.") from None
    if _name(root) != "svg":
        raise LogoRefused("This file is not an SVG. Export the logo as SVG.")
    return root


def _box_of(root: ElementTree.Element) -> tuple[float, float, float, float]:
    box = _BOX.fullmatch(root.get("viewBox", ""))
    if box:
        left, top, width, height = (float(number) for number in box.groups())
    else:
        sides = [_LENGTH.fullmatch(root.get(side, "")) for side in ("width", "height")]
        left, top, width, height = 0.0, 0.0, *(float(side[1]) if side else 0.0 for side in sides)
    if width <= 0 or height <= 0:
        raise LogoRefused("The logo says no size. Export it with a viewBox, or with its width and height in pixels.")
    return left, top, width, height


def _inside(parent: ElementTree.Element, *, depth: int, in_clip: bool) -> str:
    if depth > _DEEPEST:
        raise LogoRefused(f"The logo has groups more than {_DEEPEST} deep. Ungroup it, and export it again.")
    return "".join(_drawn(child, depth=depth, in_clip=in_clip) for child in parent)


def _drawn(element: ElementTree.Element, *, depth: int, in_clip: bool) -> str:
    name = _name(element)
    if not name or name in _DRAWS_NOTHING:
        return ""
    if name not in _ELEMENTS or name == "svg":
        kind = "text" if name.startswith(("text", "tspan")) else name
        raise LogoRefused(f"The logo holds “{name[:40]}”, which is more than a shape. {_CURES.get(kind, _CURE)}")
    in_clip = in_clip or name == "clipPath"
    attributes = "".join(_attributes(element, in_clip=in_clip))
    return f"<{name}{attributes}>{_inside(element, depth=depth + 1, in_clip=in_clip)}</{name}>"


def _attributes(element: ElementTree.Element, *, in_clip: bool) -> Iterator[str]:
    tag = _name(element)
    for name, value in _declared(element):
        if name.lower().startswith("on"):
            raise LogoRefused(f"The logo holds “{name[:40]}”, which runs a script. {_CURE}")
        if name in {"href", f"{_XLINK}href", "src"}:
            if tag not in _GRADIENTS or not _REFERENCE.fullmatch(value):
                raise LogoRefused(f"The logo points to “{value[:40]}”, and may load or link nothing. {_CURE}")
            yield f' href="{escape(value)}"'
        elif name in _DRAWS_MORE or (in_clip and name == "clip-path"):
            raise LogoRefused(f"The logo uses “{name}”, which is more than a shape. {_CURE}")
        elif name in _ATTRIBUTES and not (tag == "svg" and name in _OF_THE_ROOT):
            rest = _OWN_PART.sub("", value)
            if not _VALUE.fullmatch(rest) or "url" in rest.lower():
                raise LogoRefused(f"The logo says “{name}” in a way that is more than a shape: “{value[:40]}”. {_CURE}")
            yield f' {name}="{escape(value)}"'


def _declared(element: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes of an element; declarations of its `style` as the attributes that say the same."""
    styled: dict[str, str] = {}
    for declaration in element.get("style", "").split(";"):
        name, _colon, value = declaration.partition(":")
        styled[name.strip()] = value.strip()
    yield from ({name: value for name, value in element.items() if name != "style"} | styled).items()


def _name(element: ElementTree.Element) -> str:
    """Return an element's name in SVG; "" for what other programs note for themselves."""
    tag = str(element.tag)
    if tag.startswith(_XHTML):
        return tag.removeprefix(_XHTML)
    tag = tag.removeprefix(_SVG)
    return "" if tag.startswith("{") else tag

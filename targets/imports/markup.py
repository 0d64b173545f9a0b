"""HTML from anywhere, made plain before it is parsed: few tags and attributes, nothing open to argue about.

Both Python's HTML parser and a person's patience can be exhausted by two hostile megabytes. This goes through
the text once, from left to right, and never looks back.
"""

import html
import re

from targets.imports.table import ImportRefused

TAGS_LIMIT = 200_000  # a table of 5,000 rows and 18 columns has 190,000, ends included

# What matters for tables and lists of people; other tags become one of the two neutral ones.
_KEPT = frozenset([
    "a", "address", "article", "br", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5",
    "h6", "li", "ol", "p", "section", "span", "strong", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
])  # fmt: skip
_INLINE = frozenset([
    "abbr", "acronym", "bdi", "bdo", "big", "cite", "code", "data", "del", "em", "font", "i", "ins",
    "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "sub", "sup", "time", "tt", "u", "var",
    "wbr",
])  # fmt: skip
_EMPTY = frozenset([
    "area", "base", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
])  # fmt: skip
_WHOLE = frozenset(["html", "head", "body"])
_UNREAD = frozenset([
    "iframe", "noembed", "noframes", "script", "style", "svg", "template", "textarea", "title", "xmp",
])  # fmt: skip
_ATTRIBUTES = frozenset(["href", "colspan", "rowspan", "hidden", "aria-hidden", "style"])

# One alternative takes each character, and possessively: no input makes this slower than linear.
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]{0,40})((?:=\s*+\"[^\"]*+\"|=\s*+'[^']*+'|[^>])*+)>")
_MIGHT_BEGIN_TAG = re.compile(r"<(?=[!?]|/?[a-zA-Z])")
_BEGINS_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9:-]{0,40}+(?!@)")  # `<jane@office.example>` is an address
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++)))?+")
# `int` refuses thousands of digits, and no character has that many.
_ENDLESS_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{7,}+);?")


def plain_markup(text: str) -> str:
    """Return the page with scripts, styles and comments gone and every tag canonical, wrapped in one `<div>`.

    Raises ImportRefused where it has more tags than any list of people needs.
    """
    pieces = ["<div>"]
    position = tags = 0
    while candidate := _MIGHT_BEGIN_TAG.search(text, position):
        start = candidate.start()
        pieces.append(_escaped(text[position:start]))
        if text.startswith(("<!", "<?"), start):
            mark = "-->" if text.startswith("<!--", start) else ">"
            end = text.find(mark, start + 2)
            position = end + len(mark) if end >= 0 else len(text)
            continue
        found = _TAG.match(text, start) if _BEGINS_TAG.match(text, start) else None
        if found is None:
            pieces.append("&lt;")
            position = start + 1
            if _BEGINS_TAG.match(text, start):
                break  # this tag never ends: what is left is text
            continue
        name = found[1].lower()
        position = found.end()
        closing = text.startswith("</", start)
        if name in _UNREAD and not closing:
            end_of_unread = re.compile(f"</{name}", re.IGNORECASE).search(text, position)
            position = end_of_unread.start() if end_of_unread else len(text)
            continue
        tags += 1
        if tags > TAGS_LIMIT:
            raise ImportRefused(
                "too_intricate",
                "The page is too intricate to read. Copy only the table itself, and paste that.",
            )
        pieces.append(_tag(name, found[2], closing=closing))
    pieces.append(_escaped(text[position:]))
    pieces.append("</div>")
    return "".join(pieces)


def _tag(name: str, inside: str, *, closing: bool) -> str:
    if name in _EMPTY or name in _WHOLE or name in _UNREAD:
        return ""
    if name == "br":
        return "<br/>"
    if name in ("b", "strong"):
        name = "strong"
    elif name not in _KEPT:
        name = "span" if name in _INLINE else "div"
    if closing:
        return f"</{name}>"
    attributes: dict[str, str] = {}
    for found in _ATTRIBUTE.finditer(inside):
        key = found[1].lower()
        if key in _ATTRIBUTES:
            attributes.setdefault(key, (found[2] or found[3] or found[4] or "")[:2000])
    return "".join(
        (f"<{name}", *(f' {key}="{_escaped(value, quote=True)}"' for key, value in attributes.items()), ">")
    )


def _escaped(text: str, *, quote: bool = False) -> str:
    """Return the text with its character references read and only the needed ones written again."""
    if "&" in text:
        text = html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text))
    return html.escape(text.replace("\0", ""), quote=quote)

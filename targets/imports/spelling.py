"""How addresses are written on pages and in lists: plainly, with a name, or roundabout against robots."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from targets.imports.table import CELL_LIMIT

_ADDRESS = re.compile(r"(?<![\w.+%'@-])[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w@])")
_AT = re.compile(r"\s{0,9}[\[({<]\s{0,9}(?:at|@|ät|arroba|собака)\s{0,9}[\])}>]\s{0,9}", re.IGNORECASE)
_DOT = re.compile(
    r"\s{0,9}[\[({<]\s{0,9}(?:dot|punkt|punto|point|точка|\.)\s{0,9}[\])}>]\s{0,9}", re.IGNORECASE
)
_SPOKEN = re.compile(r"([\w.+'-]{1,64}) at ([\w-]{1,63}(?: dot [\w-]{1,63}){1,5})", re.IGNORECASE)
_NAMED = re.compile(r"\s*\"?([^<>\"]{0,200}?)\"?\s*<\s*([^<>\s]{3,320})\s*>\s*")


def addresses_in(text: str) -> list[str]:
    """Return what looks like e-mail addresses in a text, in order, roundabout spellings straightened."""
    straight = read_round_about(text)
    if "@" not in straight:
        return []
    return [found.rstrip(".") for found in _ADDRESS.findall(straight)]


def addresses_in_row(cells: Iterable[str]) -> set[str]:
    """Return the different addresses in the cells of a row; cells that are too long are not read."""
    return {address.lower() for cell in cells if len(cell) <= CELL_LIMIT for address in addresses_in(cell)}


def read_round_about(text: str) -> str:
    """Return the text with `a [at] b (dot) c` written as `a@b.c`; anything else stays as it is."""
    if ("[" in text or "(" in text or "{" in text or "<" in text) and _AT.search(text):
        return _DOT.sub(".", _AT.sub("@", text))
    if "@" in text and _DOT.search(text):
        return _DOT.sub(".", text)
    spoken = _SPOKEN.fullmatch(text.strip()) if len(text) < 400 else None
    if spoken:
        return f"{spoken[1]}@{re.sub(' dot ', '.', spoken[2], flags=re.IGNORECASE)}"
    return text


def without_scheme(text: str) -> str:
    """Return the address of a `mailto:` link, its subject and other fields dropped (RFC 6068)."""
    text = text.strip()
    if text[:7].lower() == "mailto:":
        return unquote(text[7:].split("?", 1)[0]).strip()
    return text


def name_and_address(text: str) -> tuple[str, str]:
    """Return the name and the address of `Name <a@b.example>`; the name is "" where there is none."""
    found = _NAMED.fullmatch(text) if len(text) < 600 else None
    if found and "@" in found[2]:
        return found[1].strip(), without_scheme(found[2])
    return "", text

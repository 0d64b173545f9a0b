"""What a form sent, as clean text: one kind of line end, no characters that no mail would carry."""

import re

from django.http import QueryDict

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def text(form: QueryDict, name: str) -> str:
    """Return a field of many lines, without white space around it."""
    lines = form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    return _FORBIDDEN.sub("", lines).strip()


def line(form: QueryDict, name: str) -> str:
    """Return a field of one line; line breaks and runs of spaces become one space."""
    return " ".join(text(form, name).split())


def whole(form: QueryDict, name: str, *, least: int = 0, most: int = 2**62, otherwise: int = 0) -> int:
    """Return a number within its limits; `otherwise` where there is none."""
    value = form.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        return otherwise
    return min(max(int(value), least), most)

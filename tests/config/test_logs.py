"""Log lines hold no tokens."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings

from config.logs import WithoutTokens

PATHS = [
    "/en/oil/draft/SECRET/write/", "/letter/SECRET/", "/en/oil/confirm/SECRET/",
    "/organise/sign-in/password/reset/key/1-SECRET/",
]  # fmt: skip


def _fail(path: str) -> None:
    raise LookupError(path)


def _line(formatter: logging.Formatter, path: str) -> str:
    try:
        _fail(path)
    except LookupError:
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Failed: %s", (path,), sys.exc_info())
    record.stack_info = f"Stack (most recent call last):\n  {path}"
    return formatter.format(record)


@pytest.mark.parametrize("path", PATHS)
def test_a_token_reaches_neither_the_line_nor_its_traceback_nor_its_stack(path: str) -> None:
    line = _line(WithoutTokens(), path)
    assert "SECRET" not in line
    assert line.count("/…/") == 3
    assert "LookupError: /" in line


def test_every_handler_writes_lines_without_tokens() -> None:
    told: dict[str, Any] = settings.LOGGING
    used = {handler["formatter"] for handler in told["handlers"].values()}
    kinds = {told["formatters"][name]["class"] for name in used}
    assert kinds == {"config.logs.WithoutTokens"}
    assert told["root"]["handlers"] == list(told["handlers"])

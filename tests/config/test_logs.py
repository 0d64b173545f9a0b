"""Log lines hold no tokens."""

import logging

import pytest

from config.logs import WithoutTokens


@pytest.mark.parametrize("path", ["/en/oil/draft/SECRET/write/", "/letter/SECRET/", "/en/oil/confirm/SECRET/"])
def test_a_token_in_a_path_does_not_reach_a_handler(path: str) -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Internal Server Error: %s", (path,), None)
    assert WithoutTokens().filter(record)
    assert "SECRET" not in record.getMessage()
    assert record.getMessage().startswith("Internal Server Error: /")

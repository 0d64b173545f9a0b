"""What log lines must not hold: tokens of supporters' pages, and keys that set a new password."""

import logging
import re

_TOKEN = re.compile(r"/(draft|confirm|letter|once|my/open|my/see|my/stop|key)/[^/\s\"']+")


def without_tokens(text: str) -> str:
    """Return the text with the tokens and keys in addresses blotted out."""
    return _TOKEN.sub(r"/\1/…", text)


class WithoutTokens(logging.Formatter):
    """Blots tokens out of the finished line: of its words, and of the traceback and stack below them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without tokens."""
        return without_tokens(super().format(record))

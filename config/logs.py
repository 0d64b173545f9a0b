"""What log lines must not hold: tokens of supporters' pages."""

import logging
import re

_TOKEN = re.compile(r"/(draft|confirm|letter)/[^/\s\"']+")


def without_tokens(text: str) -> str:
    """Return the text with the tokens in supporters' addresses blotted out."""
    return _TOKEN.sub(r"/\1/…", text)


class WithoutTokens(logging.Filter):
    """Blots tokens out of a record's words before any handler sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; let every record through."""
        record.msg, record.args = without_tokens(record.getMessage()), ()
        return True

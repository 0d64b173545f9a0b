"""What an SMTP server says, read strictly and within bounds."""

import re
import smtplib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

LONGEST_LINE = 8192
MOST_LINES = 100
_REPLY = re.compile(rb"([2-5]\d\d)(?:([ -])([^\r\n]*))?\r?\n\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")  # no database column takes NUL


class BrokenLine(smtplib.SMTPServerDisconnected):
    """The connection ended, fell silent, or said something that is not SMTP."""


class Reply(NamedTuple):
    """A well-formed answer: its code (200 to 599) and its words, without control characters."""

    code: int
    words: str
    lines: tuple[bytes, ...] = ()


@lru_cache(maxsize=64)  # most servers say the same four lines to each letter
def _alone(line: bytes) -> Reply | None:
    """Return the reply that one line is; None where it is none, or has more lines."""
    match = _REPLY.match(line)
    if match is None or match[2] == b"-":
        return None
    return _reply(match[1], [(match[3] or b"").strip()])


def _reply(code: bytes, said: list[bytes]) -> Reply:
    words = _UNPRINTABLE.sub(" ", b" ".join(said).decode("utf-8", "replace"))[:300]
    return Reply(int(code), words, tuple(said))


class ReplyReader:
    """Puts replies together from what arrives piece by piece."""

    def __init__(self) -> None:
        self._unread = b""
        self._code = b""
        self._said: list[bytes] = []

    @property
    def is_between_replies(self) -> bool:
        """Return whether nothing of a next reply has arrived."""
        return not self._unread and not self._said

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Take a piece; yields each reply that it completes. Raises BrokenLine for anything that is not SMTP."""
        self._unread += data
        while True:
            line, end, rest = self._unread.partition(b"\n")
            if len(line) >= LONGEST_LINE:
                raise BrokenLine("the answer is not SMTP")
            if not end:
                return
            self._unread = rest
            reply = self._line(line + end)
            if reply is not None:
                yield reply

    def _line(self, line: bytes) -> Reply | None:
        if not self._said and (alone := _alone(line)) is not None:
            return alone
        match = _REPLY.match(line)
        if match is None or (self._code and match[1] != self._code):
            raise BrokenLine("the answer is not SMTP")
        if len(self._said) >= MOST_LINES:
            raise BrokenLine("the answer has no end")
        self._code = match[1]
        self._said.append((match[3] or b"").strip())
        if match[2] == b"-":
            return None
        reply = _reply(self._code, self._said)
        self._code, self._said = b"", []
        return reply

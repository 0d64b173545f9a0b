"""What an SMTP server says, read strictly and within bounds: one well-formed reply, or a broken line.

smtplib reads replies without a limit on their number of lines, measures its time-outs from one piece to the next, and
takes an over-long line for a permanent refusal. Greeting, TLS and signing in stay smtplib's, but read through here.
"""

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

CONNECT_SECONDS = 30.0
LONGEST_LINE = 8192
MOST_LINES = 100
_REPLY = re.compile(rb"([2-5]\d\d)(?:([ -])([^\r\n]*))?\r?\n\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")  # no database column takes NUL


class BrokenLine(smtplib.SMTPServerDisconnected):
    """The connection ended, fell silent, or said something that is not SMTP."""


@dataclass(frozen=True)
class Reply:
    """A well-formed answer: its code (200 to 599) and its words, without control characters."""

    code: int
    words: str
    lines: tuple[bytes, ...] = ()


class Conversation(smtplib.SMTP):
    """smtplib's connection with our reading and writing. Every time-out is for a whole reply."""

    def __init__(self, host: str, *, greeting: str) -> None:
        super().__init__(timeout=CONNECT_SECONDS, local_hostname=greeting)
        self._host = host  # the name that TLS is checked against; smtplib sets it only when it connects at once
        self._unread = b""
        self._read_from: socket.socket | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Read for smtplib: greeting, EHLO, STARTTLS, AUTH. Raises BrokenLine."""
        try:
            reply = self.reply(CONNECT_SECONDS)
        except OSError:
            self.close()
            raise
        return reply.code, b"\n".join(reply.lines)

    def reply(self, seconds: float) -> Reply:
        """Read one reply; raises BrokenLine for silence, an end, or anything that is not SMTP."""
        until = time.monotonic() + seconds
        code = b""
        said: list[bytes] = []
        for _ in range(MOST_LINES):
            match = _REPLY.match(self._line(until))
            if match is None or (code and match[1] != code):
                raise BrokenLine("the answer is not SMTP")
            code = match[1]
            said.append((match[3] or b"").strip())
            if match[2] != b"-":
                words = b" ".join(said).decode("utf-8", "replace")
                return Reply(int(code), _UNPRINTABLE.sub(" ", words)[:300], tuple(said))
        raise BrokenLine("the answer has no end")

    def write(self, data: bytes, seconds: float) -> None:
        """Send bytes as they are; raises OSError where the line is broken."""
        if self.sock is None:
            raise BrokenLine("closed")
        self.sock.settimeout(seconds)
        self.sock.sendall(data)

    def spoke_unasked(self) -> bool:
        """Return whether the server said something, or hung up, while it was our turn to speak."""
        if self.sock is None or self._unread:
            return True
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return True

    def _line(self, until: float) -> bytes:
        if self.sock is None:
            raise BrokenLine("closed")
        if self._read_from is not self.sock:  # RFC 3207 §4.2: what came before TLS counts for nothing
            self._read_from, self._unread = self.sock, b""
        while b"\n" not in self._unread[:LONGEST_LINE]:
            if len(self._unread) >= LONGEST_LINE:
                raise BrokenLine("the answer is not SMTP")
            left = until - time.monotonic()
            if left <= 0:
                raise BrokenLine("the server fell silent")
            self.sock.settimeout(left)
            try:
                piece = self.sock.recv(4096)
            except TimeoutError as error:
                raise BrokenLine("the server fell silent") from error
            if not piece:
                raise BrokenLine("the server hung up")
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"


class SecureConversation(Conversation, smtplib.SMTP_SSL):
    """The same over TLS from the first byte. The certificate is checked by `context`."""

    def __init__(self, host: str, *, greeting: str, context: ssl.SSLContext) -> None:
        smtplib.SMTP_SSL.__init__(self, timeout=CONNECT_SECONDS, local_hostname=greeting, context=context)
        self._host = host
        self._unread = b""
        self._read_from = None

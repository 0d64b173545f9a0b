"""Handing letters over by SMTP, always knowing in which phase the line broke.

smtplib connects, greets, secures and signs in; the dialogue of each letter is driven here, because Django's and
smtplib's own sending raise one exception for a drop before and after the final dot. Time-outs are those of
RFC 5321 §4.5.3.2.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from worker.transports import Allow, LineDown
from worker.transports.conversation import BrokenLine, Conversation, Reply, SecureConversation

ENVELOPE_SECONDS = 60.0
DATA_START_SECONDS = 120.0
DATA_BLOCK_SECONDS = 180.0
DOT_SECONDS = 600.0  # RFC 5321 §4.5.3.2.6: shorter makes duplicates
_DOT_AT_START = re.compile(rb"^\.", re.MULTILINE)
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>]")
_WAIT = re.compile(r"(?:try|retry)[^.;]{0,40}?(\d{1,5})\s*(s|sec|m|min|h|hour)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Server:
    """Where to connect, and how. `security` is plain, starttls or tls; certificates are always checked."""

    host: str
    port: int
    security: str = "plain"
    username: str = ""
    password: str = ""
    greeting: str = "localhost"  # the name said in EHLO


class SmtpLine:
    """A persistent SMTP connection; opened at the first letter, opened anew after anything unclean."""

    def __init__(self, server: Server, *, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._server = server
        self._tls = tls
        self._smtp: Conversation | None = None

    def open(self) -> None:
        """Connect, greet, secure and sign in, unless the line is open and quiet. Raises LineDown."""
        if self._smtp is not None and self._smtp.spoke_unasked():
            self._drop()  # an idle connection that the server ended, or is about to
        if self._smtp is None:
            self._smtp = self._connected()

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Hand one letter over; see RELIABILITY §3 for the endings. `allow` is asked right before the final dot."""
        data = stuffed(message.data)
        self.open()
        smtp = self._smtp
        assert smtp is not None  # noqa: S101  `open` made it or raised
        try:
            refusal = self._envelope(smtp, message)
        except OSError as broken:
            self._drop()
            return NotSent(f"the line broke before the letter: {broken}"[:200])
        if refusal is not None:
            return refusal
        try:
            smtp.write(data, DATA_BLOCK_SECONDS)
        except OSError as broken:
            self._drop()
            return NotSent(f"the line broke inside the letter: {broken}"[:200])
        if not allow():
            self._drop()  # without the dot the server has nothing
            return NotSent("stopped before the final dot")
        if smtp.spoke_unasked():  # a yes said too early must not pass for the answer to the dot
            self._drop()
            return NotSent("the server spoke or hung up inside the letter")
        try:
            smtp.write(b".\r\n", DATA_BLOCK_SECONDS)
            reply = smtp.reply(DOT_SECONDS)
        except OSError as broken:
            self._drop()
            return Ambiguous(f"no answer to the final dot: {broken}"[:200])
        return self._judged(reply, after_dot=True)

    def close(self) -> None:
        """Say QUIT and end the connection."""
        if self._smtp is not None:
            try:
                self._smtp.write(b"QUIT\r\n", 5.0)
                self._smtp.reply(5.0)
            except OSError:
                pass
            self._drop()

    def _connected(self) -> Conversation:
        server = self._server
        smtp = (
            SecureConversation(server.host, greeting=server.greeting, context=self._tls())
            if server.security == "tls"
            else Conversation(server.host, greeting=server.greeting)
        )
        try:
            code, words = smtp.connect(server.host, server.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, words)
            smtp.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                smtp.starttls(context=self._tls())
                smtp.ehlo_or_helo_if_needed()
            if server.username:
                smtp.login(server.username, server.password)
            if smtp.sock is None:
                raise BrokenLine("the connection closed at once")
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors; a name beyond IDNA a ValueError
            smtp.close()
            raise LineDown(_plain(error)) from error
        return smtp

    def _envelope(self, smtp: Conversation, message: Message) -> Ending | None:
        """Say MAIL, RCPT and DATA; return the ending if the server does not want the letter, else None."""
        if _NOT_IN_ADDRESS.search(message.envelope_to):
            return Refused(553, "5.1.3 this is not an e-mail address")
        size = f" SIZE={len(message.data)}" if smtp.has_extn("size") else ""
        for command, seconds, is_target in (
            (f"MAIL FROM:<{message.envelope_from}>{size}", ENVELOPE_SECONDS, False),
            (f"RCPT TO:<{message.envelope_to}>", ENVELOPE_SECONDS, True),
            ("DATA", DATA_START_SECONDS, False),
        ):
            try:
                line = command.encode("ascii") + b"\r\n"
            except UnicodeEncodeError:
                self._reset(smtp)
                return Refused(553, "5.6.7 this mail server cannot take an address outside ASCII")
            smtp.write(line, seconds)
            reply = smtp.reply(seconds)
            if reply.code == 354 if command == "DATA" else 200 <= reply.code < 300:
                continue
            if reply.code < 400:
                raise BrokenLine(f"unexpected answer {reply.code}")
            ending = self._judged(reply, at_target=is_target)
            if self._smtp is not None:
                self._reset(smtp)
            return ending
        return None

    def _judged(self, reply: Reply, *, at_target: bool = False, after_dot: bool = False) -> Ending:
        if 200 <= reply.code < 300 and after_dot:
            return Accepted(reply.code, reply.words)
        if 400 <= reply.code < 500:
            if reply.code == 421:
                self._drop()
            return Deferred(reply.code, reply.words, at_target, _named_wait(reply.words))
        if 500 <= reply.code < 600:
            return Refused(reply.code, reply.words)
        self._drop()
        return Ambiguous(f"unexpected answer {reply.code} to the final dot")

    def _reset(self, smtp: Conversation) -> None:
        """Forget a refused letter's envelope; a server that cannot even do that is left."""
        try:
            smtp.write(b"RSET\r\n", ENVELOPE_SECONDS)
            if smtp.reply(ENVELOPE_SECONDS).code != 250:
                self._drop()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def stuffed(data: bytes) -> bytes:
    """Return the bytes with dots at line starts doubled and a final line break (RFC 5321 §4.5.2).

    What arrives here has only CRLF line ends; a bare CR or LF would let a text end the letter for some servers.
    """
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\r\n"):
        raise ValueError("A letter must have CRLF line ends only.")
    data = _DOT_AT_START.sub(b"..", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _named_wait(words: str) -> int | None:
    found = _WAIT.search(words)
    return int(found[1]) * _UNITS[found[2][0].lower()] if found else None


def _plain(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"[:200]
    return (str(error) or type(error).__name__)[:200]

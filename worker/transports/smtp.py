"""Open lines to an SMTP server, and handing letters over on one of them, one after another."""

import contextlib
import select
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from letters.composing import Message
from letters.endings import Ending
from worker.transports import Allow, AsksForDot, Ended, LineDown, Said
from worker.transports.conversation import Conversation, SecureConversation
from worker.transports.dialogue import Dialogue, stuffed

PIECE = 65536  # bytes read at once


@dataclass(frozen=True)
class Server:
    """Where to connect, and how. `security` is plain, starttls or tls; certificates are always checked."""

    host: str
    port: int
    security: str = "plain"
    username: str = ""
    password: str = ""
    greeting: str = "localhost"  # the name said in EHLO


class Wire:
    """One open connection that does not block, and the dialogue on it."""

    def __init__(self, sock: socket.socket, dialogue: Dialogue) -> None:
        sock.settimeout(0)
        self._sock = sock
        self.dialogue = dialogue
        self.waits_to_write = False  # kept by whoever watches it

    def fileno(self) -> int:
        """Return what `select` waits for."""
        return self._sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Return whether bytes wait until the server takes more."""
        return bool(self.dialogue.outgoing)

    def read(self) -> list[Said]:
        """Take what has arrived, without waiting. What ends the line ends the letters on it."""
        said: list[Said] = []
        while self.dialogue.is_usable:
            try:
                piece = self._sock.recv(PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return said
            except OSError as error:
                return said + self.dialogue.break_off(str(error))
            if not piece:
                return said + self.dialogue.break_off("the server hung up")
            said += self.dialogue.hear(piece)
            if not isinstance(self._sock, ssl.SSLSocket) and len(piece) < PIECE:
                return said
        return said

    def write(self) -> list[Said]:
        """Send what waits, as much as the server takes now."""
        outgoing = self.dialogue.outgoing
        while outgoing:
            try:
                del outgoing[: self._sock.send(outgoing)]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return []
            except OSError as error:
                return self.dialogue.break_off(str(error))
        return self.dialogue.has_left()

    def close(self, *, politely: bool = False) -> None:
        """End the connection; politely: say QUIT first, and do not wait for the answer."""
        if politely and self.dialogue.is_usable and self.dialogue.is_idle and not self.read():
            with contextlib.suppress(OSError):
                self._sock.send(b"QUIT\r\n")
        self._sock.close()


def connected(server: Server, *, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> Wire:
    """Connect, greet, secure and sign in; blocks. Raises LineDown."""
    patience = settings.MAIL_PATIENCE_PERCENT / 100
    if server.security == "tls":
        smtp: Conversation = SecureConversation(
            server.host, greeting=server.greeting, context=tls(), patience=patience
        )
    else:
        smtp = Conversation(server.host, greeting=server.greeting, patience=patience)
    try:
        code, words = smtp.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=tls())
            smtp.ehlo_or_helo_if_needed()
        if server.username:
            smtp.login(server.username, server.password)
        dialogue = Dialogue(
            pipelines=smtp.has_extn("pipelining"), takes_size=smtp.has_extn("size"), patience=patience
        )
        sock = smtp.handed_over()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors; a name beyond IDNA a ValueError
        smtp.close()
        raise LineDown(_plain(error)) from error
    return Wire(sock, dialogue)


class SmtpLine:
    """A persistent connection that takes one letter at a time; opened at the first, and anew after anything unclean."""

    def __init__(self, server: Server, *, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._server = server
        self._tls = tls
        self._wire: Wire | None = None

    def open(self) -> None:
        """Connect, greet, secure and sign in, unless the line is open and quiet. Raises LineDown."""
        if self._wire is not None:
            self._wire.read()
            if not self._wire.dialogue.is_usable:
                self._drop()  # an idle connection that the server ended, or is about to
        if self._wire is None:
            self._wire = connected(self._server, tls=self._tls)

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Hand one letter over; see RELIABILITY §3 for the endings. `allow` is asked right before the final dot."""
        if not message.is_plain:
            stuffed(message.data)  # raises ValueError before a word is said
        self.open()
        wire = self._wire
        assert wire is not None  # noqa: S101  `open` made it or raised
        said = wire.dialogue.begin(message)
        while True:
            for one in said:
                if isinstance(one, Ended):
                    self._wait_until_clean(wire)
                    return one.ending
            if any(isinstance(one, AsksForDot) for one in said):
                if not allow():
                    said = wire.dialogue.refuse_dot()
                    continue
                said = wire.read()  # a yes said too early must not pass for the answer to the dot
                if not said:
                    wire.dialogue.write_dot()
                    said = wire.write()
                continue
            said = wire.write() or _heard(wire)

    def close(self) -> None:
        """Say QUIT and end the connection."""
        if self._wire is not None:
            self._wire.close(politely=True)
            self._wire = None

    def _wait_until_clean(self, wire: Wire) -> None:
        """After a refused letter the server has to forget its envelope; one that cannot is left."""
        while wire.dialogue.is_usable and wire.dialogue.awaits_reply:
            wire.write()
            _heard(wire)
        if not wire.dialogue.is_usable:
            self._drop()

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _heard(wire: Wire) -> list[Said]:
    """Wait for the server, within its time; silence ends the dialogue."""
    left = wire.dialogue.seconds_left()
    if left is None or left <= 0:
        return wire.dialogue.break_off("the server fell silent")
    poll = select.poll()
    poll.register(wire, select.POLLIN | (select.POLLOUT if wire.wants_to_write else 0))
    happened = poll.poll(left * 1000)
    return wire.read() if any(event & ~select.POLLOUT for _, event in happened) else []


def _plain(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"[:200]
    return (str(error) or type(error).__name__)[:200]

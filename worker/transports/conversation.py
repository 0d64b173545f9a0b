"""Opening a line: smtplib connects, greets, secures and signs in; its replies are read through our own reader.

smtplib reads replies without a limit on their number of lines, measures its time-outs from one piece to the next, and
takes an over-long line for a permanent refusal.
"""

import smtplib
import socket
import ssl
import time

from worker.transports.replies import BrokenLine, Reply, ReplyReader

CONNECT_SECONDS = 30.0


class Conversation(smtplib.SMTP):
    """smtplib's connection with our reading. Every time-out is for a whole reply."""

    def __init__(self, host: str, *, greeting: str, patience: float = 1.0) -> None:
        super().__init__(timeout=CONNECT_SECONDS * patience, local_hostname=greeting)
        self._begin(host, patience)

    def _begin(self, host: str, patience: float) -> None:
        self._host = host  # the name that TLS is checked against; smtplib sets it only when it connects at once
        self._patience = patience
        self._arrived: list[Reply] = []
        self._reader = ReplyReader()
        self._read_from: socket.socket | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Read for smtplib: greeting, EHLO, STARTTLS, AUTH. Raises BrokenLine."""
        try:
            reply = self._reply(CONNECT_SECONDS * self._patience)
        except OSError:
            self.close()
            raise
        return reply.code, b"\n".join(reply.lines)

    def handed_over(self) -> socket.socket:
        """Return the open socket, for which nothing is read here any more. Raises BrokenLine if more was said."""
        if self.sock is None or self._arrived or not self._reader.is_between_replies:
            raise BrokenLine("the server spoke unasked")
        sock, self.sock, self.file = self.sock, None, None
        return sock

    def _reply(self, seconds: float) -> Reply:
        until = time.monotonic() + seconds
        if self._read_from is not self.sock:  # RFC 3207 §4.2: what came before TLS counts for nothing
            self._read_from, self._reader, self._arrived = self.sock, ReplyReader(), []
        while not self._arrived:
            if self.sock is None:
                raise BrokenLine("closed")
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
            self._arrived += self._reader.feed(piece)
        return self._arrived.pop(0)


class SecureConversation(Conversation, smtplib.SMTP_SSL):
    """The same over TLS from the first byte. The certificate is checked by `context`."""

    def __init__(self, host: str, *, greeting: str, context: ssl.SSLContext, patience: float = 1.0) -> None:
        smtplib.SMTP_SSL.__init__(
            self, timeout=CONNECT_SECONDS * patience, local_hostname=greeting, context=context
        )
        self._begin(host, patience)

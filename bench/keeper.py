"""A receiving mail server that keeps every letter exactly as it came: `python -m bench.keeper PORT FILE`.

Fast, so that it does not set the pace: one process, no parsing beyond what SMTP needs. It offers PIPELINING and takes
all that is offered. A record of FILE is a line `LENGTH FROM TO`, then so many bytes of the text as it was on the wire
(a dot at the start of a line still doubled), then a line end. `records` reads them back.
"""

import contextlib
import re
import select
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_PIECE = 32_768  # bytes read at once; more than 128 KiB would be fetched from the system and given back each time
_BUFFER = 1 << 20  # bytes kept before they are written to the file
_END = b"\r\n.\r\n"
_ENVELOPE = re.compile(rb"MAIL FROM:<([^>]*)>[^\r\n]*\r\nRCPT TO:<([^>]+)>[^\r\n]*\r\nDATA\r\n", re.IGNORECASE)
_BYE = b"221 2.0.0 bye\r\n"
_HELLO = b"250-keeper.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n"


class Cut(Exception):
    """A file of kept letters ends in the middle of one, or is none."""


class Kept(NamedTuple):
    """A letter as it was received: its envelope, and its text without what SMTP adds on the wire."""

    sender: str
    to: str
    data: bytes


class _Line:
    """One connection. While a text is read, `_unread` begins with a line end: so its end looks alike, also at once."""

    def __init__(self, sock: socket.socket, file: BinaryIO) -> None:
        self._sock = sock
        self._file = file
        self._unread = bytearray()
        self._in_text = False
        self._searched = 0
        self._sender = self._to = b""

    def hear(self) -> bool:
        """Read what has come; return whether the connection stays open."""
        with contextlib.suppress(OSError):
            piece = self._sock.recv(_PIECE)
            return bool(piece) and self._take(piece)
        return False

    def close(self) -> None:
        """End the connection."""
        self._sock.close()

    def _take(self, piece: bytes) -> bool:
        """Take what came and answer it; return whether the connection stays open."""
        unread = self._unread
        unread += piece
        said, stays = b"", True
        while stays:
            if self._in_text:
                end = unread.find(_END, self._searched)
                if end < 0:
                    self._searched = max(len(unread) - len(_END) + 1, 0)
                    break
                self._file.write(b"%d %s %s\n%s\n" % (end, self._sender, self._to, unread[2 : end + 2]))
                self._sender = self._to = b""
                self._begin_text(at=end + len(_END), is_text=False)
                said += b"250 2.0.0 kept\r\n"
            elif envelope := _ENVELOPE.match(unread):  # the usual case, in one go
                self._sender, self._to = envelope.groups()
                self._begin_text(at=envelope.end() - 2)
                said += b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"
            else:
                end = unread.find(b"\r\n")
                if end < 0:
                    break
                said += self._answer(bytes(unread[:end]))
                stays = not said.endswith(_BYE)
                self._begin_text(at=end + 2 * (not self._in_text), is_text=self._in_text)
        if said:
            self._sock.sendall(said)
        return stays

    def _begin_text(self, *, at: int, is_text: bool = True) -> None:
        """Forget what was read before `at`; what follows is a text, or commands."""
        del self._unread[:at]
        self._in_text, self._searched = is_text, 0

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._sender = _path(line)
        elif verb == b"RCPT":
            self._to = _path(line)
        elif verb == b"DATA":
            if not self._to:
                return b"503 5.5.1 to whom?\r\n"
            self._in_text = True
            return b"354 go on\r\n"
        elif verb == b"EHLO":
            return _HELLO
        elif verb == b"RSET":
            self._sender = self._to = b""
        elif verb == b"QUIT":
            return _BYE
        elif verb not in {b"HELO", b"NOOP"}:
            return b"500 5.5.1 unknown\r\n"
        return b"250 2.0.0 ok\r\n"


def _path(line: bytes) -> bytes:
    return line[line.find(b"<") + 1 : line.find(b">")]


def serve(port: int, file: Path) -> None:
    """Receive until SIGTERM; then everything is in the file."""
    stopping, waker = socket.socketpair()
    waker.settimeout(0)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    with socket.create_server(("127.0.0.1", port), backlog=256) as server, file.open("wb", _BUFFER) as kept:
        poll = select.poll()
        poll.register(server, select.POLLIN)
        poll.register(stopping, select.POLLIN)
        lines: dict[int, _Line] = {}
        while True:
            for number, _ in poll.poll():
                if number == stopping.fileno():
                    return
                if number == server.fileno():
                    sock, _ = server.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    sock.sendall(b"220 keeper.example ESMTP\r\n")
                    lines[sock.fileno()] = _Line(sock, kept)
                    poll.register(sock, select.POLLIN)
                elif not lines[number].hear():
                    poll.unregister(number)
                    lines.pop(number).close()


def records(file: Path) -> Iterator[Kept]:
    """Yield every letter that was kept, in the order received. Raises Cut."""
    with file.open("rb", _BUFFER) as kept:
        while head := kept.readline():
            try:
                length, sender, to = head.split(b" ")
                text = kept.read(int(length))
            except ValueError as error:
                raise Cut(f"{file} is not a file of kept letters.") from error
            if len(text) != int(length) or kept.read(1) != b"\n":
                raise Cut(f"{file} ends in the middle of a letter.")
            yield Kept(sender.decode(), to.decode().strip(), unstuffed(text))


def unstuffed(text: bytes) -> bytes:
    """Return a text without the dot that SMTP adds to each line that begins with one (RFC 5321 §4.5.2)."""
    return text.removeprefix(b".").replace(b"\r\n.", b"\r\n")


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))

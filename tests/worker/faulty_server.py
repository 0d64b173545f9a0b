"""A mail server on this machine that misbehaves on request, and writes down what it took before it answers."""

import contextlib
import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_HEADER = re.compile(rb"^X-Postbag-Delivery: *(\S+)", re.MULTILINE | re.IGNORECASE)
_REFERENCE = re.compile(rb"^MAIL FROM:<return-([^@>]+)@", re.IGNORECASE)


@dataclass(frozen=True)
class Act:
    """What the server does at one point: wait, answer these bytes, hang up; and whether it takes the letter."""

    answer: bytes = b""
    hangs_up: bool = False
    waits_for: float = 0.0  # seconds
    takes: bool = True  # counts at the final dot only


@dataclass(frozen=True)
class Taken:
    """One letter that the server has taken over, byte for byte after the dots were unstuffed."""

    data: bytes
    delivery: str
    to: str
    connection: int

    @property
    def digest(self) -> str:
        """Return its SHA-256 in hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Moment:
    """Where the server stands when it asks its script what to do."""

    point: str  # banner ehlo starttls auth mail rcpt data body dot rset quit
    connection: int  # 1 is the first
    letter: int  # the n-th MAIL over all connections; 0 before the first
    said: bytes = b""

    @property
    def delivery(self) -> str:
        """Return the reference in the envelope of a MAIL, "" elsewhere."""
        found = _REFERENCE.match(self.said)
        return found[1].decode() if found else ""


Script = Callable[[Moment], Act | None]
HONEST: Mapping[str, bytes] = {
    "banner": b"220 mx.faulty.test\r\n",
    "ehlo": b"250-mx.faulty.test\r\n250 SIZE 1000000\r\n",
    "starttls": b"220 go on\r\n",
    "auth": b"235 welcome\r\n",
    "mail": b"250 ok\r\n",
    "rcpt": b"250 ok\r\n",
    "data": b"354 go on\r\n",
    "dot": b"250 taken\r\n",
    "rset": b"250 ok\r\n",
    "quit": b"221 bye\r\n",
}


def says(answer: str | bytes, *, after: float = 0.0, hangs_up: bool = False) -> Act:
    """Answer this; a 4xx or 5xx to the dot means that the letter is not taken."""
    raw = answer if isinstance(answer, bytes) else answer.encode() + b"\r\n"
    return Act(raw, hangs_up=hangs_up, waits_for=after, takes=raw[:1] not in b"45")


def drops(*, takes: bool = False) -> Act:
    """Hang up without a word."""
    return Act(hangs_up=True, takes=takes)


def falls_silent(seconds: float, *, takes: bool = False) -> Act:
    """Say nothing for so long, then hang up."""
    return Act(hangs_up=True, waits_for=seconds, takes=takes)


def at(point: str, act: Act, *, letters: tuple[int, ...] = (), connections: tuple[int, ...] = ()) -> Script:
    """Return a script with one fault: at this point, for these letters and connections only where any are named."""

    def script(moment: Moment) -> Act | None:
        fits = (
            moment.point == point
            and (not letters or moment.letter in letters)
            and (not connections or moment.connection in connections)
        )
        return act if fits else None

    return script


class _HungUp(Exception):
    """The connection is over."""


@dataclass
class FaultyServer:
    """Listens on a free loopback port from `with` until its end."""

    script: Script = field(default=lambda _moment: None)
    context: ssl.SSLContext | None = None  # with a certificate: offers STARTTLS, or speaks TLS at once
    tls_at_once: bool = False
    extensions: tuple[str, ...] = ()
    most_connections: int = 1000  # beyond them: 421 at the banner
    taken: list[Taken] = field(default_factory=list)
    dots: int = 0
    said: list[tuple[int, bytes]] = field(default_factory=list)  # commands, by connection
    connections: int = 0
    letters: int = 0
    in_data: int = 0  # letters between their first byte and the answer to their dot, just now
    most_in_data: int = 0

    def __enter__(self) -> "FaultyServer":
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._alive: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_facts: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._listener.join(5)
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """End every connection at once."""
        with self._lock:
            for line in self._alive:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def copies(self) -> dict[str, int]:
        """Return how many copies were taken, by delivery header."""
        with self._lock:
            counts: dict[str, int] = {}
            for letter in self.taken:
                counts[letter.delivery] = counts.get(letter.delivery, 0) + 1
            return counts

    def commands(self) -> list[bytes]:
        """Return all that was said to the server outside letters, in order."""
        return [line for _, line in self.said]

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            line.settimeout(30)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._alive.add(line)
                crowded = len(self._alive) > self.most_connections
            thread = threading.Thread(target=self._serve, args=(line, number, crowded), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket, number: int, crowded: bool) -> None:
        visit = _Visit(self, line, number)
        try:
            if crowded:
                line.sendall(b"421 4.7.0 too many connections\r\n")
            else:
                visit.serve()
        except (_HungUp, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._alive -= {line, visit.line}
            with contextlib.suppress(OSError):
                visit.line.shutdown(socket.SHUT_RDWR)
            visit.line.close()
            line.close()


class _Visit:
    """One connection."""

    def __init__(self, server: FaultyServer, line: socket.socket, number: int) -> None:
        self.server, self.line, self.number = server, line, number
        self.unread = b""
        self.letter = 0
        self.to = ""
        self.secured = False

    def serve(self) -> None:
        """Speak SMTP until the client quits or a fault ends it."""
        if self.server.tls_at_once:
            self._secure()
        self._act("banner")
        while True:
            said = self._read_line()
            self.server.said.append((self.number, said))
            verb = said[:4].upper()
            if verb in {b"EHLO", b"HELO"}:
                self._act("ehlo", said, instead=self._greeting())
            elif verb == b"STAR":
                self._act("starttls", said)
                self._secure()
            elif verb == b"MAIL":
                with self.server._lock:
                    self.server.letters += 1
                    self.letter = self.server.letters
                self._act("mail", said)
            elif verb == b"RCPT":
                self.to = said.decode("ascii", "replace").split("<", 1)[-1].rstrip("\r\n>")
                self._act("rcpt", said)
            elif verb == b"DATA":
                if self._act("data", said).startswith(b"354"):
                    self._take_letter()
            elif verb in {b"AUTH", b"RSET", b"QUIT"}:
                self._act(verb.decode().lower(), said)
                if verb == b"QUIT":
                    raise _HungUp
            else:
                self.line.sendall(b"500 what?\r\n")

    def _greeting(self) -> bytes:
        words = [b"mx.faulty.test", *(word.encode() for word in self.server.extensions)]
        if self.server.context is not None and not self.secured:
            words.append(b"STARTTLS")
        words.append(b"SIZE 1000000")
        return b"".join(b"250-" + word + b"\r\n" for word in words[:-1]) + b"250 " + words[-1] + b"\r\n"

    def _secure(self) -> None:
        assert self.server.context is not None
        plain = self.line
        self.line = self.server.context.wrap_socket(plain, server_side=True)
        with self.server._lock:  # the plain one is empty now
            self.server._alive = (self.server._alive - {plain}) | {self.line}
        self.unread = b""
        self.secured = True

    def _act(self, point: str, said: bytes = b"", *, instead: bytes = b"") -> bytes:
        act = self.server.script(Moment(point, self.number, self.letter, said))
        if act is None:
            act = Act(instead or HONEST[point])
        self._do(act)
        return act.answer

    def _do(self, act: Act) -> None:
        if act.waits_for:
            self.server._over.wait(act.waits_for)
        if act.answer:
            self.line.sendall(act.answer)
        if act.hangs_up:
            raise _HungUp

    def _take_letter(self) -> None:
        with self.server._lock:
            self.server.in_data += 1
            self.server.most_in_data = max(self.server.most_in_data, self.server.in_data)
        try:
            self._read_and_take()
        finally:
            with self.server._lock:
                self.server.in_data -= 1

    def _read_and_take(self) -> None:
        fault = self.server.script(Moment("body", self.number, self.letter))
        if fault is not None:
            self._do(fault)
        raw = b"\r\n"
        while not raw.endswith(b"\r\n.\r\n"):
            raw += self._read_line()
        data = raw[:-3].replace(b"\r\n.", b"\r\n")[2:]
        act = self.server.script(Moment("dot", self.number, self.letter)) or Act(HONEST["dot"])
        with self.server._lock:
            self.server.dots += 1
            if act.takes:  # before it answers: what is not written down here was not taken
                found = _HEADER.search(data)
                self.server.taken.append(Taken(data, found[1].decode() if found else "", self.to, self.number))
        self._do(act)

    def _read_line(self) -> bytes:
        while b"\n" not in self.unread:
            piece = self.line.recv(65536)
            if not piece:
                raise _HungUp
            self.unread += piece
        line, _, self.unread = self.unread.partition(b"\n")
        return line + b"\n"

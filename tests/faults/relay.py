"""What stands between a worker and its database: a relay that can hold everything up, or cut a line at a COMMIT."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterable

_PIECE = 65536
_COMMIT = b"COMMIT"
_FENCE = b"SET dot_at"  # who has said this is a recorder


class Relay:
    """Listens on a free port and passes on what it hears; ended by `with`."""

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self._to = ("127.0.0.1", port)
        self._drawn = random.Random(seed)  # noqa: S311  the same each time
        self._flows = threading.Event()
        self._flows.set()
        self._share = 0.0
        self.cuts = {"before": 0, "after": 0}  # … the COMMIT had reached the database

    def __enter__(self) -> "Relay":
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_facts: object) -> None:
        self._flows.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def block(self) -> None:
        """Pass nothing on, and say nothing."""
        self._flows.clear()

    def unblock(self) -> None:
        """Pass on what has waited, and what comes."""
        self._flows.set()

    def cut_commits(self, share: float) -> None:
        """Cut this share of the recorders' lines that say COMMIT, half of them before it reaches the database."""
        self._share = share

    def _listen(self) -> None:
        while True:
            try:
                here, _ = self._socket.accept()
                there = socket.create_connection(self._to, timeout=10)
            except OSError:
                return
            there.settimeout(None)
            for line in (here, there):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            silenced = threading.Event()
            threading.Thread(target=self._ask, args=(here, there, silenced), daemon=True).start()
            threading.Thread(target=self._answer, args=(there, here, silenced), daemon=True).start()

    def _ask(self, here: socket.socket, there: socket.socket, silenced: threading.Event) -> None:
        is_recorder = False
        while piece := _heard(here):
            self._flows.wait()
            is_recorder = is_recorder or _FENCE in piece
            if is_recorder and _COMMIT in piece and self._drawn.random() < self._share:
                if self._drawn.random() < 0.5:
                    self.cuts["before"] += 1
                    break
                silenced.set()  # the database hears it, and nobody hears the database
                self.cuts["after"] += 1
            if not _said(there, piece):
                break
        _end((here, there))

    def _answer(self, there: socket.socket, here: socket.socket, silenced: threading.Event) -> None:
        while piece := _heard(there):
            self._flows.wait()
            if silenced.is_set() or not _said(here, piece):
                break
        _end((here, there))


def _heard(line: socket.socket) -> bytes:
    try:
        return line.recv(_PIECE)
    except OSError:
        return b""


def _said(line: socket.socket, piece: bytes) -> bool:
    try:
        line.sendall(piece)
    except OSError:
        return False
    return True


def _end(lines: Iterable[socket.socket]) -> None:
    for line in lines:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()

"""SMTP connections driven by one thread without blocking: a letter costs a few system calls and no change of thread."""

import logging
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable

from letters.composing import Message
from letters.endings import NotSent
from worker import defects
from worker.transports import AsksForDot, Ended, Letters, LineDown, Said
from worker.transports.smtp import Wire

log = logging.getLogger(__name__)
REST_BETWEEN_LINES = 1.0  # seconds, to a server that ends them or wants us to come back later
FEWER_LINES_FOR = 60.0  # seconds for which a server that took fewer connections is asked for no more
MOST_OPENING = 8  # lines at the same moment: each takes a thread, whose memory is never given back
LONGEST_BEHIND = 5.0  # seconds, behind a letter whose dot is not answered
LOOK_EVERY = 0.2  # seconds between looks at time-outs


class Wires:
    """A Carrier over SMTP. Connections are opened beside it, in threads, because that may take its time."""

    def __init__(self, connect: Callable[[], Wire], *, connections: int, patience: float = 1.0) -> None:
        self.lines = connections
        self._longest_behind = LONGEST_BEHIND * patience
        self.down = ""
        self._connect = connect
        self._wires: set[Wire] = set()
        self._asking: dict[int, Wire] = {}  # by delivery id
        self._pending: list[Said] = []
        self._opened: queue.SimpleQueue[Wire | LineDown] = queue.SimpleQueue()
        self._opening = 0
        self._open_after = self._fewer_until = self._looked_at = 0.0
        self._most = connections
        self._is_closed = False
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._woken.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def carry(self, letters: Letters, *, wait: float) -> list[Said]:
        """See Carrier."""
        self._look_at_time(letters)
        for wire in [wire for wire in self._wires if wire.dialogue.takes_letter]:
            if not self._begin(wire, letters):
                break
        if letters.waiting and time.monotonic() >= self._open_after:
            self._open_more(letters.waiting)
        self._move(0.0 if self._pending else wait)
        said, self._pending = self._pending, []
        return said

    def answer(self, message: Message, *, letters: Letters, allowed: bool) -> None:
        """See Carrier."""
        wire = self._asking.pop(message.delivery_id, None)
        if wire is None:  # its line broke meanwhile, which has been told
            return
        if not allowed:
            self._pending += wire.dialogue.refuse_dot()
            self._let_go(wire)
            return
        if early := wire.read():  # a yes said too early must not pass for the answer to the dot
            self._hear(wire, early)
            return
        wire.dialogue.write_dot()
        if wire.dialogue.takes_letter and self._begin(wire, letters):
            return
        self._hear(wire, wire.write())

    def wake(self) -> None:
        """See Carrier."""
        self._waker.send(b".")

    def rest(self) -> None:
        """See Carrier. What servers asked of us is remembered: after an outage lines are opened one by one."""
        self.down = ""
        for wire in self._wires:
            self._selector.unregister(wire)
            wire.close(politely=True)
        self._wires.clear()

    def close(self) -> None:
        """See Carrier."""
        self._is_closed = True
        self.rest()
        self._take_opened()
        self._selector.close()
        self._woken.close()
        self._waker.close()

    # ── letters ──────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, wire: Wire, letters: Letters) -> bool:
        message = letters.take()
        if message is None:
            return False
        try:
            said = wire.dialogue.begin(message)
        except Exception as error:  # noqa: BLE001  a defect of ours must not lose the letter nor stop the others
            defects.tell(log, f"delivery {message.delivery_id} could not be begun", error)
            said = [Ended(message, NotSent("our side failed"))]
        self._hear(wire, said + wire.write())
        return True

    def _move(self, wait: float) -> None:
        until_open = self._open_after - time.monotonic()
        for key, events in self._selector.select(max(min(wait, until_open), 0.0) if until_open > 0 else wait):
            if key.fileobj is self._woken:
                self._woken.recv(4096)
                self._take_opened()
                continue
            wire = key.fileobj
            assert isinstance(wire, Wire)  # noqa: S101  nothing else is registered
            said = wire.read() if events & selectors.EVENT_READ else []
            self._hear(wire, said + wire.write())

    def _look_at_time(self, letters: Letters) -> None:
        """End what was waited for too long; another line may have a letter that waits behind somebody's silent dot."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        for wire in list(self._wires):
            left = wire.dialogue.seconds_left()
            if left is not None and left <= 0:
                self._hear(wire, wire.dialogue.break_off("the server fell silent"), fell_silent=True)
            elif wire.dialogue.silent_for > self._longest_behind and (next_one := wire.dialogue.let_go_of_next()):
                letters.put_back(next_one)

    def _hear(self, wire: Wire, said: list[Said], *, fell_silent: bool = False) -> None:
        """Keep what a line said; let go of a line that is no use any more, and wait for one that cannot write.

        A server that ends lines is left alone for a moment; one that is silent, for one of its letters, is not.
        """
        for one in said:
            if isinstance(one, AsksForDot):
                self._asking[one.message.delivery_id] = wire
            else:
                self._asking.pop(one.message.delivery_id, None)
        self._pending += said
        if not wire.dialogue.is_usable:
            self._let_go(wire)
            if not fell_silent and (wire.dialogue.was_told_to_leave or not wire.dialogue.accepted):
                self._open_after = time.monotonic() + REST_BETWEEN_LINES
        elif wire.wants_to_write is not wire.waits_to_write:
            wire.waits_to_write = wire.wants_to_write
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(wire, both if wire.wants_to_write else selectors.EVENT_READ)

    # ── lines ────────────────────────────────────────────────────────────────────────────────────────────

    def _open_more(self, waiting: int) -> None:
        """Open a line for each letter that waits, as many as may be."""
        if self._most < self.lines and time.monotonic() >= self._fewer_until:
            self._most = self.lines
        missing = min(waiting, self._most - len(self._wires), MOST_OPENING) - self._opening
        one_by_one = self._open_after > 0.0  # the server has ended lines lately
        for _ in range(missing):
            self._opening += 1
            threading.Thread(target=self._open, name="opening a line", daemon=True).start()
            if one_by_one:
                self._open_after = time.monotonic() + REST_BETWEEN_LINES
                return
        if len(self._wires) == self.lines:
            self._open_after = 0.0

    def _open(self) -> None:
        try:
            opened: Wire | LineDown = self._connect()
        except LineDown as down:
            opened = down
        except Exception as error:  # noqa: BLE001  a thread that ends without a word would be waited for
            defects.tell(log, "a line could not be opened", error)
            opened = LineDown("our side failed")
        self._opened.put(opened)
        try:
            self._waker.send(b".")
        except OSError:
            self._close_late()
        if self._is_closed:
            self._close_late()

    def _take_opened(self) -> None:
        while not self._opened.empty():
            opened = self._opened.get()
            self._opening -= 1
            if isinstance(opened, LineDown):
                self._open_after = time.monotonic() + REST_BETWEEN_LINES
                if not self._wires and not self._opening:
                    self.down = opened.words
                else:  # some servers take fewer connections than we would use
                    self._most, self._fewer_until = max(len(self._wires), 1), time.monotonic() + FEWER_LINES_FOR
            elif self._is_closed:
                opened.close(politely=True)
            else:
                self._wires.add(opened)
                self._selector.register(opened, selectors.EVENT_READ)

    def _close_late(self) -> None:
        """Close what was opened after nobody needed it any more."""
        while True:
            try:
                opened = self._opened.get_nowait()
            except queue.Empty:
                return
            if isinstance(opened, Wire):
                opened.close(politely=True)

    def _let_go(self, wire: Wire) -> None:
        if wire in self._wires:
            self._wires.remove(wire)
            self._selector.unregister(wire)
            wire.close()

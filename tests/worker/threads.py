"""A carrier over lines that block, a thread for each: what a test scripts letter by letter."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from letters.composing import Message
from letters.endings import Ambiguous, NotSent
from worker import defects
from worker.transports import AsksForDot, Ended, Letters, Line, LineDown, Said

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A thread that waits for leave to write the final dot."""

    answered: threading.Event = field(default_factory=threading.Event)
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class _Lost:
    """A line that could not be opened, and the letter that it did not take."""

    message: Message
    words: str


class Threads:
    """A Carrier over lines that block."""

    def __init__(self, open_line: Callable[[], Line], *, connections: int) -> None:
        self.lines = connections
        self.down = ""
        self._open_line = open_line
        self._taken: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[Said | _Lost | None] = queue.SimpleQueue()  # None: woken
        self._asked: dict[int, _Asked] = {}  # by delivery id
        self._threads: list[threading.Thread] = []
        self._busy = self._lost = 0

    def carry(self, letters: Letters, *, wait: float) -> list[Said]:
        """See Carrier."""
        while self._busy < self.lines - self._lost and (message := letters.take()) is not None:
            if self._busy == len(self._threads) - self._lost:
                thread = threading.Thread(target=self._run, name=f"line {len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._busy += 1
            self._taken.put(message)
        said: list[Said] = []
        until = time.monotonic() + wait
        while (one := self._next(until if not said else 0.0)) is not None:
            if isinstance(one, _Lost):
                self._lose(one, letters)
                continue
            self._busy -= isinstance(one, Ended)
            said.append(one)
        return said

    def answer(self, message: Message, *, letters: Letters, allowed: bool) -> None:  # noqa: ARG002  threads take by turns
        """See Carrier."""
        asked = self._asked.pop(message.delivery_id)
        asked.allowed = allowed
        asked.answered.set()

    def wake(self) -> None:
        """See Carrier."""
        self._said.put(None)

    def rest(self) -> None:
        """See Carrier: lines that block stay open."""

    def close(self) -> None:
        """See Carrier."""
        for _ in self._threads:
            self._taken.put(None)
        for thread in self._threads:
            thread.join()

    def _next(self, until: float) -> Said | _Lost | None:
        try:
            return self._said.get(timeout=max(until - time.monotonic(), 0.0)) if until else self._said.get_nowait()
        except queue.Empty:
            return None

    def _lose(self, lost: _Lost, letters: Letters) -> None:
        """Leave the letter to the other lines: some servers take fewer connections than we have. The last one tells."""
        self._busy -= 1
        self._lost += 1
        letters.put_back(lost.message)
        if self._lost == len(self._threads):
            self.down = lost.words

    # ── a thread's side ──────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        line = self._open_line()
        while (message := self._taken.get()) is not None:
            asked = self._asked[message.delivery_id] = _Asked()
            try:
                ending = line.send(message, allow=lambda m=message, a=asked: self._may_leave(m, a))  # type: ignore[misc]
            except LineDown as down:
                self._said.put(_Lost(message, down.words))
                break
            except Exception as error:  # noqa: BLE001  a defect of ours must not lose the letter nor stop the line
                defects.tell(log, f"delivery {message.delivery_id}: the line failed", error)
                ending = Ambiguous("our side failed") if asked.allowed else NotSent("our side failed")
                line.close()
                line = self._open_line()
            self._said.put(Ended(message, ending))
        line.close()

    def _may_leave(self, message: Message, asked: _Asked) -> bool:
        self._said.put(AsksForDot(message))
        asked.answered.wait()
        return asked.allowed

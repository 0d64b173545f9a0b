"""A carrier at work in a thread of its own, so that letters move while the recorder waits for the database.

It takes orders and says what happened; neither side waits for the other. All that is known of lines and waiting letters
belongs to this thread; the recorder's belongs to the recorder.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from letters.composing import Message
from worker import defects
from worker.transports import Carrier, Ended, Said
from worker.waiting import Waiting

log = logging.getLogger(__name__)
LONGEST_WAIT = 0.5  # seconds between looks at orders, should a wake-up be lost


class Unusable(tuple[int]):
    """A delivery that cannot be composed any more."""


class Withdrawn(list[int]):
    """The deliveries that were waiting when their return was asked for."""


class Dropped(list[int]):
    """The deliveries that waited of those that are not ours any more."""


Heard = Said | Unusable | Withdrawn | Dropped


class Carriage:
    """Moves letters over one carrier until told to finish."""

    def __init__(
        self, carrier: Carrier, *, compose: Callable[[int], Message | None], may_write_dot: Callable[[int], bool]
    ) -> None:
        self.lines = carrier.lines
        self._carrier = carrier
        self._compose = compose
        self._may_write_dot = may_write_dot
        self._waiting = Waiting(self._composed)
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._is_finished = False
        self._thread = threading.Thread(target=self._run, name="carriage", daemon=True)
        self._thread.start()

    # ── the recorder's side ──────────────────────────────────────────────────────────────────────────────

    @property
    def down(self) -> str:
        """Return why no line can be opened at all; "" while one can."""
        return self._carrier.down

    @property
    def waiting(self) -> int:
        """Return how many deliveries wait for a free line."""
        return self._waiting.total

    @property
    def ready(self) -> int:
        """Return how many of these a free line may begin: not those whose domain has as many in flight as may be."""
        return self._waiting.ready

    @property
    def free(self) -> int:
        """Return how many lines carry nothing."""
        return self.lines - len(self._waiting.begun)

    def crowded(self) -> set[str]:
        """Return the domains of which no more need be claimed for now."""
        return self._waiting.crowded()

    def begun(self) -> dict[int, float]:
        """Return the deliveries in flight, and since when (clock.boot_seconds)."""
        return dict(self._waiting.begun)

    def add(self, deliveries: Mapping[int, str]) -> None:
        """Let deliveries to these receiving domains wait for a free line."""
        self._order(lambda: self._add(deliveries))

    def answer(self, answers: Sequence[tuple[Message, bool]]) -> None:
        """Let letters that asked for their final dot have it, or end their attempts."""
        self._order(lambda: self._answer(answers))

    def withdraw(self) -> None:
        """Ask for what still waits; it comes back as `Withdrawn`, and nothing more is begun."""
        self._order(self._withdraw)

    def drop(self, ids: AbstractSet[int]) -> None:
        """Begin none of these any more; those that waited come back as `Dropped`."""
        self._order(lambda: self._heard.put(Dropped(self._waiting.drop(ids))))

    def heard(self, *, wait: float, linger: float = 0.0, enough: int = 1) -> list[Heard]:
        """Return what happened since the last time, after at most `wait` seconds.

        Once something has, up to `linger` more are given to others, until there is `enough`: a group costs a commit.
        """
        heard: list[Heard] = []
        until = time.monotonic() + wait
        while True:
            left = until - time.monotonic()
            try:
                heard.append(self._heard.get(timeout=left) if left > 0 else self._heard.get_nowait())
            except queue.Empty:
                return heard
            if len(heard) == 1:
                until = min(until, time.monotonic() + linger)
            elif len(heard) >= enough:
                until = 0.0

    def finish(self) -> None:
        """End the thread; nothing is under way any more. The carrier's lines stay open."""
        self._order(self._finish)
        self._thread.join()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        self._carrier.wake()

    # ── the thread's side ────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while not self._is_finished:
            try:
                while not self._orders.empty():
                    self._orders.get()()
                for one in self._carrier.carry(self._waiting, wait=LONGEST_WAIT):
                    if isinstance(one, Ended):
                        self._waiting.ended(one.message.delivery_id)
                    self._heard.put(one)
                if self._waiting.returned:
                    self._heard.put(Withdrawn(self._waiting.returned))
                    self._waiting.returned = []
            except Exception as error:  # noqa: BLE001  a thread that ends without a word would be waited for for ever
                defects.tell(log, "the carriage failed", error)
                time.sleep(LONGEST_WAIT)

    def _composed(self, delivery_id: int) -> Message | None:
        message = self._compose(delivery_id)
        if message is None:
            self._heard.put(Unusable((delivery_id,)))
        return message

    def _add(self, deliveries: Mapping[int, str]) -> None:
        for delivery_id, domain in deliveries.items():
            self._waiting.add(delivery_id, domain)

    def _answer(self, answers: Sequence[tuple[Message, bool]]) -> None:
        for message, fenced in answers:
            allowed = fenced and self._may_write_dot(message.delivery_id)  # once more, right before the dot
            self._carrier.answer(message, letters=self._waiting, allowed=allowed)

    def _withdraw(self) -> None:
        self._heard.put(Withdrawn(self._waiting.withdraw()))

    def _finish(self) -> None:
        self._is_finished = True

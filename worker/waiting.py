"""The claimed deliveries that wait for a free line: which goes next, and how many to one receiving domain at once."""

from collections import Counter, deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from django.conf import settings

from letters import clock
from letters.composing import Message

# Letters that wait for each that a domain may have in flight: no more are claimed of one that keeps its letters for so
# long (seconds), nor of any that lags far behind. Were it fewer for all, busy domains would drift apart: claims would
# skip more and more rows, and take one delivery each of hundreds of letters, which must all be composed.
ENOUGH, HELD_UP_AFTER = 4, 5.0
PLENTY = 32


class Waiting:
    """Deliveries by receiving domain, which take turns: a slow one holds up itself, not the others."""

    def __init__(self, begin: Callable[[int], Message | None]) -> None:
        self.is_closed = False  # nothing more is begun
        self.total = 0
        self.ready = 0  # of these, in domains with room
        self._begin = begin
        self._domains: dict[str, deque[int]] = {}  # those that have something waiting and room
        self._full: dict[str, deque[int]] = {}  # those with as many in flight as may be
        self._in_flight: Counter[str] = Counter()
        self._domain_of: dict[int, str] = {}
        self.returned: list[int] = []  # put back after all that waited had been withdrawn
        self.begun: dict[int, float] = {}  # in flight: since when, in clock.boot_seconds
        self._most = max(settings.CONNECTIONS_PER_DOMAIN // settings.WORKERS, 1)  # this process's share of them

    @property
    def waiting(self) -> int:
        """Return how many may be begun now, at least: one for each domain with room."""
        return 0 if self.is_closed else len(self._domains)

    def crowded(self) -> set[str]:
        """Return the domains that have no room and enough waiting for a while: more would only wait with them."""
        since = clock.boot_seconds() - HELD_UP_AFTER
        held_up = {self._domain_of.get(pk) for pk, begun_at in list(self.begun.items()) if begun_at <= since}
        return {
            domain for domain, queue in list(self._full.items())
            if len(queue) >= self._most * (ENOUGH if domain in held_up else PLENTY)
        }  # fmt: skip

    def add(self, delivery_id: int, domain: str) -> None:
        """Let a claimed delivery to this receiving domain wait."""
        self._domain_of[delivery_id] = domain
        self._queue(domain).append(delivery_id)
        self.total += 1
        self.ready += domain in self._domains

    def take(self) -> Message | None:
        """Return the next letter, composed; None where none may be begun now."""
        while self._domains and not self.is_closed:
            domain, queue = next(iter(self._domains.items()))
            del self._domains[domain]  # and behind the others, if there is more
            delivery_id = queue.popleft()
            self.total -= 1
            self.ready -= 1
            message = self._begin(delivery_id)
            if message is not None:
                self._in_flight[domain] += 1
                self.begun[delivery_id] = clock.boot_seconds()
            else:
                del self._domain_of[delivery_id]
            if queue and self._in_flight[domain] < self._most:
                self._domains[domain] = queue
            elif queue:
                self._full[domain] = queue
                self.ready -= len(queue)
            if message is not None:
                return message
        return None

    def put_back(self, message: Message) -> None:
        """Take a letter back that was not begun: it waits again, before the others of its domain."""
        domain = self._domain_of[message.delivery_id]
        del self.begun[message.delivery_id]
        self._leave(domain)
        if self.is_closed:
            del self._domain_of[message.delivery_id]
            self.returned.append(message.delivery_id)
            return
        self._queue(domain).appendleft(message.delivery_id)
        self.total += 1
        self.ready += domain in self._domains

    def ended(self, delivery_id: int) -> None:
        """Make room: an attempt has ended."""
        if self.begun.pop(delivery_id, None) is not None:
            self._leave(self._domain_of.pop(delivery_id))

    def withdraw(self) -> list[int]:
        """Return all that wait; none of them waits any more, and nothing more is begun."""
        self.is_closed = True
        waiting = [pk for queues in (self._domains, self._full) for queue in queues.values() for pk in queue]
        for pk in waiting:
            del self._domain_of[pk]
        self._domains.clear()
        self._full.clear()
        self.total = self.ready = 0
        return waiting

    def drop(self, ids: AbstractSet[int]) -> list[int]:
        """Return those of these that wait; they wait no more."""
        dropped: list[int] = []
        for queues in (self._domains, self._full):
            for domain, queue in list(queues.items()):
                mine = [pk for pk in queue if pk in ids]
                if mine:
                    dropped += mine
                    kept = deque(pk for pk in queue if pk not in ids)
                    if kept:
                        queues[domain] = kept
                    else:
                        del queues[domain]
        for pk in dropped:
            del self._domain_of[pk]
        self.total -= len(dropped)
        self.ready = sum(map(len, self._domains.values()))
        return dropped

    def _queue(self, domain: str) -> deque[int]:
        if domain in self._full:
            return self._full[domain]
        place = self._full if self._in_flight[domain] >= self._most else self._domains
        return place.setdefault(domain, deque())

    def _leave(self, domain: str) -> None:
        self._in_flight[domain] -= 1
        if not self._in_flight[domain]:
            del self._in_flight[domain]
        if domain in self._full:
            self._domains[domain] = self._full.pop(domain)
            self.ready += len(self._domains[domain])

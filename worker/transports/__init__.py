"""Ways to hand a letter over. Each ends an attempt with one of the five endings, never with an exception."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from letters.composing import Message
from letters.endings import Ending

LONGEST_ATTEMPT = 1500.0  # seconds, above the sum of all time-outs: who takes longer is wedged and keeps no lease
Allow = Callable[[], bool]  # asked once, right before the final dot: may it be written?


class LineDown(Exception):
    """No line to the mail server could be opened: nothing was sent, and the next letter would fare the same."""

    code = "line_down"

    def __init__(self, words: str) -> None:
        self.words = words
        self.sentence = f"The mail server cannot be reached: {words}"
        super().__init__(self.sentence)


class Line(Protocol):
    """One open connection to a mail server or provider, carrying one letter at a time."""

    def open(self) -> None:
        """Open it where it is not open. Raises LineDown."""

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Hand one letter over. Raises LineDown only where no connection could be opened."""

    def close(self) -> None:
        """End the connection politely, or at once where it is broken."""


class AsksForDot(NamedTuple):
    """A letter was handed over but for its final dot (or the request that holds it): may that leave?"""

    message: Message


class Ended(NamedTuple):
    """The attempt at a letter has ended."""

    message: Message
    ending: Ending


Said = AsksForDot | Ended


class Letters(Protocol):
    """The letters that wait for a free line."""

    @property
    def waiting(self) -> int:
        """Return how many may be taken."""

    def take(self) -> Message | None:
        """Return the next letter, or None where none may be begun now."""

    def put_back(self, message: Message) -> None:
        """Take a letter back that was not begun."""


class Carrier(Protocol):
    """Letters on their way over several lines, one in flight on each. Driven by one thread."""

    lines: int  # how many may be open at once
    down: str  # why no line can be opened at all; "" while one can

    def carry(self, letters: Letters, *, wait: float) -> list[Said]:
        """Move letters on, for at most `wait` seconds until something is said; a free line takes the next one."""

    def answer(self, message: Message, *, letters: Letters, allowed: bool) -> None:
        """Let a letter that asked for its final dot have it, or end its attempt."""

    def wake(self) -> None:
        """Let `carry` return early; any thread may call it."""

    def rest(self) -> None:
        """End the lines politely until there is something to carry again; nothing is under way, nor down any more."""

    def close(self) -> None:
        """End the lines politely, for good; nothing is under way any more."""

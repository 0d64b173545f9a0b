"""Ways to hand a letter over. Each ends an attempt with one of the five endings, never with an exception."""

from collections.abc import Callable
from typing import Protocol

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
    """One open connection to a mail server, carrying one letter at a time."""

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Hand one letter over. Raises LineDown only where no connection could be opened."""

    def close(self) -> None:
        """End the connection politely, or at once where it is broken."""

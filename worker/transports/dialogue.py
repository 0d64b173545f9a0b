"""One SMTP connection's dialogue, letter after letter, without the connection: bytes in, bytes out, endings.

It always knows in which phase the line is, so that a line that breaks leaves no doubt about more than one letter. Where
the server offers PIPELINING (RFC 2920) the final dot of one letter and the envelope of the next leave in one write.
Replies are read strictly and within bounds: one well-formed reply, or a broken line.
"""

import re
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from worker.transports import AsksForDot, Ended, Said
from worker.transports.replies import BrokenLine, Reply, ReplyReader

ENVELOPE_SECONDS = 60.0  # RFC 5321 §4.5.3.2, as all of these
DATA_START_SECONDS = 120.0
DATA_BLOCK_SECONDS = 180.0
DOT_SECONDS = 600.0  # §4.5.3.2.6: shorter makes duplicates
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>]")
_WAIT = re.compile(r"(?:try|retry)[^.;]{0,40}?(\d{1,5})\s*(s|sec|m|min|h|hour)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Step(Enum):
    """What the server was told and has to answer."""

    RSET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the final dot"


@dataclass(slots=True)
class _Attempt:
    message: Message
    refusal: Ending | None = None  # the server has said no to the envelope
    asked: bool = False  # for the dot
    unsent: deque[tuple[Step, bytes]] = field(default_factory=deque)  # one at a time, without PIPELINING


class Dialogue:
    """What is said on one open line. The caller moves `outgoing` to the server and tells when it has left."""

    def __init__(self, *, pipelines: bool = False, takes_size: bool = False, patience: float = 1.0) -> None:
        self.outgoing = bytearray()
        self.is_usable = True  # for another letter
        self.accepted = 0  # letters
        self.was_told_to_leave = False  # 421: come back later
        self._pipelines = pipelines
        self._takes_size = takes_size
        self._patience = patience
        self._replies = ReplyReader()
        self._awaited: deque[tuple[Step, _Attempt | None]] = deque()
        self._current: _Attempt | None = None  # the letter whose envelope or text is under way
        self._in_text = False  # its text is on the way or waits for its dot
        self._is_last = False  # the letter whose dot is awaited
        self._since = time.monotonic()

    # ── what the caller wants ────────────────────────────────────────────────────────────────────────────

    @property
    def takes_letter(self) -> bool:
        """Return whether a letter may be begun now."""
        is_free = self._current is None and not self._is_last
        return self.is_usable and is_free and (self._pipelines or not self._awaited)

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is under way."""
        return self._current is None and not self._awaited

    @property
    def awaits_reply(self) -> bool:
        """Return whether the server owes us a reply."""
        return bool(self._awaited)

    def begin(self, message: Message) -> list[Said]:
        """Say MAIL, RCPT and DATA, in one go where the server pipelines."""
        size = f" SIZE={len(message.data)}" if self._takes_size else ""
        if _NOT_IN_ADDRESS.search(message.envelope_to):
            return [Ended(message, Refused(553, "5.1.3 this is not an e-mail address"))]
        try:
            lines = [
                (Step.MAIL, f"MAIL FROM:<{message.envelope_from}>{size}\r\n".encode("ascii")),
                (Step.RCPT, f"RCPT TO:<{message.envelope_to}>\r\n".encode("ascii")),
                (Step.DATA, b"DATA\r\n"),
            ]
        except UnicodeEncodeError:
            return [Ended(message, Refused(553, "5.6.7 this mail server cannot take an address outside ASCII"))]
        attempt = _Attempt(message)
        self._current = attempt
        if self._pipelines:
            for step, line in lines:
                self._say(step, line, attempt)
        else:
            attempt.unsent.extend(lines)
            self._say_next(attempt)
        return []

    def has_left(self) -> list[Said]:
        """Tell that `outgoing` is on its way; returns the question for the dot once the text is."""
        if self._in_text and self._current is not None and not self._current.asked:
            self._current.asked = True
            return [AsksForDot(self._current.message)]
        return []

    def write_dot(self) -> None:
        """Write the final dot of the letter that asked for it; now a copy may be taken. `begin` may follow at once."""
        attempt = self._current
        assert attempt is not None  # noqa: S101  only asked for by `AsksForDot`
        self._current, self._in_text = None, False
        self._say(Step.DOT, b".\r\n", attempt)

    def refuse_dot(self) -> list[Said]:
        """End the letter that asked for its dot, and the dialogue with it: without the dot the server has nothing."""
        attempt = self._current
        assert attempt is not None  # noqa: S101  only told in answer to `AsksForDot`
        self._current = None
        return [Ended(attempt.message, NotSent("stopped before the final dot")), *self.break_off("stopped")]

    def hear(self, data: bytes) -> list[Said]:
        """Take what the server said. After anything unclean the dialogue is over and every letter has ended."""
        said: list[Said] = []
        try:
            for reply in self._replies.feed(data):
                said += self._answered(reply)
        except BrokenLine as broken:
            return said + self.break_off(str(broken))
        return said if self.is_usable else said + self.break_off("the server closed the line")

    def break_off(self, why: str) -> list[Said]:
        """End the dialogue: each letter under way ends as its phase says (RELIABILITY §3)."""
        self.is_usable = False
        said: list[Said] = []
        for step, attempt in self._awaited:
            if step is Step.DOT and attempt is not None:
                said.append(Ended(attempt.message, Ambiguous(f"no answer to the final dot: {why}"[:200])))
        if self._current is not None:
            place = "inside the letter" if self._in_text else "before the letter"
            ending = self._current.refusal or NotSent(f"the line broke {place}: {why}"[:200])
            said.append(Ended(self._current.message, ending))
        self._awaited.clear()
        self._current, self._in_text = None, False
        self.outgoing.clear()
        return said

    def seconds_left(self) -> float | None:
        """Return how long the server may still take; None where it is our turn."""
        if self._awaited:
            patience = _PATIENCE[self._awaited[0][0]]()
        elif self.outgoing:
            patience = DATA_BLOCK_SECONDS
        else:
            return None
        return self._since + patience * self._patience - time.monotonic()

    def let_go_of_next(self) -> Message | None:
        """Give back the letter whose envelope waits behind a dot that is not answered; None where none does.

        Nothing of it but the envelope was sent, and this line ends with the dot's answer, so the server has nothing.
        """
        attempt = self._current
        if attempt is None or not self._awaited or self._awaited[0][0] is not Step.DOT or attempt.refusal is not None:
            return None
        self._current, self._is_last = None, True
        while self._awaited[-1][1] is attempt:
            self._awaited.pop()
        return attempt.message

    @property
    def silent_for(self) -> float:
        """Return for how long (seconds) the server has owed us the answer to a dot; 0.0 where it does not."""
        return time.monotonic() - self._since if self._awaited and self._awaited[0][0] is Step.DOT else 0.0

    # ── what the server answers ──────────────────────────────────────────────────────────────────────────

    def _answered(self, reply: Reply) -> list[Said]:
        if not self._awaited:  # a yes said too early must not pass for the answer to the dot
            raise BrokenLine(f"the server spoke unasked: {reply.code}")
        step, attempt = self._awaited.popleft()
        self._since = time.monotonic()
        if reply.code == 421:
            self.is_usable, self.was_told_to_leave = False, True
        if attempt is None:
            if reply.code != 250:
                raise BrokenLine(f"unexpected answer {reply.code} to RSET")
            return []
        if step is Step.DOT:
            return self._dot_answered(attempt, reply)
        if attempt.refusal is not None:
            return self._answered_after_refusal(step, attempt, reply)
        if 400 <= reply.code < 600:
            attempt.refusal = _refusal(reply, at_target=step is Step.RCPT)
            attempt.unsent.clear()
            return self._give_up(attempt) if step is Step.DATA or not self._pipelines else []
        if (reply.code == 354) is not (step is Step.DATA):
            raise BrokenLine(f"unexpected answer {reply.code} to {step.value}")
        if step is Step.DATA:
            message = attempt.message
            self.outgoing += message.data if message.is_plain else stuffed(message.data)
            self._in_text = True
        else:
            self._say_next(attempt)
        return []

    def _answered_after_refusal(self, step: Step, attempt: _Attempt, reply: Reply) -> list[Said]:
        """Take the answers to the rest of a pipelined envelope, of which the server has already refused a part."""
        if step is not Step.DATA:
            return []
        if 200 <= reply.code < 400:  # it waits for a text that nobody gets; a dot would be an empty letter
            self.is_usable = False
        return self._give_up(attempt)

    def _give_up(self, attempt: _Attempt) -> list[Said]:
        self._current = None
        if self.is_usable:
            self._say(Step.RSET, b"RSET\r\n", None)
        assert attempt.refusal is not None  # noqa: S101  given up because of it
        return [Ended(attempt.message, attempt.refusal)]

    def _dot_answered(self, attempt: _Attempt, reply: Reply) -> list[Said]:
        self.is_usable = self.is_usable and not self._is_last
        if 200 <= reply.code < 300:
            self.accepted += 1
            return [Ended(attempt.message, Accepted(reply.code, reply.words))]
        if 400 <= reply.code < 600:
            return [Ended(attempt.message, _refusal(reply))]
        self.is_usable = False
        return [Ended(attempt.message, Ambiguous(f"unexpected answer {reply.code} to the final dot"))]

    def _say(self, step: Step, line: bytes, attempt: _Attempt | None) -> None:
        if not self._awaited:
            self._since = time.monotonic()
        self.outgoing += line
        self._awaited.append((step, attempt))

    def _say_next(self, attempt: _Attempt) -> None:
        if attempt.unsent:
            step, line = attempt.unsent.popleft()
            self._say(step, line, attempt)


_PATIENCE = {
    Step.RSET: lambda: ENVELOPE_SECONDS,
    Step.MAIL: lambda: ENVELOPE_SECONDS,
    Step.RCPT: lambda: ENVELOPE_SECONDS,
    Step.DATA: lambda: DATA_START_SECONDS,
    Step.DOT: lambda: DOT_SECONDS,
}


def stuffed(data: bytes) -> bytes:
    """Return the bytes with dots at line starts doubled and a final line break (RFC 5321 §4.5.2).

    What arrives here has only CRLF line ends; a bare CR or LF would let a text end the letter for some servers.
    """
    ends = data.count(b"\r\n")  # counting is ten times as fast as a regular expression
    if data.count(b"\n") != ends or data.count(b"\r") != ends:
        raise ValueError("A letter must have CRLF line ends only.")
    if b"\n." in data:
        data = data.replace(b"\n.", b"\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _refusal(reply: Reply, *, at_target: bool = False) -> Deferred | Refused:
    if reply.code < 500:
        found = _WAIT.search(reply.words)
        wait = int(found[1]) * _UNITS[found[2][0].lower()] if found else None
        return Deferred(reply.code, reply.words, at_target, wait)
    return Refused(reply.code, reply.words)

"""What is said on one connection to a provider's API, letter after letter, without the connection: bytes in, bytes out.

The same to whoever drives it as SMTP's dialogue. A letter asks for its fence when its request is ready and the
connection stands, and nothing of it is written before. From the point that the request reached follows how an attempt
ended: before its last byte nobody has a letter; after it, only a whole answer tells.
"""

import time
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from letters.composing import Message
from letters.endings import Ambiguous, NotSent
from worker.transports import AsksForDot, Ended, Said
from worker.transports.provider.answers import Answer
from worker.transports.provider.api import Api, Composed

ANSWER_SECONDS = 120.0  # from the fence to the last byte of the answer: shorter makes duplicates
MOST_BYTES = 1_000_000  # of an answer, also unpacked
LONGEST_HEAD = 65_536
_PLAIN = {"", "identity"}
_PACKED = {"gzip", "x-gzip", "deflate"}


class BrokenAnswer(Exception):
    """An answer that is not whole, too long, or packed in a way that cannot be undone."""


@dataclass(slots=True)
class _Attempt:
    composed: Composed
    head: h11.Request
    until: float | None = None  # time.monotonic; the fence was given
    is_written: bool = False  # all of the request: from here on a copy may have been taken


class ApiDialogue:
    """Requests and answers on one open line (RFC 9112)."""

    def __init__(self, api: Api, *, through_proxy: bool = False, patience: float = 1.0) -> None:
        self.outgoing = bytearray()
        self.is_usable = True  # for another letter
        self.accepted = 0  # letters that were answered
        self.was_told_to_leave = False
        self._api = api
        self._through_proxy = through_proxy  # which wants to read the whole address
        self._seconds = ANSWER_SECONDS * patience
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._current: _Attempt | None = None
        self._next: _Attempt | None = None  # composed while the one before it is under way
        self._is_held_up = False  # by that one: nothing more waits behind it
        self._response: h11.Response | None = None
        self._body = bytearray()
        api.idle.add(self)

    # ── what the caller wants ────────────────────────────────────────────────────────────────────────────

    @property
    def takes_letter(self) -> bool:
        """Return whether a letter may be begun now: also while another is under way, if no line is free for it.

        On a line that has not been kept open after an answer yet, that letter might have to be given up.
        """
        if not self.is_usable or self._next is not None or self._api.quiet_for:
            return False
        if self._current is None:
            return True
        return self._current.is_written and self.accepted > 0 and not self._api.idle and not self._is_held_up

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is under way."""
        return self._current is None

    def begin(self, message: Message) -> list[Said]:
        """Compose the request; it asks for the fence at once, or as soon as the letter before it has ended."""
        composed = self._api.compose(message)
        if not isinstance(composed, Composed):
            return [Ended(message, composed)]
        attempt = _Attempt(composed, self._head(composed))
        if self._current is not None:
            self._next = attempt
            return []
        return self._ask(attempt)

    def _head(self, composed: Composed) -> h11.Request:
        asked = composed.request
        parts = urlsplit(asked.url)
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        if self._through_proxy:
            target = f"{parts.scheme}://{parts.netloc}{target}"
        headers = [("Host", parts.netloc), *asked.headers.items()]
        if "content-length" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Length", str(len(asked.body))))
        return h11.Request(method=asked.method, target=target, headers=headers)

    def write_dot(self) -> None:
        """Write the request that asked: its fence was given."""
        attempt = self._current
        assert attempt is not None  # noqa: S101  only asked for by `AsksForDot`
        attempt.until = time.monotonic() + self._seconds
        for event in (attempt.head, h11.Data(data=attempt.composed.request.body), h11.EndOfMessage()):
            self.outgoing += self._http.send(event) or b""

    def has_left(self) -> list[Said]:
        """Tell that all of `outgoing` is on its way."""
        if self._current is not None and self._current.until is not None:
            self._current.is_written = True
        return []

    def refuse_dot(self) -> list[Said]:
        """End the letter that asked: nothing of it was written. The line goes on."""
        attempt, self._current = self._current, None
        assert attempt is not None  # noqa: S101  only told in answer to `AsksForDot`
        self._api.idle.add(self)
        return [Ended(attempt.composed.message, NotSent("stopped before the request"))]

    def hear(self, data: bytes) -> list[Said]:
        """Take what the provider said."""
        if self._current is None or self._current.until is None:  # what comes before the question is no answer to it
            return self.break_off("the provider spoke before the request")
        try:
            self._http.receive_data(data)
            return self._read()
        except h11.RemoteProtocolError:
            return self.break_off("the answer is not HTTP, or half of it is missing")
        except BrokenAnswer as broken:
            return self.break_off(str(broken))

    def hear_end(self) -> list[Said]:
        """Tell that the provider has hung up; some answers end like this."""
        said = self.hear(b"") if self._response is not None else []
        return said + self.break_off("the provider hung up")

    def break_off(self, why: str) -> list[Said]:
        """End the dialogue: the letter under way ends as its phase says (RELIABILITY §3)."""
        self.is_usable = False
        self._api.idle.discard(self)
        attempt, self._current = self._current, None
        self.outgoing.clear()
        if attempt is None:
            return []
        return [self._broken(attempt, why), *self._give_up_next()]

    def _broken(self, attempt: _Attempt, why: str) -> Ended:
        if attempt.until is not None and time.monotonic() >= attempt.until:
            self.accepted += 1  # it was there for as long as we waited: another line need not rest first
        words = self._api.words(why)
        if attempt.is_written:
            return Ended(attempt.composed.message, Ambiguous(f"no answer to the request: {words}"))
        return Ended(attempt.composed.message, NotSent(f"the line broke before the whole request: {words}"))

    def _give_up_next(self) -> list[Said]:
        attempt, self._next = self._next, None
        if attempt is None:
            return []
        return [Ended(attempt.composed.message, NotSent("the line ended before the request"))]

    def seconds_left(self) -> float | None:
        """Return how long the provider may still take; None where it is our turn."""
        if self._current is None or self._current.until is None:
            return None
        return self._current.until - time.monotonic()

    def let_go_of_next(self) -> Message | None:
        """Give back the letter that waits behind one that is not answered; None where none does."""
        attempt, self._next = self._next, None
        self._is_held_up = True
        return attempt.composed.message if attempt is not None else None

    @property
    def silent_for(self) -> float:
        """Return for how long (seconds) the provider has owed us an answer; 0.0 where it does not."""
        left = self.seconds_left()
        return self._seconds - left if left is not None else 0.0

    # ── what the provider answers ────────────────────────────────────────────────────────────────────────

    def _read(self) -> list[Said]:
        while True:
            event = self._http.next_event()
            match event:
                case h11.Response():
                    self._response = event
                case h11.Data():
                    self._body += event.data
                    if len(self._body) > MOST_BYTES:
                        raise BrokenAnswer("the answer is too long")
                case h11.EndOfMessage():
                    return self._answered()
                case h11.InformationalResponse():
                    continue
                case _:  # more is needed, or nothing more comes
                    return []

    def _answered(self) -> list[Said]:
        attempt, response = self._current, self._response
        assert attempt is not None and response is not None  # noqa: S101, PT018  as h11 orders its events
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
        body = _unpacked(bytes(self._body), headers.get("content-encoding", ""))
        self._current, self._response, self._is_held_up = None, None, False
        self._body.clear()
        self.accepted += 1
        if self.outgoing or self._http.trailing_data[0] or self._http.states != _BOTH_DONE:
            self.is_usable = False
            self.outgoing.clear()
        else:
            self._http.start_next_cycle()
        ending = self._api.judge(attempt.composed, Answer(response.status_code, headers, body))
        return [Ended(attempt.composed.message, ending), *self._go_on()]

    def _go_on(self) -> list[Said]:
        """Let the letter that waits on this line ask for its fence, in the same breath as the one before it ended."""
        if not self.is_usable:
            return self._give_up_next()
        attempt, self._next = self._next, None
        if attempt is not None:
            return self._ask(attempt)
        self._api.idle.add(self)
        return []

    def _ask(self, attempt: _Attempt) -> list[Said]:
        self._current = attempt
        self._api.idle.discard(self)
        return [AsksForDot(attempt.composed.message)]


_BOTH_DONE = {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}


def _unpacked(body: bytes, packing: str) -> bytes:
    """Return a body as it was before it was packed, though nobody asked for that. Raises BrokenAnswer."""
    packing = packing.strip().lower()
    if packing in _PLAIN:
        return body
    if packing not in _PACKED:
        raise BrokenAnswer("the answer is packed in a way that was not asked for")
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        unpacked = unpacker.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise BrokenAnswer("the answer cannot be unpacked") from error
    if not unpacker.eof:
        raise BrokenAnswer("the answer is too long, or half of it is missing")
    return unpacked

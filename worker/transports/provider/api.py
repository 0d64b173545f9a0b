"""One account at a mail provider: letters become requests, answers become endings."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anymail.exceptions import AnymailInvalidAddress, AnymailUnsupportedFeature

from letters.composing import Message
from letters.endings import Ambiguous, Deferred, Ending, NotSent, Refused
from worker import defects
from worker.transports.provider.answers import Answer, Words, ended_with
from worker.transports.provider.backends import AmazonBackend, Backend, Request, RequestsBackend
from worker.transports.provider.facts import FACTS
from worker.transports.provider.mail import FrozenMail, ready

log = logging.getLogger(__name__)
LONGEST_QUIET = 5.0  # seconds; the letters that were refused wait for as long as they were told
_AMAZON = "amazon-ses"


@dataclass(frozen=True)
class Account:
    """A provider's account: which provider, how Anymail is told of it, and what of this must never be shown."""

    esp: str
    backend: str  # dotted name
    options: Mapping[str, Any] = field(repr=False)
    switches: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter as this provider's request."""

    message: Message
    mail: FrozenMail
    request: Request


class Api:
    """Composes and judges for one account. For one thread at a time, except `url` and `words`."""

    def __init__(self, account: Account) -> None:
        self.words = Words(account.secrets)
        self._esp = account.esp
        self._facts = FACTS[account.esp]
        self._switches = account.switches
        kind = AmazonBackend if account.esp == _AMAZON else RequestsBackend
        self._backend: Backend = kind(account.backend, account.options)
        self._quiet_until = 0.0  # time.monotonic
        self.idle: set[object] = set()  # the open lines that carry no letter

    @property
    def url(self) -> str:
        """Return where the provider is reached."""
        return self._backend.url

    @property
    def quiet_for(self) -> float:
        """Return for how many seconds nothing should be asked: the provider said "too much"."""
        return max(self._quiet_until - time.monotonic(), 0.0)

    def compose(self, message: Message) -> Composed | Ending:
        """Return a letter's request, or the ending of one that this provider cannot be asked to send.

        Raises ValueError where the letter is not one plain text, and other defects of ours.
        """
        prepared = ready(message, self._facts, switches=self._switches)
        try:
            request = self._backend.request(prepared.mail)
        except (AnymailInvalidAddress, AnymailUnsupportedFeature):
            if not message.envelope_to.isascii():
                return Refused(553, f"5.6.7 {self._esp} cannot take an address outside ASCII")
            # Not its words: they may hold an address.
            return NotSent(f"{self._esp} cannot be told all of this letter", hold=True)
        except Exception as error:
            cause = error.__cause__
            if type(cause).__module__.startswith("botocore."):  # credentials that are missing or have run out, say
                return NotSent(self.words(f"{self._esp} cannot be asked: {cause}"), hold=True)
            raise
        request.headers.update(prepared.request_headers)
        return Composed(message, prepared.mail, request)

    def judge(self, composed: Composed, answer: Answer) -> Ending:
        """Return how the attempt ended that got this answer, whatever it is."""
        try:
            ending = self._judged(composed, answer)
        except Exception as error:  # noqa: BLE001  the letter may have been taken, and must not be without an ending
            defects.tell(log, f"the answer about delivery {composed.message.delivery_id} was not understood", error)
            return Ambiguous("our side failed")
        if isinstance(ending, Deferred):
            wait = 1.0 if ending.wait_for is None else float(ending.wait_for)
            self._quiet_until = max(self._quiet_until, time.monotonic() + min(wait, LONGEST_QUIET))
        return ending

    def _judged(self, composed: Composed, answer: Answer) -> Ending:
        read: Mapping[str, Any] = {}
        is_strange = False
        try:
            read = self._backend.read(answer, composed.request, composed.mail)
        except Exception:  # noqa: BLE001  Anymail's own, or what a strange form makes of its parsing
            is_strange = True
        names = {str(one.message_id) for one in read.values() if one.message_id is not None}
        return ended_with(
            answer, esp=self._esp, words=self.words, is_strange=is_strange,
            statuses={one.status for one in read.values() if one.status},
            provider_id=names.pop() if len(names) == 1 else "",
        )  # fmt: skip

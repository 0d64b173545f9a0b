"""Letters become bytes, many a second: what is the same for a letter's targets, or a target's letters, is made once."""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from letters import composing, privacy, writing
from letters.composing import Finisher, LetterHeaders, Message
from letters.models import Letter
from letters.outbox import Claim
from targets.models import TargetVersion

log = logging.getLogger(__name__)
LETTERS_KEPT = 30
TARGETS_KEPT = 4000


@dataclass(frozen=True, slots=True)
class _Opened:
    """A letter opened for its targets."""

    finisher: Finisher
    headers: LetterHeaders


class Typeset:
    """The letters of one claim, ready to become messages. Asks the database nothing more."""

    def __init__(
        self, claim: Claim, letters: Mapping[int, _Opened | None], targets: Mapping[int, Mapping[str, str]]
    ) -> None:
        self._claim = claim
        self._letters = letters
        self._targets = targets

    def message(self, delivery_id: int) -> Message | None:
        """Return the frozen message of a delivery of the claim; None where it cannot be composed any more."""
        one = self._claim.taken[delivery_id]
        letter, target = self._letters.get(one.letter_id), self._targets.get(one.version_id)
        if letter is None or target is None:
            return None
        address = self._claim.mailboxes[one.address_id].value
        try:
            return composing.assembled(
                delivery_id=delivery_id, shared=letter.headers, to=_to(str(target.get("name", "")), address),
                to_address=address, parts=letter.finisher.parts(target), date=one.message_date,
            )  # fmt: skip
        except (ValueError, TypeError, LookupError) as error:  # it must not stop the others
            # Not the error's words: they may hold an address.
            log.error("delivery %s cannot be composed: %s", delivery_id, type(error).__name__)  # noqa: TRY400
            return None


class Typesetter:
    """Opens what the claims of one worker need, each text once; the newest are kept for the claims to come."""

    def __init__(self) -> None:
        self._letters: OrderedDict[int, _Opened | None] = OrderedDict()  # None: forgotten, or cannot be opened
        self._targets: OrderedDict[int, Mapping[str, str]] = OrderedDict()  # by version

    def set(self, claim: Claim) -> Typeset:
        """Fetch what the claim's letters and targets say."""
        letters = {one.letter_id for one in claim.taken.values()}
        versions = {one.version_id for one in claim.taken.values()}
        missing = letters - self._letters.keys()
        for letter in Letter.objects.filter(pk__in=missing).select_related("template", "campaign"):
            self._letters[letter.pk] = _opened(letter)
        missing = versions - self._targets.keys()
        self._targets.update(TargetVersion.objects.filter(pk__in=missing).values_list("pk", "values"))
        typeset = Typeset(
            claim, {pk: self._letters.get(pk) for pk in letters}, {pk: self._targets.get(pk, {}) for pk in versions}
        )
        _forget_oldest(self._letters, LETTERS_KEPT)
        _forget_oldest(self._targets, TARGETS_KEPT)
        return typeset


@lru_cache(maxsize=TARGETS_KEPT)
def _to(name: str, address: str) -> bytes:
    return composing.to_header(name, address)


def _opened(letter: Letter) -> _Opened | None:
    try:
        content = writing.read(letter)
        if not content.body:
            return None
        finisher = Finisher(letter.template, content, draw=letter.draw)
        return _Opened(finisher, composing.headers_of(finisher.head()))
    except (privacy.Unreadable, ValueError) as error:
        log.error("letter %s cannot be opened: %s", letter.pk, type(error).__name__)  # noqa: TRY400
        return None


def _forget_oldest(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)

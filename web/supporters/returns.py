"""Why a letter came back, in a sentence that a supporter can do something with."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from letters.feedback import Report
from letters.models import Delivery, DeliveryEvent

_STATUS = re.compile(r"\b[45]\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
_NO_ROOM = re.compile(r"(mailbox|account|inbox)\b.{0,40}\bfull|\bquota\b", re.IGNORECASE)
_STORAGE = (452, 552)  # RFC 5321 §4.2.3; the first is also said of too many recipients, and then has another status
GONE, FULL, REFUSED, TOO_LONG, UNKNOWN = "gone", "full", "refused", "too long", ""


class Return(NamedTuple):
    """Why a delivery came back, in a sentence; when, where it had been accepted before."""

    sentence: str
    at: datetime | None


def of(returned: Iterable[Delivery]) -> dict[int, Return]:
    """Return for each delivery that came back why and when: two queries for all of them, none where there are none."""
    ids = [delivery.pk for delivery in returned]
    if not ids:
        return {}
    said: dict[int, str] = {}
    bounced_at: dict[int, datetime] = {}
    gave_up = set()
    failed = DeliveryEvent.objects.filter(delivery__in=ids, to_state=Delivery.State.FAILED).order_by("pk")
    for pk, reason, words in failed.values_list("delivery_id", "reason", "words"):
        said[pk] = words
        if reason in {"gave_up", "given_up"}:
            gave_up.add(pk)
    bounced = Report.objects.filter(delivery__in=ids, kind=Report.Kind.BOUNCED)
    for pk, at, status, words in bounced.values_list("delivery_id", "at", "status", "words"):
        said[pk], bounced_at[pk] = f"{status} {words}", at
    return {
        pk: Return(sentence(cause(said.get(pk, "")), gave_up=pk in gave_up), bounced_at.get(pk)) for pk in ids
    }


def cause(words: str, *, code: int = 0) -> str:
    """Return what a server's words mean, by the enhanced status code in them (RFC 3463), else by its plain `code`."""
    found = _STATUS.search(words)
    if found is None:
        return FULL if code in _STORAGE or _NO_ROOM.search(words) else UNKNOWN
    subject, detail = int(found[1]), int(found[2])
    if subject == 1:
        return GONE
    if (subject, detail) == (2, 2):
        return FULL
    if (subject, detail) in {(2, 3), (3, 4)}:
        return TOO_LONG
    return REFUSED if subject == 7 else UNKNOWN


def sentence(cause: str, *, gave_up: bool = False) -> str:
    """Return what the supporter reads."""
    if gave_up and cause != FULL:
        return _("It came back: we tried for five days, and their mail server was never ready for it.")
    return {
        GONE: _("It came back: this address no longer exists."),
        FULL: _("It came back: their mailbox is full."),
        REFUSED: _("It came back: their mail server does not take such letters."),
        TOO_LONG: _("It came back: their mail server takes no letters of this length."),
    }.get(cause) or _("It came back: their mail server refused it, or the address no longer exists.")

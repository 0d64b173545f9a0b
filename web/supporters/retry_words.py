"""Why a letter is tried again, and until when, in the words that supporters read."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from letters.models import Delivery, DeliveryEvent
from letters.retries import GIVE_UP_AFTER
from web.presentation import date_words, moment_words
from web.supporters import returns

State = Delivery.State
FULL, GREYLISTED, BUSY, BROKEN = "full", "greylisted", "busy", "broken"
# Many servers say it in words alone, or with the code of any refusal that will pass.
_GREYLIST = re.compile(r"gr[ae]y[- ]?list", re.IGNORECASE)


def causes(retried: Collection[Delivery]) -> dict[int, str]:
    """Return why each of these was not taken when it was last tried: one query for all, none where there are none."""
    if not retried:
        return {}
    found = {}
    events = DeliveryEvent.objects.filter(delivery__in=[each.pk for each in retried], from_state=State.SENDING)
    for pk, code, words in events.order_by("pk").values_list("delivery_id", "code", "words"):
        found[pk] = cause(code, words)
    return found


def cause(code: int | None, words: str) -> str:
    """Return what the last line of a delivery's history means: a server's code and words, or ours without a code."""
    if code is None:
        return BROKEN
    if returns.cause(words, code=code) == returns.FULL:
        return FULL
    return GREYLISTED if _GREYLIST.search(words) else BUSY


def sentence(delivery: Delivery, cause: str, *, now: datetime) -> str:
    """Say why it was not taken, when it is tried again, and until when: nobody is written to when that ends."""
    why = {
        FULL: _("Their mailbox is full."),
        GREYLISTED: _("Their mail server lets letters of new senders wait for a while."),
        BROKEN: _("The line broke before their mail server had taken it."),
    }.get(cause) or _("Their mail server was not ready.")
    until = date_words((delivery.first_tried_at or now) + GIVE_UP_AFTER + timedelta(seconds=delivery.rested_for))
    again = _("We try again soon, until %(day)s at the latest. Then this page says what became of it.")
    if delivery.due_at is not None and delivery.due_at > now:
        again = _("We try again on %(moment)s, until %(day)s at the latest. Then this page says what became of it.")
    moment = moment_words(delivery.due_at) if delivery.due_at else ""
    return f"{why} {again % {'moment': moment, 'day': until}}"

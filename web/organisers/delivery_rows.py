"""Deliveries one by one at the desk: those behind a number of the ledger, each with what happened last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy

from campaigns.models import Ask, Campaign
from letters import tokens
from letters.models import Delivery, DeliveryEvent
from letters.page_words import Word, word_of
from targets.models import Target

PER_PAGE = 50
State = Delivery.State
BEHIND: dict[str, Q] = {
    Word.WAITING: Q(state=State.HELD) | Q(state=State.QUEUED, attempts=0),
    Word.RETRYING: Q(state=State.QUEUED, attempts__gt=0),
    Word.HANDING_OVER: Q(state=State.SENDING),
    Word.ACCEPTED: Q(state=State.SENT) & ~Q(feedback=Delivery.Feedback.BOUNCED),
    Word.RETURNED: Q(state=State.FAILED) | Q(state=State.SENT, feedback=Delivery.Feedback.BOUNCED),
    Word.UNCLEAR: Q(state=State.UNCERTAIN),
    Word.STOPPED: Q(state=State.CANCELLED),
}
REASONS = {
    "address_changed": gettext_lazy("The address was changed while it waited."),
    "accepted": gettext_lazy("Their mail server accepted it."),
    "ambiguous": gettext_lazy("The line broke at the last moment."),
    "bytes_differ": gettext_lazy("The letter would not read as it did on the first try."),
    "cannot_compose": gettext_lazy("The letter could not be put together."),
    "deferred": gettext_lazy("Their server said: not now."),
    "gave_up": gettext_lazy("Five days passed without success."),
    "given_back": gettext_lazy("It was about to go out and was put back."),
    "lease_lost": gettext_lazy("The worker that held it was lost; nothing had been sent."),
    "let_go": gettext_lazy("Somebody let it go."),
    "not_me": gettext_lazy("The owner of the address says it is not theirs."),
    "not_sent": gettext_lazy("The line broke before anything was taken."),
    "not_released": gettext_lazy("Stopped by the operator after a backup was restored."),
    "refused": gettext_lazy("Their server refused it."),
    "restored": gettext_lazy("A backup was restored: it may have been sent already. The operator decides."),
    "sent_again": gettext_lazy("Somebody sent it again."),
    "stopped": gettext_lazy("Stopped by a member."),
    "suppressed": gettext_lazy("This address must not be written to."),
    "withdrawn": gettext_lazy("Taken back by the supporter."),
}


@dataclass(frozen=True)
class Row:
    """One delivery as the page shows it. `reference` is its public name; `server` what the server said."""

    reference: str
    word: Word
    target: Target
    address: str
    ask_id: int
    reason: str
    server: str
    attempts: int
    at: datetime
    next_at: datetime | None
    may_go_again: bool


def behind(
    campaign: Campaign, word: str, *, ask: Ask | None = None, target: Target | None = None, before: int = 0
) -> tuple[list[Row], int]:
    """Return up to 50 deliveries behind one word, newest first, and where the next page begins.

    `before` is the id at which the page before ended; nought for the first page, and where no next one is.
    """
    found = Delivery.objects.filter(BEHIND[word], campaign=campaign).select_related("target", "address", "ask")
    if ask is not None:
        found = found.filter(ask=ask)
    if target is not None:
        found = found.filter(target=target)
    if before:
        found = found.filter(pk__lt=before)
    page = list(found.order_by("-pk")[: PER_PAGE + 1])
    shown = page[:PER_PAGE]
    events = _last_events(shown)
    return [_row(each, events.get(each.pk)) for each in shown], shown[-1].pk if len(page) > PER_PAGE else 0


def find(campaign: Campaign, reference: str) -> Delivery | None:
    """Return the campaign's delivery with this public name, or None."""
    pk = tokens.read_reference(reference)
    rows = Delivery.objects.select_related("target", "address", "campaign__organisation")
    return rows.filter(campaign=campaign, pk=pk).first() if pk is not None else None


def _last_events(deliveries: Sequence[Delivery]) -> dict[int, DeliveryEvent]:
    rows = DeliveryEvent.objects.filter(delivery__in=[each.pk for each in deliveries]).order_by("pk")
    return {event.delivery_id: event for event in rows}


def _row(delivery: Delivery, event: DeliveryEvent | None) -> Row:
    word = word_of(delivery.state, tried=delivery.attempts > 0, feedback=delivery.feedback)
    waits = delivery.state == State.QUEUED
    server = " ".join(str(part) for part in (event.code, event.words) if part) if event else ""
    return Row(
        reference=tokens.reference(delivery.pk),
        word=word,
        target=delivery.target,
        address=delivery.address.value,
        ask_id=delivery.ask_id,
        reason=str(REASONS.get(delivery.reason, delivery.reason.replace("_", " "))),
        server=server,
        attempts=delivery.attempts,
        at=event.at if event else delivery.created_at,
        next_at=delivery.due_at if waits else None,
        may_go_again=delivery.state == State.UNCERTAIN and not delivery.sent_again,
    )

"""What a person decides about deliveries: stop them, let them go, send one again, resume."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet

from accounts import audit
from accounts.models import User
from campaigns import publishing
from campaigns.models import Campaign
from letters import lifecycle, outbox
from letters.lifecycle import Change, Fact
from letters.models import Delivery, Letter
from letters.signals import something_waits
from targets.models import Target

State = Delivery.State
_CHUNK = 900


def resume(*, campaign: Campaign, by: User) -> bool:
    """Let a paused campaign's deliveries leave again, from this moment on; False where it was not paused."""
    resumed = publishing.resume(campaign=campaign, by=by)
    if resumed:
        something_waits.send_robust(sender=Campaign)
    return resumed


def stop_waiting(*, campaign: Campaign, by: User, now: datetime) -> int:
    """Stop every delivery of a campaign that has not left; return how many."""
    rows = Delivery.objects.filter(Exists(Letter.objects.filter(pk=OuterRef("letter_id"), campaign=campaign)))
    stopped = _cancel(rows, reason="stopped", by=by, now=now)
    audit.record(
        organisation=campaign.organisation, by=by, deed="stopped what waited", subject=campaign.slug, deliveries=stopped
    )
    return stopped


def stop_target(*, campaign: Campaign, target: Target, by: User, now: datetime) -> int:
    """Stop a campaign's deliveries to one target that have not left; return how many."""
    stopped = _cancel(Delivery.objects.filter(target=target, campaign=campaign), reason="stopped", by=by, now=now)
    audit.record(
        organisation=campaign.organisation, by=by, deed="stopped target", subject=f"{campaign.slug}: {target}",
        deliveries=stopped,
    )  # fmt: skip
    return stopped


def send_again(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """Send an unclear delivery again, once, because a person decided so; False where it was or is not unclear."""
    rows = Delivery.objects.filter(pk=delivery.pk, state=State.UNCERTAIN, sent_again=0)
    change = Change(
        fact=Fact(reason="sent_again", by=by.email),
        columns={"due_at": _due(delivery, now), "sent_again": F("sent_again") + 1},
    )
    moved = lifecycle.move_deliveries(rows, State.QUEUED, change, now=now)
    if moved:
        audit.record(
            organisation=delivery.campaign.organisation, by=by, deed="sent an unclear delivery again",
            subject=delivery.campaign.slug, delivery=delivery.pk,
        )  # fmt: skip
    return bool(moved)


def let_go(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """Let a held delivery go; False where it is not held, its letter was withdrawn or its address is suppressed."""
    rows = outbox.wanted(Delivery.objects.filter(pk=delivery.pk, state=State.HELD), now)
    change = Change(fact=Fact(reason="let_go", by=by.email), columns={"due_at": _due(delivery, now)})
    return bool(lifecycle.move_deliveries(rows, State.QUEUED, change, now=now))


def _due(delivery: Delivery, now: datetime) -> datetime | None:
    """Return when a delivery that a person lets go is due: at once, or when its mailbox's pace gives it a slot."""
    return None if settings.PACED and delivery.address.is_capped else now


def _cancel(rows: QuerySet[Delivery], *, reason: str, by: User, now: datetime) -> int:
    waiting = rows.filter(state__in=[State.QUEUED, State.HELD, State.UNCERTAIN])
    change = Change(fact=Fact(reason=reason, by=by.email))
    stopped = 0
    lifecycle.ask_to_stop(rows, reason=reason)
    while ids := lifecycle.move_deliveries(waiting.order_by("pk")[:_CHUNK], State.CANCELLED, change, now=now):
        stopped += len(ids)
    lifecycle.ask_to_stop(rows, reason=reason)  # once more: some were claimed meanwhile
    return stopped

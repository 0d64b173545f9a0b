"""What a person decides about deliveries: stop them, let them go, send one again, give one up, resume."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from accounts import audit
from accounts.models import User
from campaigns import publishing
from campaigns.models import Campaign
from letters import breaker, leaving, lifecycle, locks, resting
from letters.lifecycle import Change, Fact
from letters.models import Delivery, DeliveryTally, Letter
from letters.signals import something_waits
from targets.models import Address, Target, TargetList

State = Delivery.State
WAITING = (State.QUEUED, State.HELD, State.UNCERTAIN)  # what a stop can still catch
OUR_FAULT = "our_fault"
# Not an organiser's to let go: a restored backup is the operator's, what a pause caught at the fence goes on by itself.
KEPT = frozenset({"restored", "stopped"})
_CHUNK = 900
_LETTERS = 100  # whose deliveries are stopped in one transaction


def resume(*, campaign: Campaign, by: User, now: datetime) -> bool:
    """Let a paused campaign's deliveries leave again, from this moment on; False where it was not paused.

    What the system paused it for is known now: it does not pause it for the same figures again. What our own mail
    server would not send goes too.
    """
    paused_at = campaign.paused_at
    with transaction.atomic():
        resumed = publishing.resume(campaign=campaign, by=by, seen=breaker.clear(campaign))
        if resumed and paused_at is not None:
            resting.add_pause(campaign, since=paused_at, now=now)
    if resumed:
        let_go_all(campaign=campaign, reason=OUR_FAULT, by=by, now=now)
        something_waits.send_robust(sender=Campaign)
    return resumed


def stop_waiting(*, campaign: Campaign, by: User, now: datetime, seconds: float = 2.0) -> int:
    """Stop every delivery of a campaign that has not left; return how many.

    None of them leaves from this moment on, however many they are. Cancelling them takes its time: so many seconds
    here, the rest is `finish_stops`.
    """
    with transaction.atomic():
        left = DeliveryTally.objects.filter(campaign=campaign, state__in=WAITING).aggregate(n=Sum("count"))["n"] or 0
        publishing.stop(campaign=campaign, now=now)
        audit.record(
            organisation=campaign.organisation, by=by, deed="stopped what waited", subject=campaign.slug,
            deliveries=left,
        )  # fmt: skip
    with suppress(locks.Taken):  # by a worker: what its attempts leave is cancelled with the rest
        lifecycle.ask_to_stop(Delivery.objects.filter(campaign=campaign), reason="stopped")
    _finish_stop(campaign, by=by.email, now=now, until=time.monotonic() + seconds)
    return left


def finish_stops(*, now: datetime, seconds: float = 5.0) -> int:
    """Go on cancelling what campaigns had waiting when they were stopped; return how many deliveries."""
    until = time.monotonic() + seconds
    stopping = Campaign.objects.filter(is_stopping=True).order_by("stopped_at")
    return sum(_finish_stop(campaign, by="", now=now, until=until) for campaign in stopping)


def stop_target(
    *, campaign: Campaign, target: Target, by: User, now: datetime, only: TargetList | None = None
) -> int:
    """Stop a campaign's deliveries to one target that have not left; return how many. `only`: letters to this list."""
    rows = Delivery.objects.filter(target=target, campaign=campaign)
    if only is not None:
        rows = rows.filter(ask__in=campaign.asks.filter(target_list=only))
    stopped = _cancel(rows, reason="stopped", by=by, now=now)
    audit.record(
        organisation=campaign.organisation, by=by, deed="stopped target", subject=f"{campaign.slug}: {target}",
        deliveries=stopped,
    )  # fmt: skip
    return stopped


def send_again(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """Send an unclear delivery again, once, because a person decided so; False where it was or is not unclear.

    Also False where its address must not be written to any more.
    """
    rows = leaving.wanted(Delivery.objects.filter(pk=delivery.pk, state=State.UNCERTAIN, sent_again=0), now)
    change = Change(
        fact=Fact(reason="sent_again", by=by.email), columns={"due_at": _due(delivery, now), "sent_again": 1}
    )
    with transaction.atomic():
        moved = lifecycle.move_deliveries(rows, State.QUEUED, change, now=now)
        if moved:
            _tell(delivery, "sent an unclear delivery again", by)
    return bool(moved)


def give_up(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """End an unclear delivery as not arrived, because a person knows; False where it is not unclear."""
    rows = Delivery.objects.filter(pk=delivery.pk, state=State.UNCERTAIN)
    with transaction.atomic():
        moved = lifecycle.move_deliveries(
            rows, State.FAILED, Change(fact=Fact(reason="given_up", by=by.email)), now=now
        )
        if moved:
            _tell(delivery, "gave an unclear delivery up", by)
    return bool(moved)


def let_go(*, delivery: Delivery, by: User, now: datetime) -> bool:
    """Let a held delivery go; False where it is not held, or must not leave: withdrawn, suppressed, `KEPT`."""
    moved = _let_go(Delivery.objects.filter(pk=delivery.pk), delivery.campaign, by=by, now=now)
    if moved:
        _tell(delivery, "let a held delivery go", by)
        something_waits.send_robust(sender=Delivery)
    return bool(moved)


def let_go_all(*, campaign: Campaign, reason: str, by: User, now: datetime) -> int:
    """Let all deliveries go that a campaign holds for this reason and that may leave; return how many."""
    rows = Delivery.objects.filter(campaign=campaign, reason=reason)
    gone = 0
    while moved := _let_go(rows, campaign, by=by, now=now):
        gone += moved
    if gone:
        audit.record(
            organisation=campaign.organisation, by=by, deed="let held deliveries go", subject=campaign.slug,
            reason=reason, deliveries=gone,
        )  # fmt: skip
        something_waits.send_robust(sender=Delivery)
    return gone


def stop_held(*, campaign: Campaign, reason: str, by: User, now: datetime) -> int:
    """Stop all deliveries that a campaign holds for this reason; return how many."""
    rows = Delivery.objects.filter(campaign=campaign, state=State.HELD, reason=reason).exclude(reason="restored")
    stopped = _cancel(rows, reason="stopped", by=by, now=now)
    if stopped:
        audit.record(
            organisation=campaign.organisation, by=by, deed="stopped held deliveries", subject=campaign.slug,
            reason=reason, deliveries=stopped,
        )  # fmt: skip
    return stopped


def held(campaign: Campaign) -> Mapping[str, int]:
    """Return how many deliveries a campaign holds for each reason, the most first."""
    rows = Delivery.objects.filter(campaign=campaign, state=State.HELD).values_list("reason").annotate(n=Count("pk"))
    return dict(rows.order_by("-n", "reason"))


def _let_go(rows: QuerySet[Delivery], campaign: Campaign, *, by: User, now: datetime) -> int:
    """Let a portion of these deliveries go; return how many. A mailbox with a pace gives them their time later."""
    held = leaving.wanted(rows.filter(state=State.HELD).exclude(reason__in=KEPT), now)
    paced = Address.objects.exclude(leaving.UNPACED) if settings.PACED else Address.objects.none()
    fact = Fact(reason="let_go", by=by.email)
    moved = 0
    with transaction.atomic():
        ids = list(held.order_by("pk").values_list("pk", flat=True)[:_CHUNK])
        resting.add_hold(ids, campaign=campaign, now=now)
        mine = held.filter(pk__in=ids)
        for some, due_at in (
            (mine.filter(address__in=paced.values("pk")), None),
            (mine.exclude(address__in=paced.values("pk")), now),
        ):
            change = Change(fact=fact, columns={"due_at": due_at, "released_for": 0})
            moved += len(lifecycle.move_deliveries(some, State.QUEUED, change, now=now))
    return moved


def _finish_stop(campaign: Campaign, *, by: str, now: datetime, until: float) -> int:
    """Cancel what waits of a stopped campaign, letter by letter, for a while; return how many deliveries."""
    letters = Letter.objects.filter(campaign=campaign, confirmed_at__lte=campaign.stopped_at)
    change = Change(fact=Fact(reason="stopped", by=by))
    last = stopped = 0
    while time.monotonic() < until:
        ids = list(letters.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_LETTERS])
        if not ids:
            left = Delivery.objects.filter(letter__in=letters, state__in=[*WAITING, State.SENDING])
            if not left.exists():
                publishing.finish_stop(campaign=campaign)
            break
        rows = Delivery.objects.filter(letter__in=ids, state__in=WAITING)
        stopped += len(lifecycle.move_deliveries(rows, State.CANCELLED, change, now=now, skip_locked=True))
        last = ids[-1]
    return stopped


def _due(delivery: Delivery, now: datetime) -> datetime | None:
    """Return when a delivery that a person lets go is due: at once, or when its mailbox's pace gives it a slot."""
    return None if settings.PACED and delivery.address.is_capped else now


def _cancel(rows: QuerySet[Delivery], *, reason: str, by: User, now: datetime) -> int:
    waiting = rows.filter(state__in=WAITING)
    change = Change(fact=Fact(reason=reason, by=by.email))
    stopped = 0
    lifecycle.ask_to_stop(rows, reason=reason)
    some = waiting.order_by("pk")[:_CHUNK]
    while ids := locks.giving_way(lambda: lifecycle.move_deliveries(some.all(), State.CANCELLED, change, now=now)):
        stopped += len(ids)
    lifecycle.ask_to_stop(rows, reason=reason)  # once more: some were claimed meanwhile
    return stopped


def _tell(delivery: Delivery, deed: str, by: User) -> None:
    campaign = delivery.campaign
    audit.record(organisation=campaign.organisation, by=by, deed=deed, subject=campaign.slug, delivery=delivery.pk)

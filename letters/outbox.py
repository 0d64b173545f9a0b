"""The worker's side of deliveries: claim what is due, fence before the final dot, record how it ended."""

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from campaigns.models import Campaign
from letters import clock, composing, lifecycle, privacy, reputation, retries, writing
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from letters.lifecycle import Change, Fact
from letters.models import AttemptAt, Delivery, Letter, ProviderName
from targets.models import Address, Suppression

log = logging.getLogger(__name__)
State = Delivery.State
LEASE = timedelta(seconds=settings.LEASE_SECONDS)
SAFETY = min(timedelta(seconds=5), LEASE / 8)  # the process stops this much before its lease does
MOST_PER_CLAIM = 600
_CHUNK = 900


@dataclass(frozen=True)
class Claim:
    """A batch of deliveries held under one token. `deadline` is in `clock.boot_seconds`, safety taken off."""

    token: str
    ids: list[int]
    deadline: float


def claim(*, limit: int = MOST_PER_CLAIM) -> Claim:
    """Take a batch of due deliveries under a lease and a token that no other claim ever had.

    What is not due, paused, withdrawn or suppressed is not taken. Others' claims are skipped, not waited for
    (SKIP LOCKED; on SQLite the write lock takes its place).
    """
    measured_from = clock.boot_seconds()  # before the claim is sent: the lease can only be longer than we think
    token = secrets.token_hex(16)
    with transaction.atomic():
        now = clock.database_now()
        due = _open(Delivery.objects.filter(state=State.QUEUED, due_at__lte=now), now)
        batch = due.order_by("due_at", "pk")[:limit]
        change = Change(
            fact=Fact(reason="", token=token),
            columns={
                "token": token,
                "lease_until": now + LEASE,
                "dot_at": None,
                "message_date": Coalesce(F("message_date"), now.replace(microsecond=0)),
                "first_tried_at": Coalesce(F("first_tried_at"), now),
            },
            attempts=1,
        )
        ids = lifecycle.move_deliveries(batch, State.SENDING, change, now=now, skip_locked=True)
    return Claim(token, ids, measured_from + (LEASE - SAFETY).total_seconds())


def compose(claim_: Claim) -> dict[int, composing.Message | None]:
    """Return the frozen message of each delivery of a claim; None where it cannot be composed any more.

    The texts are opened once per letter, not once per delivery.
    """
    rows = (
        Delivery.objects.filter(pk__in=claim_.ids, token=claim_.token)
        .select_related("version", "address", "letter__template", "letter__campaign")
        .order_by("letter_id")
    )
    finishers: dict[int, composing.Finisher | None] = {}
    messages: dict[int, composing.Message | None] = {}
    for row in rows:
        if row.letter_id not in finishers:
            finishers = {row.letter_id: _finisher(row.letter)}
        finisher = finishers[row.letter_id]
        if finisher is None or row.message_date is None:
            messages[row.pk] = None
            continue
        try:
            messages[row.pk] = composing.message(
                delivery_id=row.pk, letter=finisher.finish(row.version.values),
                to_name=str(row.version.values.get("name", "")), to_address=row.address.value, date=row.message_date,
            )  # fmt: skip
        except (ValueError, TypeError, LookupError) as error:  # it must not stop the others
            # Not the error's words: they may hold an address.
            log.error("delivery %s cannot be composed: %s", row.pk, type(error).__name__)  # noqa: TRY400
            messages[row.pk] = None
    return messages


def _finisher(letter: Letter) -> composing.Finisher | None:
    """Return what finishes a letter for its targets; None where its text is forgotten or cannot be opened."""
    try:
        content = writing.read(letter)
        return composing.Finisher(letter.template, content, draw=letter.draw) if content.body else None
    except (privacy.Unreadable, ValueError):
        return None


def fence(token: str, digests: Mapping[int, str]) -> set[int]:
    """Allow the final dot: stamp deliveries as past the point where a copy may have been taken; return those allowed.

    Allowed is only what this token still holds under a running lease, what nobody has stopped, and what has the
    same bytes as on its first attempt.
    """
    with transaction.atomic():
        now = clock.database_now()
        rows = _open(
            Delivery.objects.filter(
                pk__in=list(digests), token=token, state=State.SENDING, lease_until__gt=now, reason=""
            ),
            now,
        )
        known = dict(rows.select_for_update().values_list("pk", "digest"))
        allowed = {pk for pk, digest in known.items() if digest in {"", digests[pk]}}
        fresh = [Delivery(pk=pk, digest=digests[pk]) for pk in allowed if not known[pk]]
        Delivery.objects.filter(pk__in=allowed).update(dot_at=now)
        Delivery.objects.bulk_update(fresh, ["digest"], batch_size=_CHUNK)
    return allowed


def record(token: str, endings: Mapping[int, Ending]) -> set[int]:
    """Write down how attempts ended; return the deliveries for which this token still counted.

    A result under a token that no longer holds the row changes nothing: somebody else is responsible by now.
    """
    recorded: set[int] = set()
    with transaction.atomic():
        now = clock.database_now()
        held = {
            row.pk: row
            for row in Delivery.objects.select_for_update()
            .filter(pk__in=list(endings), token=token, state=State.SENDING)
            .only("attempts", "ambiguous", "first_tried_at", "dot_at", "address_id", "campaign_id", "digest", "reason")
        }
        never_twice = set(
            Campaign.objects.filter(
                pk__in={row.campaign_id for row in held.values()}, never_twice=True
            ).values_list("pk", flat=True)
        )
        by_state: dict[State, dict[int, Change]] = {}
        for pk, row in held.items():
            to, change = _outcome(
                row, endings[pk], token=token, now=now, never_twice=row.campaign_id in never_twice
            )
            by_state.setdefault(to, {})[pk] = change
        for to, changes in by_state.items():
            rows = Delivery.objects.filter(pk__in=list(changes), token=token, state=State.SENDING)
            recorded.update(lifecycle.move_deliveries(rows, to, changes, now=now))
        AttemptAt.objects.bulk_create(
            [AttemptAt(address_id=held[pk].address_id, at=now) for pk in recorded if _reached(endings[pk])],
            batch_size=_CHUNK,
        )
        ProviderName.objects.bulk_create(
            ProviderName(delivery_id=pk, name=ending.provider_id[:255])
            for pk in recorded
            if isinstance(ending := endings[pk], Accepted) and ending.provider_id
        )
        reputation.learn({held[pk].address_id: endings[pk] for pk in recorded}, now)
        _stop_asked_for({pk: row.reason for pk, row in held.items()}, now)
    return recorded


def give_back(token: str, ids: Iterable[int]) -> int:
    """Return deliveries that were claimed and never begun, as if they had not been claimed."""
    now = clock.database_now()
    return _put_down(token, ids, State.QUEUED, Change(fact=Fact("given_back", token=token), attempts=-1), now)


def hold(token: str, ids: Iterable[int], *, reason: str) -> int:
    """Set deliveries aside for a person: nothing of them was sent."""
    now = clock.database_now()
    return _put_down(token, ids, State.HELD, Change(fact=Fact(reason, token=token), attempts=-1), now)


def why_not_fenced(token: str, digests: Mapping[int, str]) -> dict[int, str]:
    """Return why deliveries got no fence: "lease_lost", "bytes_differ" or "stopped"."""
    rows = {
        pk: (state, kept, lease)
        for pk, state, kept, lease in Delivery.objects.filter(pk__in=list(digests), token=token).values_list(
            "pk", "state", "digest", "lease_until"
        )
    }
    now = clock.database_now()
    reasons: dict[int, str] = {}
    for pk, digest in digests.items():
        state, kept, lease = rows.get(pk, ("", "", None))
        if state != State.SENDING or lease is None or lease <= now:
            reasons[pk] = "lease_lost"
        else:
            reasons[pk] = "bytes_differ" if kept and kept != digest else "stopped"
    return reasons


def renew(token: str, ids: Iterable[int]) -> tuple[int, float]:
    """Prolong the lease of deliveries still in work; return how many and the new local deadline."""
    measured_from = clock.boot_seconds()
    now = clock.database_now()
    renewed = Delivery.objects.filter(
        pk__in=list(ids), token=token, state=State.SENDING, lease_until__gt=now
    ).update(lease_until=now + LEASE)
    return renewed, measured_from + (LEASE - SAFETY).total_seconds()


def reap(*, limit: int = 2000) -> int:
    """Take back what workers left behind when their lease ran out; return how many.

    Without a fence nothing was sent: queued again. With one a copy may have been taken: ambiguous. A lease more
    than two leases ahead comes from a clock that was wrong and counts as run out.
    """
    now = clock.database_now()
    lost = Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)
    taken = 0
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(lost, state=State.SENDING)
            .only(
                "attempts", "ambiguous", "first_tried_at", "dot_at", "address_id", "campaign_id", "token", "reason"
            )[:limit]
        )
        never_twice = set(Campaign.objects.filter(never_twice=True).values_list("pk", flat=True))
        by_state: dict[State, dict[int, Change]] = {}
        for row in rows:
            if row.dot_at is None and not _is_too_old(row, now):
                to, change = State.QUEUED, Change(
                    fact=Fact(reason="lease_lost", token=row.token), columns={"due_at": now}
                )  # fmt: skip
            else:
                ending: Ending = Ambiguous("the worker was lost after the final dot was allowed")
                if row.dot_at is None:
                    ending = NotSent("the worker was lost")
                to, change = _outcome(
                    row, ending, token=row.token, now=now,
                    never_twice=row.campaign_id in never_twice,
                )  # fmt: skip
            by_state.setdefault(to, {})[row.pk] = change
        for to, changes in by_state.items():
            again = Delivery.objects.filter(pk__in=list(changes), state=State.SENDING)
            taken += len(lifecycle.move_deliveries(again, to, changes, now=now))
        AttemptAt.objects.bulk_create(
            [AttemptAt(address_id=row.address_id, at=row.dot_at) for row in rows if row.dot_at], batch_size=_CHUNK
        )
        _stop_asked_for({row.pk: row.reason for row in rows}, now)
    _resume_stopped(now)
    return taken


def _resume_stopped(now: datetime, *, limit: int = 2000) -> None:
    """Let go what a stop caught at the fence, once nothing stops it any more: a pause that ended."""
    rows = _open(Delivery.objects.filter(state=State.HELD, reason="stopped"), now).order_by("pk")[:limit]
    change = Change(fact=Fact(reason="resumed"), columns={"due_at": now})
    lifecycle.move_deliveries(rows, State.QUEUED, change, now=now, skip_locked=True)


def next_due_in(*, most: float) -> float:
    """Return the seconds until something is due, at most `most`."""
    now = clock.database_now()
    waiting = _open(Delivery.objects.filter(state=State.QUEUED, due_at__isnull=False), now)
    first = waiting.order_by("due_at").values_list("due_at").first()
    if first is None or first[0] is None:
        return most
    return min(max((first[0] - now).total_seconds(), 0.0), most)


def forget_attempts(*, now: datetime) -> int:
    """Delete what pacing no longer needs to remember; return how many rows."""
    return AttemptAt.objects.filter(at__lt=now - timedelta(days=1, hours=1)).delete()[0]


def _open(rows: QuerySet[Delivery], now: datetime) -> QuerySet[Delivery]:
    """Narrow deliveries to those nobody has stopped: campaign running, letter confirmed, address not suppressed."""
    running = Campaign.objects.filter(pk=OuterRef("campaign_id"), paused_at=None).exclude(stage=Campaign.Stage.DRAFT)
    return wanted(rows.filter(Exists(running)), now)


def wanted(rows: QuerySet[Delivery], now: datetime) -> QuerySet[Delivery]:
    """Narrow deliveries to those whose letter is confirmed and whose address is not suppressed."""
    confirmed = Letter.objects.filter(pk=OuterRef("letter_id"), stage=Letter.Stage.CONFIRMED)
    suppressed = Address.objects.filter(
        Exists(
            Suppression.objects.filter(Q(until=None) | Q(until__gt=now), address_hash=OuterRef("address_hash"))
        ),
        pk=OuterRef("address_id"),
    )
    return rows.filter(Exists(confirmed), ~Exists(suppressed))


def _put_down(token: str, ids: Iterable[int], to: State, change: Change, now: datetime) -> int:
    """Move deliveries of this token that were not fenced; cancel those whose stop was asked for meanwhile."""
    with transaction.atomic():
        rows = Delivery.objects.filter(pk__in=list(ids), token=token, state=State.SENDING, dot_at=None)
        reasons = dict(rows.select_for_update().values_list("pk", "reason"))
        moved = lifecycle.move_deliveries(rows, to, change, now=now)
        _stop_asked_for({pk: reasons[pk] for pk in moved}, now)
    return len(moved)


def _stop_asked_for(reasons: Mapping[int, str], now: datetime) -> None:
    """Cancel deliveries whose stop was asked for during the attempt that has just ended, unless they were sent."""
    for reason in set(reasons.values()) - {""}:
        ids = [pk for pk, marked in reasons.items() if marked == reason]
        rows = Delivery.objects.filter(pk__in=ids, state__in=[State.QUEUED, State.HELD, State.UNCERTAIN])
        lifecycle.move_deliveries(rows, State.CANCELLED, Change(fact=Fact(reason=reason)), now=now)


def _outcome(
    row: Delivery, ending: Ending, *, token: str, now: datetime, never_twice: bool
) -> tuple[State, Change]:
    """Return where an ending leads (RELIABILITY §3 and §6)."""
    wait = retries.wait_before_next(attempts=max(row.attempts, 1), ending=ending, delivery_id=row.pk)
    again = {"due_at": now + wait * settings.BACKOFF_PERCENT / 100}
    too_old = _is_too_old(row, now)
    match ending:
        case Accepted(code, words):
            return State.SENT, Change(fact=Fact("accepted", code, words, token))
        case Refused(code, words):
            return State.FAILED, Change(fact=Fact("refused", code, words, token))
        case Ambiguous(words):
            ambiguous = row.ambiguous + 1
            fact = Fact("ambiguous", None, words, token)
            if ambiguous >= retries.MOST_AMBIGUOUS or never_twice or too_old:
                return State.UNCERTAIN, Change(fact=fact, columns={"ambiguous": ambiguous})
            return State.QUEUED, Change(fact=fact, columns={"ambiguous": ambiguous, **again})
        case Deferred(code, words):
            fact = Fact("deferred", code, words, token)
        case NotSent(words):
            fact = Fact("not_sent", None, words, token)
    if too_old:
        to = State.UNCERTAIN if row.ambiguous else State.FAILED
        return to, Change(fact=Fact("gave_up", fact.code, fact.words, token))
    return State.QUEUED, Change(fact=fact, columns=again)


def _is_too_old(row: Delivery, now: datetime) -> bool:
    return row.first_tried_at is not None and now - row.first_tried_at > retries.GIVE_UP_AFTER


def _reached(ending: Ending) -> bool:
    return not isinstance(ending, NotSent)

"""The worker's side of deliveries: claim what is due, fence before the final dot, record how it ended."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Q, QuerySet

from campaigns.models import Campaign
from letters import attempts, breaker, clock, instance, leaving, lifecycle, reputation, retries
from letters.asked_again import Question
from letters.attempts import End, Taken
from letters.domains import Try
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from letters.given import Statement
from letters.lifecycle import Change, Fact
from letters.models import AttemptAt, Delivery, ProviderName
from letters.state_file import Memory
from targets.models import Address

State = Delivery.State
LEASE = timedelta(seconds=settings.LEASE_SECONDS)
SAFETY = min(timedelta(seconds=5), LEASE / 8)  # the process stops this much before its lease does
MOST_PER_CLAIM = 600
# What a claim's question is made with: any value that is none of its own.
_MARKS = {"now": datetime(1970, 1, 1, tzinfo=UTC), "identity": "an installation", "epoch": 2**62 + 1}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as it was when deliveries to it were claimed."""

    value: str
    domain: str
    is_working: bool
    is_capped: bool


@dataclass(frozen=True)
class Claim:
    """A batch of deliveries held under one token. `deadline` is in `clock.boot_seconds`, safety taken off."""

    token: str
    taken: Mapping[int, Taken]  # by delivery id, in the order in which they are due
    mailboxes: Mapping[int, Mailbox]  # by address id
    deadline: float

    @property
    def ids(self) -> list[int]:
        """Return the ids of its deliveries, the longest due first."""
        return list(self.taken)


def claim(*, limit: int = MOST_PER_CLAIM, ours: Memory | None = None, but: Q | None = None) -> Claim:
    """Take a batch of due deliveries under a lease and a token that no other claim ever had.

    What is not due or may not leave (letters.leaving) is not taken, nor what `but` describes, nor anything where the
    database is no more what `ours` says. Others' claims are skipped, not waited for.
    """
    measured_from = clock.boot_seconds()  # before the claim is sent: the lease can only be longer than we think
    token = secrets.token_hex(16)
    with transaction.atomic():
        now = clock.database_now(fresh=True)  # a lease by a clock that has jumped since would be lost as it is made
        seen = {} if ours is None else {"identity": ours.identity, "epoch": ours.epoch}
        if but is None:  # making it takes longer than answering it
            question = _usual_question(limit, bool(seen), settings.PACED, connection.vendor)
        else:
            question = _due(~but, limit, is_ours=bool(seen))
        ids = [row[0] for row in question.ask(now=now, **seen)]
        taken = attempts.take(ids, token=token, lease_until=now + LEASE, now=now)
        mailboxes = _mailboxes({one.address_id for one in taken})
    deadline = measured_from + (LEASE - SAFETY).total_seconds()
    return Claim(token, {one.pk: one for one in taken}, mailboxes, deadline)


def fence(token: str, digests: Mapping[int, str]) -> set[int]:
    """Allow the final dot: stamp deliveries as past the point where a copy may have been taken; return those allowed.

    Allowed is only what this token still holds under a running lease, what nobody has stopped, and what has the
    same bytes as on its first attempt.
    """
    now = clock.database_now()
    return {row[0] for row in _FENCE(sorted(digests.items()), token=token, now=now)}


def record(claim: Claim, endings: Mapping[int, Ending]) -> set[int]:
    """Write down how attempts ended; return the deliveries for which the claim's token still counted.

    A result under a token that no longer holds the row changes nothing: somebody else is responsible by now.
    """
    with transaction.atomic(savepoint=False):
        now = clock.database_now()
        never_twice = _never_twice(claim.taken[pk] for pk, ending in endings.items() if isinstance(ending, Ambiguous))
        ends = [
            _end(claim.taken[pk], ending, token=claim.token, now=now, never_twice=never_twice)
            for pk, ending in endings.items()
        ]
        stops = attempts.end(ends, now=now)
        ended = [(claim.taken[pk], endings[pk]) for pk in stops]
        _remember_attempts(
            [(one.address_id, now) for one, ending in ended
             if claim.mailboxes[one.address_id].is_capped and not isinstance(ending, NotSent)]
        )  # fmt: skip
        _remember_names([(one.pk, ending.provider_id) for one, ending in ended if isinstance(ending, Accepted)])
        reputation.learn(
            [(one.address_id, ending) for one, ending in ended
             if not (isinstance(ending, Accepted) and claim.mailboxes[one.address_id].is_working)], now,
        )  # fmt: skip
        tries = (
            Try(one.pk, one.campaign_id, claim.mailboxes[one.address_id].domain, one.attempts, ending)
            for one, ending in ended
        )
        breaker.observe(tries, now=now)
        _stop_asked_for(stops, now)
    return set(stops)


def give_back(claim: Claim, ids: Iterable[int]) -> int:
    """Return deliveries that were claimed and never begun, as if they had not been claimed."""
    return _put_down(claim, ids, State.QUEUED, "")


def hold(claim: Claim, ids: Iterable[int], *, reason: str) -> int:
    """Set deliveries aside for a person: nothing of them was sent."""
    return _put_down(claim, ids, State.HELD, reason)


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
    now = clock.database_now(fresh=True)
    renewed = Delivery.objects.filter(
        pk__in=list(ids), token=token, state=State.SENDING, lease_until__gt=now
    ).update(lease_until=now + LEASE)
    return renewed, measured_from + (LEASE - SAFETY).total_seconds()


def held_under(token: str, ids: Iterable[int]) -> set[int]:
    """Return which of these deliveries a claim still holds, under a running lease."""
    now = clock.database_now()
    mine = Delivery.objects.filter(pk__in=list(ids), token=token, state=State.SENDING, lease_until__gt=now)
    return set(mine.values_list("pk", flat=True))


def reap(*, limit: int = 2000) -> int:
    """Take back what workers left behind when their lease ran out; return how many.

    Without a fence nothing was sent: queued again. With one a copy may have been taken: ambiguous. A lease more
    than two leases ahead comes from a clock that was wrong and counts as run out.
    """
    now = clock.database_now()
    lost = Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)
    with transaction.atomic():
        rows = list(Delivery.objects.select_for_update(skip_locked=True).filter(lost, state=State.SENDING)[:limit])
        if rows:  # whoever slept since `now` would take the leases of all others for a wrong clock's
            now = clock.database_now(fresh=True)
            rows = [row for row in rows if row.lease_until is None or not now < row.lease_until <= now + 2 * LEASE]
        never_twice = _never_twice(rows)
        ends = []
        for row in rows:
            ending: Ending = NotSent("the worker was lost")
            if row.dot_at is not None:
                ending = Ambiguous("the worker was lost after the final dot was allowed")
            end = _end(row, ending, token=row.token, now=now, never_twice=never_twice)
            if row.dot_at is None and end.to == State.QUEUED:  # at once: nothing was wrong with the delivery
                end = end._replace(fact=end.fact._replace(reason="lease_lost"), due_at=now)
            ends.append(end)
        stops = attempts.end(ends, now=now)
        _remember_attempts([(row.address_id, row.dot_at) for row in rows if row.dot_at])
        _stop_asked_for(stops, now)
    _resume_stopped(now)
    return len(stops)


def _resume_stopped(now: datetime, *, limit: int = 2000) -> None:
    """Let go what a stop caught at the fence, once nothing stops it any more: a pause that ended."""
    rows = leaving.unstopped(Delivery.objects.filter(state=State.HELD, reason="stopped"), now).order_by("pk")[:limit]
    # Its slot of the mailbox's hour was free meanwhile: a mailbox with a pace lets it go anew.
    change = Change(fact=Fact(reason="resumed"), columns={"due_at": now, "released_for": 0})
    lifecycle.move_deliveries(rows, State.QUEUED, change, now=now, skip_locked=True)


def next_due_in(*, most: float) -> float:
    """Return the seconds until something is due, at most `most`."""
    now = clock.database_now()
    waiting = leaving.may_leave(Delivery.objects.filter(state=State.QUEUED, due_at__isnull=False), now)
    first = waiting.order_by("due_at").values_list("due_at").first()
    if first is None or first[0] is None:
        return most
    return min(max((first[0] - now).total_seconds(), 0.0), most)


def forget_attempts(*, now: datetime) -> int:
    """Delete what pacing no longer needs to remember; return how many rows."""
    return AttemptAt.objects.filter(at__lt=now - timedelta(days=1, hours=1)).delete()[0]


def _put_down(claim: Claim, ids: Iterable[int], to: State, reason: str) -> int:
    """End attempts of this claim that were not fenced; cancel those whose stop was asked for meanwhile."""
    now = clock.database_now()
    with transaction.atomic(savepoint=False):
        ends = [End(pk, claim.token, to, Fact(reason), unbegun=True) for pk in ids]
        stops = attempts.end(ends, now=now, unfenced=True)
        _stop_asked_for(stops, now)
    return len(stops)


@lru_cache(maxsize=16)
def _usual_question(limit: int, is_ours: bool, _is_paced: bool, _vendor: str) -> Question:  # noqa: FBT001  a key
    return _due(Q(), limit, is_ours=is_ours)


def _due(only: Q, limit: int, *, is_ours: bool) -> Question:
    """Return the question which deliveries to claim.

    Rows that another process holds are skipped (SKIP LOCKED; on SQLite the write lock takes its place).
    """

    def rows(now: datetime, identity: str = "", epoch: int = 0) -> QuerySet[Delivery, tuple[int]]:
        due = leaving.may_leave(Delivery.objects.filter(only, state=State.QUEUED, due_at__lte=now), now)
        if is_ours:
            due = due.filter(Exists(instance.unchanged(identity, epoch)))
        batch = due.order_by("due_at", "pk")[:limit]
        return batch.select_for_update(skip_locked=True).values_list("pk")

    return Question(rows, **(_MARKS if is_ours else {"now": _MARKS["now"]}))


def _stop_asked_for(stops: Mapping[int, str], now: datetime) -> None:
    """Cancel deliveries whose stop was asked for during the attempt that has just ended, unless they were sent."""
    for reason in set(stops.values()) - {""}:
        ids = [pk for pk, asked in stops.items() if asked == reason]
        rows = Delivery.objects.filter(pk__in=ids, state__in=[State.QUEUED, State.HELD, State.UNCERTAIN])
        lifecycle.move_deliveries(rows, State.CANCELLED, Change(fact=Fact(reason=reason)), now=now)


def _mailboxes(ids: AbstractSet[int]) -> dict[int, Mailbox]:
    rows = Address.objects.filter(pk__in=ids).values_list(
        "pk", "value", "domain", "status", "cap_per_hour", "cap_per_day"
    )
    return {
        pk: Mailbox(value, domain, status == Address.Status.WORKING, hour is not None or day is not None)
        for pk, value, domain, status, hour, day in rows
    }


def _remember_attempts(tried: Sequence[tuple[int, datetime]]) -> None:
    """Keep when the mailboxes that have a pace were written to; the others need no memory."""
    if tried:
        _ATTEMPTED(tried)


def _remember_names(named: Sequence[tuple[int, str]]) -> None:
    """Keep what the provider calls these deliveries."""
    names = [ProviderName(delivery_id=pk, name=name[:255]) for pk, name in named if name]
    if names:
        ProviderName.objects.bulk_create(names)


def _never_twice(rows: Iterable[Taken | Delivery]) -> AbstractSet[int]:
    """Return which campaigns of these deliveries leave their first unclear ending to a person."""
    campaigns = {row.campaign_id for row in rows}
    if not campaigns:
        return frozenset()
    return set(Campaign.objects.filter(pk__in=campaigns, never_twice=True).values_list("pk", flat=True))


def _end(
    row: Taken | Delivery, ending: Ending, *, token: str, now: datetime, never_twice: AbstractSet[int]
) -> End:
    """Return where an ending leads (RELIABILITY §3 and §6)."""
    ambiguous = row.ambiguous
    match ending:
        case Accepted(code, words):
            return End(row.pk, token, State.SENT, Fact("accepted", code, words))
        case Refused(code, words):
            return End(row.pk, token, State.FAILED, Fact("refused", code, words))
        case Ambiguous(words):
            ambiguous += 1
            fact = Fact("ambiguous", None, words)
        case Deferred(code, words):
            fact = Fact("deferred", code, words)
        case NotSent(words):
            fact = Fact("not_sent", None, words)
            if ending.hold:
                return End(row.pk, token, State.HELD, fact._replace(reason="our_fault"))
    unclear = ambiguous > row.ambiguous
    is_too_old = retries.is_too_old(row.first_tried_at, rested_for=row.rested_for, now=now)
    if unclear and (ambiguous >= retries.MOST_AMBIGUOUS or row.campaign_id in never_twice or is_too_old):
        return End(row.pk, token, State.UNCERTAIN, fact, ambiguous=1)
    if is_too_old:
        return End(row.pk, token, State.UNCERTAIN if ambiguous else State.FAILED, fact._replace(reason="gave_up"))
    wait = retries.wait_before_next(attempts=max(row.attempts, 1), ending=ending, delivery_id=row.pk)
    wait *= settings.BACKOFF_PERCENT / 100
    due_at = retries.due_at(wait=wait, first_tried_at=row.first_tried_at, rested_for=row.rested_for, now=now)
    return End(row.pk, token, State.QUEUED, fact, due_at=due_at, ambiguous=int(unclear))


_FENCE = Statement(
    f"""
    UPDATE letters_delivery SET dot_at = %(now)s, digest = g_digest
    FROM {{given}}, letters_letter AS l, campaigns_campaign AS c, targets_address AS a
    WHERE letters_delivery.id = g_id AND letters_delivery.token = %(token)s
      AND letters_delivery.state || '' = 'sending' AND letters_delivery.lease_until > %(now)s
      AND letters_delivery.reason = '' AND letters_delivery.digest IN ('', g_digest)
      AND l.id = letters_delivery.letter_id AND c.id = letters_delivery.campaign_id
      AND a.id = letters_delivery.address_id AND {leaving.STILL_WANTED}
    RETURNING letters_delivery.id
    """,  # noqa: S608  conditions of our own
    g_id="bigint", g_digest="text",
)  # fmt: skip
_ATTEMPTED = Statement(
    """
    INSERT INTO letters_attemptat (address_id, at)
    SELECT a.id, g_at FROM {given} JOIN targets_address AS a ON a.id = g_address
    WHERE a.cap_per_hour IS NOT NULL OR a.cap_per_day IS NOT NULL
    """,
    g_address="bigint", g_at="timestamptz",
)  # fmt: skip

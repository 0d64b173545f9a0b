"""Mail to supporters: the confirmation with its link and code, and answers; under caps that no restart resets."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from letters import locks, supporters, tokens
from letters.feedback import Reply
from letters.models import Letter, Notice, Supporter
from letters.signals import something_waits
from targets import suppressions
from targets.addresses import mailbox_of

# RELIABILITY P19. A mail may be the weapon of somebody who types in other people's addresses.
MOST_A_DAY = 3
MOST_PER_CAMPAIGN_AND_DAY = 1  # since the address was last proved
MOST_UNCONFIRMED_EVER = 10
MOST_REPLIES_A_DAY = 20  # passed on to one address; further ones wait for the next day
DAY = timedelta(days=1)
CODE_TRIES = 5
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 70  # an hour apart in the end: about as long as a letter may wait to be confirmed


@dataclass(frozen=True)
class Outlook:
    """What the page may say about the mail: when the last one was asked for, and when another is possible."""

    asked_at: datetime | None
    next_possible_at: datetime | None  # None: now
    tries_left: int


def ask_for_confirmation(letter: Letter, *, now: datetime) -> bool:
    """Queue a confirmation mail for a letter's supporter; False where the caps or a suppression forbid one.

    The page is the same in either case: it must not tell whether an address is known.
    """
    supporter = letter.supporter
    assert supporter is not None  # noqa: S101  an awaiting letter has one
    mailbox = _mailbox_hash(supporter)
    with transaction.atomic():
        locks.of_address(mailbox)  # counting and adding are one step, however many ask at once
        suppressed = suppressions.covers(bytes(supporter.address_hash), now=now)
        if suppressed or _next_possible(supporter, mailbox, now=now) is not None:
            return False
        Notice.objects.create(
            supporter=supporter, letter=letter, kind=Notice.Kind.CONFIRMATION, address_hash=mailbox,
            due_at=now, created_at=now,
        )  # fmt: skip
        transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return True


def pass_on(reply: Reply, *, letter: Letter, now: datetime) -> bool:
    """Queue the mail that passes an answer on to the letter's writer; False where nobody may be written to any more."""
    supporter = letter.supporter
    if supporter is None or not supporters.address_of(supporter):
        return False
    mailbox = _mailbox_hash(supporter)
    with transaction.atomic():
        locks.of_address(mailbox)
        if suppressions.covers(bytes(supporter.address_hash), now=now):
            return False
        recent = Notice.objects.filter(address_hash=mailbox, kind=Notice.Kind.REPLY, due_at__gt=now - DAY)
        last = list(recent.order_by("-due_at").values_list("due_at", flat=True)[:MOST_REPLIES_A_DAY])
        due_at = now if len(last) < MOST_REPLIES_A_DAY else max(now, last[-1] + DAY)
        Notice.objects.create(
            supporter=supporter, letter=letter, kind=Notice.Kind.REPLY, reply=reply, address_hash=mailbox,
            due_at=due_at, created_at=now,
        )  # fmt: skip
        reply.forwarded_at = now
        reply.save(update_fields=["forwarded_at"])
        transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return True


def _mailbox_hash(supporter: Supporter) -> bytes:
    return suppressions.address_hash(mailbox_of(supporters.address_of(supporter)))


def outlook(letter: Letter, *, now: datetime) -> Outlook:
    """Return what the "Check your e-mail" page says about the mail of this letter."""
    if letter.supporter is None:
        return Outlook(None, None, CODE_TRIES)
    notice = open_confirmation(letter)
    possible = _next_possible(letter.supporter, _mailbox_hash(letter.supporter), now=now)
    return Outlook(
        notice.created_at if notice else None, possible, CODE_TRIES - notice.code_tries if notice else CODE_TRIES
    )


def open_confirmation(letter: Letter) -> Notice | None:
    """Return the newest unused confirmation of this letter's supporter: the one whose code counts."""
    return (
        Notice.objects.filter(supporter=letter.supporter, kind=Notice.Kind.CONFIRMATION, used_at=None)
        .order_by("-created_at", "-id")
        .first()
    )


def has_run_out(notice: Notice, *, now: datetime) -> bool:
    """Return whether a link is too old: an unused one with the letters it covers, a used one after a week."""
    lives = timedelta(hours=notice.supporter.campaign.confirm_within_hours) if notice.used_at is None else 7 * DAY
    return now - notice.created_at > lives


def find_confirmation(token: str) -> Notice | None:
    """Return the confirmation that a link's token names."""
    key = tokens.read(tokens.CONFIRM, token)
    if key is None:
        return None
    confirmations = Notice.objects.filter(kind=Notice.Kind.CONFIRMATION)
    return confirmations.select_related("supporter__campaign__organisation", "letter__ask").filter(key=key).first()


def may_try_code(notice: Notice) -> bool:
    """Count one try at the code; False once there were five."""
    return bool(
        Notice.objects.filter(pk=notice.pk, code_tries__lt=CODE_TRIES).update(code_tries=F("code_tries") + 1)
    )


def mark_used(notice: Notice, *, now: datetime) -> None:
    """Close all open confirmations of this supporter: a link and a code confirm once."""
    Notice.objects.filter(supporter=notice.supporter, kind=Notice.Kind.CONFIRMATION, used_at=None).update(used_at=now)


def claim(*, limit: int, now: datetime) -> list[Notice]:
    """Take due notices for five minutes; those whose worker died come back by themselves."""
    with transaction.atomic():
        due = Notice.objects.filter(
            Q(state=Notice.State.QUEUED, due_at__lte=now) | Q(state=Notice.State.SENDING, lease_until__lt=now)
        )
        ids = list(due.order_by("due_at").select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Notice.objects.filter(pk__in=ids).update(
            state=Notice.State.SENDING, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
    return list(
        Notice.objects.filter(pk__in=ids).select_related(
            "supporter__campaign__organisation", "letter__ask", "letter__campaign", "letter__template",
            "reply__campaign", "reply__delivery__version",
        )
    )


def give_back(claimed: Iterable[Notice], *, now: datetime) -> None:
    """Return notices that were claimed and not tried, as if they had not been claimed."""
    Notice.objects.filter(pk__in=[notice.pk for notice in claimed], state=Notice.State.SENDING).update(
        state=Notice.State.QUEUED, due_at=now, lease_until=None, attempts=F("attempts") - 1
    )


def record(notice: Notice, *, sent: bool, refused: bool, now: datetime) -> None:
    """Write down how sending a notice ended: sent, refused for good, or to be tried again."""
    if sent or refused or notice.attempts >= MOST_ATTEMPTS:
        state = Notice.State.SENT if sent else Notice.State.FAILED
        Notice.objects.filter(pk=notice.pk).update(state=state, ended_at=now, lease_until=None)
        return
    wait = timedelta(minutes=2 ** min(notice.attempts, 6))
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.QUEUED, due_at=now + wait, lease_until=None)


def _next_possible(supporter: Supporter, mailbox: bytes, *, now: datetime) -> datetime | None:
    """Return when the caps allow the next mail to this address; None where they allow it now."""
    confirmations = Notice.objects.filter(address_hash=mailbox, kind=Notice.Kind.CONFIRMATION)
    today = confirmations.filter(created_at__gt=now - DAY)
    waits: list[datetime] = []
    recent = list(today.order_by("-created_at").values_list("created_at", flat=True)[:MOST_A_DAY])
    if len(recent) >= MOST_A_DAY:
        waits.append(recent[-1] + DAY)
    here = today.filter(supporter=supporter)
    if supporter.proven_at:
        here = here.filter(created_at__gt=supporter.proven_at)
    newest = list(here.order_by("-created_at").values_list("created_at", flat=True)[:MOST_PER_CAMPAIGN_AND_DAY])
    if len(newest) >= MOST_PER_CAMPAIGN_AND_DAY:
        waits.append(newest[-1] + DAY)
    if confirmations.filter(used_at=None).count() >= MOST_UNCONFIRMED_EVER:
        waits.append(now + timedelta(days=365))
    return max(waits, default=None)

"""Mail to supporters: confirmations, answers, links to what is kept; under caps that no restart resets."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from letters import locks, privacy, supporters, tokens
from letters.feedback import Reply
from letters.models import Letter, Notice, Supporter
from letters.rights import Telling
from letters.signals import something_waits
from targets import suppressions
from targets.addresses import mailbox_of

# RELIABILITY P19. A mail may be the weapon of somebody who types in other people's addresses.
MOST_A_DAY = 3
MOST_PER_CAMPAIGN_AND_DAY = 1  # since the address was last proved
MOST_UNCONFIRMED_EVER = 10
MOST_REPLIES_A_DAY = 20  # passed on to one address; further ones wait for the next day
MOST_LINKS_A_DAY = 3  # to one's own data, for one mailbox
DAY = timedelta(days=1)
RESEND_AFTER = timedelta(seconds=60)  # at the earliest; the caps are stricter, and win
REMIND_AFTER = (timedelta(hours=24), timedelta(hours=72))
Kind = Notice.Kind
ASKING = (Kind.CONFIRMATION, Kind.REMINDER)  # for proof of an address that letters wait for
PROVING = (*ASKING, Kind.ONCE, Kind.ALREADY, Kind.LATER)  # what the caps of P19 count
CODE_TRIES = 5
LEASE = timedelta(minutes=5)
MESSAGE_ID = re.compile(r"[a-z]+-(\d{1,18})-([0-9a-f]{12})")
MOST_ATTEMPTS = 70  # an hour apart in the end: about as long as a letter may wait to be confirmed


def ask_for_confirmation(letter: Letter, *, now: datetime, kind: Notice.Kind = Kind.CONFIRMATION) -> bool:
    """Queue the mail that asks to confirm a letter; False where caps or a suppression forbid it.

    An address that has written for this ask is told that instead, once for each new letter and whenever it is asked
    for again. The page is the same in any case: it must not tell whether an address is known.
    """
    assert letter.supporter is not None  # noqa: S101  an awaiting letter has one
    letter.mail_asked_at, letter.remind_at = now, next_reminder_at(letter, now=now)
    Letter.objects.filter(pk=letter.pk).update(mail_asked_at=now, remind_at=letter.remind_at)
    earlier = letter.supporter.letters.filter(ask=letter.ask, stage=Letter.Stage.CONFIRMED).first()
    if earlier is not None and kind == Kind.REMINDER and _is_told(earlier, since=waits_since(letter)):
        return False
    return _ask_for_proof(
        letter.supporter, kind if earlier is None else Kind.ALREADY, letter=earlier or letter,
        language=letter.language, now=now,
    )  # fmt: skip


def waits_since(letter: Letter) -> datetime:
    """Return when a letter that awaits its confirmation was sent for it."""
    lives = timedelta(hours=letter.campaign.confirm_within_hours)
    return letter.expires_at - lives if letter.expires_at else letter.created_at


def next_reminder_at(letter: Letter, *, now: datetime) -> datetime | None:
    """Return when a letter is next reminded of; None where it ends before that, or was reminded of often enough."""
    ends = [at for at in (letter.expires_at, letter.campaign.closes_at) if at]
    times = (waits_since(letter) + after for after in REMIND_AFTER)
    return next((at for at in times if letter.expires_at and now < at < min(ends)), None)


def ask_for_wish(supporter: Supporter, *, language: str, now: datetime) -> bool:
    """Queue the mail by which the owner of an address confirms that they want to be told once; under the same caps."""
    return _ask_for_proof(supporter, Kind.ONCE, letter=None, language=language, now=now)


def send_draft(draft: Letter, owner: Supporter, *, language: str, now: datetime) -> bool:
    """Queue the mail with the link to a draft, to the owner of the address it names; under the caps of confirmations.

    Whose draft it is nobody has proved: it stays nobody's.
    """
    return _ask_for_proof(owner, Kind.LATER, letter=draft, language=language, now=now)


def next_possible_at(letter: Letter) -> datetime:
    """Return when the page may ask for the mail again, reckoned from this letter alone.

    It must not tell whether a mail has left, nor what else this address was asked to confirm.
    """
    return (letter.mail_asked_at or letter.created_at) + max(RESEND_AFTER, DAY / MOST_PER_CAMPAIGN_AND_DAY)


def send_link(supporter: Supporter, *, to: str, language: str, now: datetime) -> bool:
    """Queue the mail with the link to all that is kept about an address; False where there were enough, or no more.

    `to` is the address as it was typed: it is kept, sealed, only where the supporter's own is forgotten.
    """
    mailbox = suppressions.address_hash(mailbox_of(to))
    with transaction.atomic():
        locks.of_address(mailbox)
        links = Notice.objects.filter(address_hash=mailbox, kind=Kind.MY_DATA, created_at__gt=now - DAY)
        if suppressions.covers(suppressions.address_hash(to), now=now) or links.count() >= MOST_LINKS_A_DAY:
            return False
        notice = Notice(
            supporter=supporter, kind=Kind.MY_DATA, language=language, address_hash=mailbox, due_at=now, created_at=now
        )
        if not supporters.address_of(supporter):
            notice.sealed = privacy.seal(
                supporter.campaign, table="notice", row=bytes(notice.key), values={"email": to}
            )
        notice.save()
        transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return True


def send_copy(letter: Letter, *, now: datetime) -> bool:
    """Queue the copy of a letter that is confirmed now, to the address that was proved by it; False if suppressed.

    It is under no cap but this: one for each letter.
    """
    supporter = letter.supporter
    assert supporter is not None  # noqa: S101  a constraint: a confirmed letter has one
    if suppressions.covers(bytes(supporter.address_hash), now=now):
        return False
    Notice.objects.create(
        supporter=supporter, letter=letter, kind=Kind.COPY, language=letter.language,
        address_hash=_mailbox_hash(supporter), due_at=now, created_at=now,
    )  # fmt: skip
    return True


def tell(telling: Telling, asked: Iterable[Supporter], *, now: datetime) -> int:
    """Queue one mail to each of those who asked to be told once; return how many."""
    made = [
        Notice(
            supporter=supporter, telling=telling, kind=Kind.TOLD, language=supporter.language,
            address_hash=_mailbox_hash(supporter), due_at=now, created_at=now,
        )
        for supporter in asked
        if supporters.address_of(supporter)
        and not suppressions.covers(bytes(supporter.address_hash), now=now)
    ]  # fmt: skip
    Notice.objects.bulk_create(made, batch_size=500)
    transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return len(made)


def address_of(notice: Notice) -> str:
    """Return the address that a notice goes to; "" where it is forgotten."""
    if not notice.sealed:
        return supporters.address_of(notice.supporter)
    campaign = notice.supporter.campaign
    return privacy.unseal(campaign, table="notice", row=bytes(notice.key), sealed=bytes(notice.sealed))["email"]


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
        recent = Notice.objects.filter(address_hash=mailbox, kind=Kind.REPLY, due_at__gt=now - DAY)
        last = list(recent.order_by("-due_at").values_list("due_at", flat=True)[:MOST_REPLIES_A_DAY])
        due_at = now if len(last) < MOST_REPLIES_A_DAY else max(now, last[-1] + DAY)
        Notice.objects.create(
            supporter=supporter, letter=letter, kind=Kind.REPLY, reply=reply, address_hash=mailbox,
            due_at=due_at, created_at=now,
        )  # fmt: skip
        reply.forwarded_at = now
        reply.save(update_fields=["forwarded_at"])
        transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return True


def open_confirmation(letter: Letter) -> Notice | None:
    """Return the newest unused confirmation of this letter's supporter: the one whose code counts."""
    return (
        Notice.objects.filter(supporter=letter.supporter, kind__in=ASKING, used_at=None)
        .order_by("-created_at", "-id")
        .first()
    )


def came_back(letter: Letter) -> bool:
    """Return whether the newest mail about proof of this letter's address was refused or returned."""
    mails = Notice.objects.filter(supporter=letter.supporter, kind__in=(*ASKING, Kind.ALREADY), used_at=None)
    notice = mails.order_by("-created_at", "-id").first()
    return notice is not None and notice.came_back_at is not None


def has_run_out(notice: Notice, *, now: datetime) -> bool:
    """Return whether a link is too old: an unused one with the letters it covers, a used one after a week."""
    lives = timedelta(hours=notice.supporter.campaign.confirm_within_hours) if notice.used_at is None else 7 * DAY
    return now - notice.created_at > lives


def find_confirmation(token: str) -> Notice | None:
    """Return the confirmation that a link's token names."""
    return _find(tokens.CONFIRM, token, ASKING)


def find_wish(token: str) -> Notice | None:
    """Return the mail whose link says that somebody wants to be told once."""
    return _find(tokens.ONCE, token, (Kind.ONCE,))


def find_link(token: str) -> Notice | None:
    """Return the mail whose link leads to what is kept about its address."""
    return _find(tokens.MY_DATA, token, (Kind.MY_DATA,))


def find_opened(token: str) -> Notice | None:
    """Return the mail whose link was opened by its button: what this token opens, it opens for a while."""
    return _find(tokens.MY_OWN, token, (Kind.MY_DATA,))


def open_link(notice: Notice, *, now: datetime) -> bool:
    """Use up the link of a mail; False where it was used before."""
    return bool(Notice.objects.filter(pk=notice.pk, used_at=None).update(used_at=now))


def _find(purpose: str, token: str, kinds: Iterable[Notice.Kind]) -> Notice | None:
    key = tokens.read(purpose, token)
    if key is None:
        return None
    rows = Notice.objects.filter(kind__in=kinds).select_related("supporter__campaign__organisation", "letter__ask")
    return rows.filter(key=key).first()


def may_try_code(notice: Notice) -> bool:
    """Count one try at the code; False once there were five."""
    return bool(
        Notice.objects.filter(pk=notice.pk, code_tries__lt=CODE_TRIES).update(code_tries=F("code_tries") + 1)
    )


def mark_used(notice: Notice, *, now: datetime) -> None:
    """Close all open confirmations of this supporter: a link and a code confirm once."""
    Notice.objects.filter(supporter=notice.supporter, kind__in=PROVING, used_at=None).update(used_at=now)


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
            "reply__campaign", "reply__delivery__version", "telling",
        )
    )


def give_back(claimed: Iterable[Notice], *, now: datetime) -> None:
    """Return notices that were claimed and not tried, as if they had not been claimed."""
    Notice.objects.filter(pk__in=[notice.pk for notice in claimed], state=Notice.State.SENDING).update(
        state=Notice.State.QUEUED, due_at=now, lease_until=None, attempts=F("attempts") - 1
    )


def record(notice: Notice, *, sent: bool, refused: bool, now: datetime, came_back: bool = False) -> None:
    """Write down how sending a notice ended: sent, refused for good (by their server?), or to be tried again."""
    if sent or refused or notice.attempts >= MOST_ATTEMPTS:
        state = Notice.State.SENT if sent else Notice.State.FAILED
        Notice.objects.filter(pk=notice.pk).update(
            state=state, ended_at=now, lease_until=None, sealed=b"", came_back_at=now if came_back else None
        )
        return
    wait = timedelta(minutes=2 ** min(notice.attempts, 6))
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.QUEUED, due_at=now + wait, lease_until=None)


def note_return(message_id: str, *, now: datetime) -> bool:
    """Note that one of our mails came back, named by its Message-ID; False where none of ours is named."""
    named = MESSAGE_ID.fullmatch(message_id.strip().strip("<>").partition("@")[0].lower())
    if named is None:
        return False
    notice = Notice.objects.filter(pk=int(named[1])).first()
    if notice is None or proof_of(notice) != named[2]:
        return False
    return bool(Notice.objects.filter(pk=notice.pk, came_back_at=None).update(came_back_at=now))


def proof_of(notice: Notice) -> str:
    """Return the part of a mail's Message-ID that nobody can guess."""
    return bytes(notice.key).hex()[:12]


def _ask_for_proof(
    supporter: Supporter, kind: Notice.Kind, *, letter: Letter | None, language: str, now: datetime
) -> bool:
    mailbox = _mailbox_hash(supporter)
    with transaction.atomic():
        locks.of_address(mailbox)  # counting and adding are one step, however many ask at once
        suppressed = suppressions.covers(bytes(supporter.address_hash), now=now)
        if suppressed or _next_possible(supporter, mailbox, kind=kind, now=now) is not None:
            return False
        Notice.objects.create(
            supporter=supporter, letter=letter, kind=kind, language=language, address_hash=mailbox,
            due_at=now, created_at=now,
        )  # fmt: skip
        transaction.on_commit(lambda: something_waits.send_robust(sender=Notice), robust=True)
    return True


def _is_told(earlier: Letter, *, since: datetime) -> bool:
    """Return whether its writer knows since then of this letter: they confirmed it, or a mail has said so."""
    told = Notice.objects.filter(letter=earlier, kind=Kind.ALREADY, created_at__gte=since)
    return (earlier.confirmed_at is not None and earlier.confirmed_at >= since) or told.exists()


def _mailbox_hash(supporter: Supporter) -> bytes:
    return suppressions.address_hash(mailbox_of(supporters.address_of(supporter)))


def _next_possible(supporter: Supporter, mailbox: bytes, *, kind: Notice.Kind, now: datetime) -> datetime | None:
    """Return when the caps allow the next mail of a kind to this address; None where they allow it now."""
    confirmations = Notice.objects.filter(address_hash=mailbox, kind__in=PROVING)
    today = confirmations.filter(created_at__gt=now - DAY)
    waits: list[datetime] = []
    recent = list(today.order_by("-created_at").values_list("created_at", flat=True)[:MOST_A_DAY])
    if len(recent) >= MOST_A_DAY:
        waits.append(recent[-1] + DAY)
    here = today.filter(supporter=supporter)
    if kind in ASKING:  # who asked for a link to go on later may well be done on the same day
        here = here.exclude(kind=Kind.LATER)
    if supporter.proven_at:
        here = here.filter(created_at__gt=supporter.proven_at)
    newest = list(here.order_by("-created_at").values_list("created_at", flat=True)[:MOST_PER_CAMPAIGN_AND_DAY])
    if len(newest) >= MOST_PER_CAMPAIGN_AND_DAY:
        waits.append(newest[-1] + DAY)
    if confirmations.filter(used_at=None).count() >= MOST_UNCONFIRMED_EVER:
        waits.append(now + timedelta(days=365))
    return max(waits, default=None)

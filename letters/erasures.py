"""Erasing what we hold about an address, also out of a backup that comes back: a tombstone keeps its hash."""

import logging
import secrets
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from letters import continuing, erasure_journal, lifecycle, locks, supporters, writing
from letters.erasure_journal import Line
from letters.feedback import Reply, ToldReply
from letters.models import Delivery, Letter, Notice, Supporter
from letters.rights import Consent, Erasure

log = logging.getLogger(__name__)
KEPT_FOR = timedelta(days=60)  # longer than a backup may be kept (docs/backups.md); then nothing is left of it
_CHUNK = 500


def erase(hashed: bytes, *, now: datetime) -> int:
    """Erase everything about an address, in all campaigns, and stop what has not left; return how many deliveries.

    What an office has accepted cannot be called back. Letters and deliveries stay as numbers, without anybody. Raises
    locks.Taken.
    """
    stopped = locks.giving_way(lambda: _erase(hashed, at=now, now=now))
    _write_down([Line(hashed, now)])
    return stopped


def replay(*, now: datetime) -> int:
    """Keep journal and database alike: what only the journal knows is erased again. Return how many addresses were.

    That is so after a backup was restored. What somebody wrote after they had it erased stays.
    """
    kept = erasure_journal.read(settings.DATA)
    known = {Line(bytes(hashed), at) for hashed, at in Erasure.objects.values_list("address_hash", "at")}
    missing = [line for line in kept if line not in known and line.at > now - KEPT_FOR]
    for line in missing:
        locks.giving_way(partial(_erase, line.address_hash, at=line.at, now=now))
    if unwritten := sorted(known - set(kept), key=lambda line: line.at):
        _write_down(unwritten)
    return len(missing)


def forget(*, now: datetime) -> None:
    """Forget tombstones that are older than any backup, here and in the journal."""
    Erasure.objects.filter(at__lte=now - KEPT_FOR).delete()
    erasure_journal.keep(settings.DATA, since=now - KEPT_FOR)
    Notice.objects.filter(supporter__erased_at__lte=now - timedelta(days=1)).delete()


def _write_down(lines: list[Line]) -> None:
    try:
        erasure_journal.append(settings.DATA, lines)
    except OSError:  # a full disk, say: workers try again each minute, from the database
        log.exception("an erasure could not be written into the journal")


def _erase(hashed: bytes, *, at: datetime, now: datetime) -> int:
    """Erase what stood about an address at a time; letters written later stay, and so does who wrote them."""
    found = supporters.by_hash(hashed).filter(created_at__lte=at).select_for_update()
    stopped = sum(_erase_supporter(supporter, now=now) for supporter in list(found.select_related("campaign")))
    Erasure.objects.get_or_create(address_hash=hashed, at=at)
    return stopped


def _erase_supporter(supporter: Supporter, *, now: datetime) -> int:
    stopped = 0
    for letter in supporter.letters.select_related("campaign"):
        stopped += writing.withdraw(letter, now=now, reason="erased")[0]
        if letter.stage == Letter.Stage.DRAFT:
            lifecycle.move_letter(letter, Letter.Stage.EXPIRED, now=now)
    continuing.forget(supporter, now=now)
    supporter.letters.update(sealed=b"", source="", passes_replies=False)
    deliveries = Delivery.objects.filter(letter__supporter=supporter)
    Reply.objects.filter(delivery__in=deliveries).update(sealed=b"")
    ToldReply.objects.filter(delivery__in=deliveries).delete()
    Consent.objects.filter(supporter=supporter).delete()
    # The one mail that led here opens "We hold nothing", for as long as its link does.
    Notice.objects.filter(supporter=supporter).exclude(kind=Notice.Kind.MY_DATA).delete()
    Notice.objects.filter(supporter=supporter).update(address_hash=secrets.token_bytes(32), sealed=b"")
    Supporter.objects.filter(pk=supporter.pk).update(
        sealed=b"", address_hash=secrets.token_bytes(32), erased_at=now, wants_news_at=None, language=""
    )
    return stopped

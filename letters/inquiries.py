"""Asking what is held about an address: the same for every address at the page; a worker looks, and writes to it."""

import logging
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from letters import notices, privacy, supporters
from letters.models import Notice
from letters.rights import Inquiry
from letters.signals import something_waits
from targets import suppressions

log = logging.getLogger(__name__)
LINK_LASTS_FOR = timedelta(hours=24)  # until its button is pressed
OPEN_FOR = timedelta(hours=1)  # what that opens
KEPT_FOR = timedelta(days=1)  # of an inquiry that no worker came to answer


def ask(email: str, *, language: str, now: datetime) -> None:
    """Take an inquiry about a well-formed address. Nothing is looked up here, so nothing can be learned from it."""
    key = secrets.token_bytes(16)
    sealed = privacy.seal_apart(table="inquiry", row=key, values={"email": email})
    with transaction.atomic():
        Inquiry.objects.create(key=key, sealed=sealed, language=language, at=now)
        transaction.on_commit(lambda: something_waits.send_robust(sender=Inquiry), robust=True)


def answer(*, now: datetime, limit: int = 200) -> int:
    """Answer inquiries: a mail with a link to every address that is known, under caps. Return how many mails."""
    sent = 0
    for inquiry in Inquiry.objects.order_by("pk")[:limit]:
        with transaction.atomic():
            if not Inquiry.objects.filter(pk=inquiry.pk).delete()[0]:  # another worker was first
                continue
            if now - inquiry.at <= KEPT_FOR:
                sent += _answer(inquiry, now=now)
    return sent


def has_run_out(notice: Notice, *, now: datetime) -> bool:
    """Return whether the link of a mail is used or too old."""
    return notice.used_at is not None or now - notice.created_at > LINK_LASTS_FOR


def is_open(notice: Notice, *, now: datetime) -> bool:
    """Return whether the page behind a link that was opened may still be seen."""
    return notice.used_at is not None and now - notice.used_at <= OPEN_FOR


def _answer(inquiry: Inquiry, *, now: datetime) -> bool:
    try:
        values = privacy.unseal_apart(table="inquiry", row=bytes(inquiry.key), sealed=bytes(inquiry.sealed))
    except privacy.Unreadable:
        log.warning("an inquiry cannot be read with the master key in use")
        return False
    known = supporters.by_hash(suppressions.address_hash(values["email"])).select_related("campaign")
    # The newest of those whose own address is still kept, else the newest: the mail goes to the address as typed.
    supporter = known.exclude(sealed=b"").order_by("-pk").first() or known.order_by("-pk").first()
    if supporter is None:
        return False
    return notices.send_link(supporter, to=values["email"], language=inquiry.language, now=now)

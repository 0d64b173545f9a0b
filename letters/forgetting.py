"""Forgetting on time: texts and personal fields that nobody needs any more (RELIABILITY §10)."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from campaigns.models import Campaign
from letters import lifecycle
from letters.feedback import Reply
from letters.models import Delivery, Letter, Notice, Supporter
from letters.rights import Consent

WISHES_LIVE_FOR = timedelta(hours=72)  # "tell me once", until its address is proved
KEPT_FOR = timedelta(days=28)  # after a letter's last delivery ended, and after a reply came
_ENDED = [Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.CANCELLED]


def expire(*, now: datetime, limit: int = 1000) -> int:
    """Delete the text of drafts and unconfirmed letters whose time ran out; return how many."""
    due = Letter.objects.filter(
        stage__in=[Letter.Stage.DRAFT, Letter.Stage.AWAITING], expires_at__lte=now
    ).order_by("expires_at")[:limit]
    return sum(lifecycle.move_letter(letter, Letter.Stage.EXPIRED, now=now, sealed=b"") for letter in due)


def letters(*, now: datetime, limit: int = 1000) -> int:
    """Delete the text of letters whose last delivery ended 28 days ago; return how many. Their states stay."""
    unfinished = Delivery.objects.filter(
        ~Q(state__in=_ENDED) | Q(ended_at__gt=now - KEPT_FOR), letter=OuterRef("pk")
    )
    due = (
        Letter.objects.filter(
            ~Exists(unfinished),
            Q(confirmed_at__lte=now - KEPT_FOR),
            stage__in=[Letter.Stage.CONFIRMED, Letter.Stage.WITHDRAWN],
        )
        .exclude(sealed=b"")
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    return Letter.objects.filter(pk__in=list(due)).update(sealed=b"")


def replies(*, now: datetime, limit: int = 1000) -> int:
    """Delete the text of replies that came 28 days ago; return how many. That they came stays."""
    due = Reply.objects.filter(received_at__lte=now - KEPT_FOR).exclude(sealed=b"").order_by("received_at")
    return Reply.objects.filter(pk__in=list(due.values_list("pk", flat=True)[:limit])).update(sealed=b"")


def supporters_without_letters(*, now: datetime, campaign: Campaign | None = None, limit: int = 1000) -> int:
    """Delete who a supporter is where no letter of theirs has a text any more and they want no news; return how many.

    The keyed hash stays: it is what keeps counts honest and one letter per ask. A mail that is still due keeps the
    address for as long as it waits.
    """
    written = Letter.objects.filter(supporter=OuterRef("pk")).exclude(sealed=b"")
    waits = Q(state__in=[Notice.State.QUEUED, Notice.State.SENDING], created_at__gt=now - timedelta(days=7))
    may_wish = Q(kind=Notice.Kind.ONCE, created_at__gt=now - WISHES_LIVE_FOR)
    mail = Notice.objects.filter(waits | may_wish, supporter=OuterRef("pk"), used_at=None)
    wish = Consent.objects.filter(supporter=OuterRef("pk"), withdrawn_at=None)
    due = Supporter.objects.filter(~Exists(written), ~Exists(mail), ~Exists(wish)).exclude(sealed=b"")
    if campaign is not None:
        due = due.filter(campaign=campaign)
    found = list(due.order_by("pk").values_list("pk", flat=True)[:limit])
    return Supporter.objects.filter(pk__in=found).update(sealed=b"")

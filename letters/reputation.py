"""What the answers of mail servers tell us about an address."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Case, Q, Value, When

from letters.endings import Accepted, Ending, Refused
from targets.models import Address

Status = Address.Status
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")
BAD_ADDRESS_WITHIN = timedelta(days=7)


def learn(endings: Mapping[int, Ending] | Iterable[tuple[int, Ending]], now: datetime) -> None:
    """Keep what answers say of addresses, (address id, ending): one that works, one that does not exist (5.1.x)."""
    pairs = list(endings.items() if isinstance(endings, Mapping) else endings)
    accept([pk for pk, ending in pairs if isinstance(ending, Accepted)])
    refuse([pk for pk, ending in pairs if isinstance(ending, Refused) and is_about_address(ending.words)], now=now)


def is_about_address(words: str) -> bool:
    """Return whether a server's words say that the address does not exist."""
    return is_bad_address(status_in(words))


def is_bad_address(status: str) -> bool:
    """Return whether an RFC 3463 code says that the mailbox or its domain does not exist; 5.1.7 and 5.1.8 are ours."""
    return status in {"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}


def is_about_us(status: str) -> bool:
    """Return whether an RFC 3463 code says that it is our own address which they do not take."""
    return status[1:] in {".1.7", ".1.8"}


def status_in(words: str) -> str:
    """Return the RFC 3463 code with which a server's words begin; "" where there is none."""
    found = _STATUS.match(words)
    return found[1] if found else ""


def accept(addresses: Iterable[int]) -> None:
    """Note that something was accepted for these addresses: they work, also where they bounced before.

    When one was last refused stays known: a relay or provider accepts what it returns an hour later.
    """
    ids = set(addresses)
    if ids:
        Address.objects.filter(pk__in=ids, status__in=[Status.UNKNOWN, Status.BOUNCING]).update(status=Status.WORKING)


def refuse(addresses: Iterable[int], *, now: datetime, spared: Collection[int] = ()) -> None:
    """Note that these addresses, each as often as it was said, do not exist: twice within a week and they are dead.

    Those that are spared are only bouncing, however often it was said.
    """
    times = Counter(addresses)
    if not times:
        return
    again = _said_again(times, now) & ~Q(pk__in=list(spared))
    Address.objects.filter(pk__in=list(times)).exclude(status=Status.DEAD).update(
        status=Case(When(again, then=Value(Status.DEAD)), default=Value(Status.BOUNCING)), refused_at=Value(now)
    )


def dying(addresses: Iterable[int], *, now: datetime) -> list[int]:
    """Return which of these addresses `refuse` would make dead, in the order of their ids."""
    times = Counter(addresses)
    alive = Address.objects.filter(pk__in=list(times)).exclude(status=Status.DEAD)
    return list(alive.filter(_said_again(times, now)).order_by("pk").values_list("pk", flat=True))


def _said_again(times: Mapping[int, int], now: datetime) -> Q:
    return Q(refused_at__gt=now - BAD_ADDRESS_WITHIN) | Q(pk__in=[pk for pk, n in times.items() if n > 1])

"""Receiving domains that do not take our letters: they rest, longer each time, until one letter is let through again.

A domain's answers count from its first no on, in a row: one yes and the count begins anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.models import Campaign
from letters import leaving, reputation
from letters.endings import Accepted, Deferred, Ending, NotSent, Refused
from letters.given import Statement
from letters.models import Delivery
from letters.stoppages import TroubledDomain
from targets.models import Address

State = Delivery.State
MOST_POLICY = 5  # "no" for what we are (5.7, 4.7, 421), in a row: letters refused so are lost, so not many
MOST_STRIKES = 20  # any "no" in a row
RESTS = tuple(timedelta(minutes=m) for m in (10, 30, 60, 120, 240, 360))
FORGOTTEN_AFTER = timedelta(days=1)  # without a further "no"
WHILE_PROBED = timedelta(minutes=1)  # how long the others are put off until the probe has told more
_CHUNK = 5000


class Try(NamedTuple):
    """An attempt that ended. `attempts` counts it; `domain` is what stands behind the @ of its address."""

    delivery: int
    campaign: int
    domain: str
    attempts: int
    ending: Ending


class Kind(Enum):
    """What an answer says of the domain that gave it."""

    YES = "it accepts our letters"
    NOTHING = "it speaks of one mailbox, or nobody answered, or it is how greylisting begins"
    NO = "it did not take this one"
    POLICY = "it does not want our letters"


@dataclass
class _Run:
    """What one group of endings says of one domain; the counts are those after its last yes."""

    accepted: bool = False
    strikes: int = 0
    policy: int = 0
    code: int = 0
    words: str = ""
    kinds: dict[int, Kind] = field(default_factory=dict)  # by delivery


@dataclass
class Resting:
    """The domains that rest, as a release sees them: to each goes its probe alone."""

    probes: Mapping[str, int | None]  # by domain
    wanting: set[str]  # those whose rest is over and that have no probe yet

    def lets(self, domain: str, delivery: int) -> bool:
        """Return whether a delivery to this domain may leave."""
        return domain not in self.probes or self.probes[domain] == delivery

    def room(self, domain: str, slots: int) -> int:
        """Return how many more may be let go to a mailbox of this domain, where its pace has so many slots."""
        if domain not in self.probes or slots <= 0:
            return max(slots, 0)
        if domain not in self.wanting:
            return 0
        self.wanting.discard(domain)
        return 1

    def keep_probes(self, chosen: Mapping[str, int]) -> None:
        """Remember which delivery was let go to each domain, where that domain rests: it is the probe."""
        for domain, delivery in chosen.items():
            if domain in self.probes:
                _set_probe(domain, delivery)


def kind_of(ending: Ending, *, attempts: int) -> Kind:
    """Return what an answer says of the domain, by its enhanced status code (RFC 3463 §3, RFC 5248)."""
    match ending:
        case Accepted():
            return Kind.YES
        case NotSent():
            return Kind.NOTHING
        case Refused(code, words) | Deferred(code, words):
            status = reputation.status_in(words)
            if reputation.is_about_us(status):
                return Kind.POLICY
            if status[:4] in {"5.1.", "5.2.", "4.1.", "4.2."}:
                return Kind.NOTHING
            if isinstance(ending, Deferred) and ending.at_recipient and attempts <= 1:
                return Kind.NOTHING
            return Kind.POLICY if status[:4] in {"5.7.", "4.7."} or code == 421 else Kind.NO
    return Kind.NO


def said(ending: Ending) -> tuple[int, str]:
    """Return the code and the words of an answer."""
    return getattr(ending, "code", 0), ending.words[:200]


def in_trouble(*, now: datetime) -> set[str]:
    """Return the domains whose next yes matters: those that rest or have said no since their last one."""
    rows = TroubledDomain.objects.filter(last_at__gt=now - FORGOTTEN_AFTER).exclude(strikes=0, rests_until=None)
    return set(rows.values_list("domain", flat=True))


def resting(*, now: datetime) -> Resting:
    """Return which domains rest, and which of them want a probe."""
    rows = list(TroubledDomain.objects.filter(rests_until__isnull=False))
    return Resting(
        probes={row.domain: row.probe for row in rows},
        wanting={row.domain for row in rows if row.probe is None and row.rests_until and row.rests_until <= now},
    )


def that_rest(campaign: Campaign) -> QuerySet[TroubledDomain]:
    """Return the domains that rest and to which this campaign has something waiting, by name."""
    waiting = Delivery.objects.filter(campaign=campaign, state=State.QUEUED, address__domain=OuterRef("domain"))
    return TroubledDomain.objects.filter(Exists(waiting), rests_until__isnull=False).order_by("domain")


def observe(tries: Iterable[Try], *, now: datetime) -> set[str]:
    """Count the answers of each domain; let it rest, rest longer or be written to again. Return those that said no."""
    runs: dict[str, _Run] = {}
    for one in tries:
        _count(runs.setdefault(one.domain, _Run()), one)
    calmed = [domain for domain, run in runs.items() if run.accepted]
    if calmed:
        TroubledDomain.objects.filter(domain__in=calmed, rests_until=None, strikes__gt=0).update(strikes=0, policy=0)
    struck = {domain for domain, run in runs.items() if run.strikes}
    if struck:
        rows = [(d, runs[d].strikes, runs[d].policy, runs[d].code, runs[d].words) for d in sorted(struck)]
        _STRIKE(rows, now=now, stale=now - FORGOTTEN_AFTER)
    for row in TroubledDomain.objects.filter(domain__in=runs).order_by("domain"):
        _judge(row, runs[row.domain], now)
    return struck


def tend(*, now: datetime) -> None:
    """Put off what is due to domains that rest, send each its probe when the rest is over, forget old trouble."""
    TroubledDomain.objects.filter(rests_until=None, last_at__lte=now - FORGOTTEN_AFTER).delete()
    for row in TroubledDomain.objects.filter(rests_until__isnull=False).order_by("domain"):
        _tend(row, now)


def _count(run: _Run, one: Try) -> None:
    kind = run.kinds[one.delivery] = kind_of(one.ending, attempts=one.attempts)
    if kind is Kind.YES:
        run.accepted, run.strikes, run.policy = True, 0, 0
    elif kind is not Kind.NOTHING:
        run.strikes += 1
        run.policy += kind is Kind.POLICY
        run.code, run.words = said(one.ending)


def _judge(row: TroubledDomain, run: _Run, now: datetime) -> None:
    mine = TroubledDomain.objects.filter(pk=row.pk)
    longer = {"rests_until": now + RESTS[min(row.rests, len(RESTS) - 1)], "rests": F("rests") + 1, "probe": None}
    if row.rests_until is None:
        if row.strikes >= MOST_STRIKES or row.policy >= MOST_POLICY:
            mine.filter(rests_until=None).update(**longer)
        return
    match run.kinds.get(row.probe) if row.probe is not None else None:
        case None:
            return
        case Kind.YES:
            mine.update(rests_until=None, probe=None, strikes=0, policy=0, last_at=now)
        case Kind.NOTHING:  # the next one may tell more
            mine.update(rests_until=now, probe=None)
        case _:
            mine.update(**longer)


def _tend(row: TroubledDomain, now: datetime) -> None:
    addresses = Address.objects.filter(domain=row.domain, kind=Address.Kind.EMAIL)
    if settings.PACED:  # what a paced mailbox is let go is the release's business
        addresses = addresses.filter(leaving.UNPACED)
    waiting = Delivery.objects.filter(address__in=addresses.values("pk"), state=State.QUEUED)
    assert row.rests_until is not None  # noqa: S101  asked for above
    if row.probe is not None and not _is_under_way(row.probe, now):
        TroubledDomain.objects.filter(pk=row.pk, probe=row.probe).update(probe=None, rests_until=now)
        row.probe, row.rests_until = None, now
    if row.probe is None and row.rests_until <= now:
        first = leaving.may_leave(waiting, now, resting=True).order_by("pk").values_list("pk", flat=True).first()
        if first is not None and _set_probe(row.domain, first):
            row.probe = first
            Delivery.objects.filter(pk=first, state=State.QUEUED).update(due_at=now)
    _put_off(waiting.exclude(pk=row.probe or 0), max(row.rests_until, now + WHILE_PROBED))


def _is_under_way(probe: int, now: datetime) -> bool:
    """Return whether a probe is with a worker or may still be claimed: a pause or a stop may have caught it."""
    rows = Delivery.objects.filter(pk=probe)
    queued = leaving.may_leave(rows.filter(state=State.QUEUED), now, resting=True)
    return rows.filter(state=State.SENDING).exists() or queued.exists()


def _set_probe(domain: str, delivery: int) -> bool:
    return bool(TroubledDomain.objects.filter(domain=domain, probe=None).update(probe=delivery))


def _put_off(waiting: QuerySet[Delivery], until: datetime) -> None:
    rows = waiting.filter(due_at__lt=until).select_for_update(skip_locked=True)
    while True:
        with transaction.atomic():
            ids = list(rows.values_list("pk", flat=True)[:_CHUNK])
            Delivery.objects.filter(pk__in=ids).update(due_at=until)
        if len(ids) < _CHUNK:
            return


_STRIKE = Statement(
    """
    INSERT INTO letters_troubleddomain AS kept (domain, strikes, policy, since, last_at, code, words, rests)
    SELECT g_domain, g_strikes, g_policy, %(now)s, %(now)s, g_code, g_words, 0 FROM {given} WHERE true ORDER BY g_domain
    ON CONFLICT (domain) DO UPDATE SET
        strikes = excluded.strikes + CASE WHEN kept.last_at > %(stale)s THEN kept.strikes ELSE 0 END,
        policy = excluded.policy + CASE WHEN kept.last_at > %(stale)s THEN kept.policy ELSE 0 END,
        since = CASE WHEN kept.last_at > %(stale)s AND kept.strikes > 0 THEN kept.since ELSE excluded.since END,
        rests = CASE WHEN kept.last_at > %(stale)s OR kept.rests_until IS NOT NULL THEN kept.rests ELSE 0 END,
        last_at = excluded.last_at, code = excluded.code, words = excluded.words
    """,
    g_domain="text", g_strikes="int", g_policy="int", g_code="int", g_words="text",
)  # fmt: skip

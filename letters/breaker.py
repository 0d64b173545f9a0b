"""Stopping by itself, before more harm is done: a receiving domain rests, a campaign pauses until a person has looked.

Nothing is written while servers say yes. From a first no on, the answers to that domain and campaign are counted in the
transaction that records them.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum

from campaigns import publishing
from campaigns.models import Campaign
from letters import alarms, domains, pause_words, tallies
from letters.domains import Kind, Try
from letters.endings import Accepted, NotSent, Refused
from letters.given import Statement
from letters.models import Delivery, DeliveryTally
from letters.pause_words import Cause
from letters.stoppages import Strain
from targets.models import Address, Suppression, Target

LEAST_REFUSED = 10  # refusals before a campaign is paused …
MOST_REFUSED = 0.20  # … and their share in what was tried meanwhile
LEAST_COMPLAINTS = 3
WARN_COMPLAINTS = 0.0008  # RELIABILITY P16
MOST_COMPLAINTS = 0.002
LEAST_UNREACHABLE = 3
MOST_UNREACHABLE = 0.05  # of a campaign's targets: suppressed or dead
BUCKET = timedelta(minutes=5)
LOOKED_BACK = timedelta(minutes=30)
KEPT_FOR = timedelta(hours=1)
TRUSTED_FOR = 5.0  # seconds for which a process trusts its list of what is in trouble


@dataclass
class _Watched:
    """What this process knows to be in trouble: whose yes counts too."""

    domains: set[str] = field(default_factory=set)
    campaigns: set[int] = field(default_factory=set)
    read_at: float = float("-inf")


_watched = _Watched()


@dataclass(frozen=True)
class Figures:
    """What a campaign's letters met with so far."""

    accepted: int
    complaints: int
    unreachable: int  # of the targets it wrote to, those whose address is dead or suppressed for good by now
    targets: int


def observe(tries: Iterable[Try], *, now: datetime) -> None:
    """Count what ended; let a domain rest, or pause a campaign, where it has become too much.

    Call it in the transaction that records the attempts. It costs nothing while all is well.
    """
    _look(now)
    telling = [
        one for one in tries
        if not isinstance(one.ending, Accepted) or one.domain in _watched.domains or one.campaign in _watched.campaigns
    ]  # fmt: skip
    if telling:
        _watched.domains |= domains.observe(telling, now=now)
        _observe_campaigns(telling, now)


def forget() -> None:
    """Let this process look anew at what is in trouble."""
    _watched.domains, _watched.campaigns, _watched.read_at = set(), set(), float("-inf")


def trip(*, campaign: Campaign, cause: str, evidence: Mapping[str, Any], now: datetime) -> bool:
    """Pause a campaign by the system, with its cause and evidence; False where it was paused already.

    `cause` is one of `pause_words.Cause`; `evidence` holds plain values without personal data, under the names that
    `pause_words` reads. Both stand on the board and in the audit, and those who may resume are told by mail.
    """
    with transaction.atomic():
        paused = publishing.pause(
            campaign=campaign, by=None, now=now, because=pause_words.words_of(cause, evidence).what, cause=cause,
            evidence=evidence,
        )  # fmt: skip
        if paused:
            alarms.raise_for(campaign=campaign, cause=cause, evidence=evidence, paused_at=now)
    return paused


def weigh(campaign: Campaign, *, now: datetime) -> bool:
    """Pause a campaign where complaints, or addresses that do not work, are too many; return whether it was paused.

    What a person knew when resuming it is no cause to pause it again.
    """
    if campaign.paused_at is not None:
        return False
    found = figures(campaign)
    complaints = found.complaints - int(campaign.seen.get("complaints", 0))
    if complaints >= LEAST_COMPLAINTS and complaints > MOST_COMPLAINTS * found.accepted:
        evidence = {"complaints": complaints, "accepted": found.accepted}
        return trip(campaign=campaign, cause=Cause.COMPLAINTS, evidence=evidence, now=now)
    unreachable = found.unreachable - int(campaign.seen.get("unreachable", 0))
    if unreachable >= LEAST_UNREACHABLE and unreachable > MOST_UNREACHABLE * found.targets:
        evidence = {"suppressed": unreachable, "targets": found.targets}
        return trip(campaign=campaign, cause=Cause.BOUNCES, evidence=evidence, now=now)
    return False


def room(campaign: Campaign) -> int:
    """Return how many more of a campaign's targets reports may make unreachable; the last of them pauses it.

    Beyond that it is as likely that somebody lies to us, so nothing final follows before a person has looked.
    """
    found = figures(campaign)
    most = max(LEAST_UNREACHABLE, int(MOST_UNREACHABLE * found.targets) + 1)
    return max(0, most + int(campaign.seen.get("unreachable", 0)) - found.unreachable)


def weigh_all(*, now: datetime) -> int:
    """Weigh every running campaign that has something left to send; return how many were paused."""
    left = DeliveryTally.objects.filter(state__in=[Delivery.State.QUEUED, Delivery.State.SENDING])
    ids = left.values("campaign").annotate(n=Sum("count")).filter(n__gt=0).values("campaign")
    rows = Campaign.objects.select_related("organisation").filter(pk__in=ids, paused_at=None)
    return sum(weigh(campaign, now=now) for campaign in rows.exclude(stage=Campaign.Stage.DRAFT).order_by("pk"))


def figures(campaign: Campaign) -> Figures:
    """Return what a campaign's letters met with so far."""
    sent = DeliveryTally.objects.filter(campaign=campaign, state=Delivery.State.SENT)
    complained = Q(feedback=Delivery.Feedback.COMPLAINED)
    sums = sent.aggregate(accepted=Sum("count"), complaints=Sum("count", filter=complained))
    suppressed = Suppression.objects.filter(until=None, address_hash=OuterRef("address_hash"))
    written_to = DeliveryTally.objects.filter(campaign=campaign, target=OuterRef("pk"))
    targets = Target.objects.filter(Exists(written_to))
    gone = Address.objects.filter(Q(status=Address.Status.DEAD) | Exists(suppressed)).values("pk")
    return Figures(
        accepted=sums["accepted"] or 0,
        complaints=sums["complaints"] or 0,
        unreachable=targets.filter(email__in=gone).count(),
        targets=targets.count(),
    )


def clear(campaign: Campaign) -> dict[str, int]:
    """Forget what was counted against a campaign, because a person resumes it; return the figures that person knows."""
    Strain.objects.filter(campaign=campaign).delete()
    found = figures(campaign)
    return {"complaints": found.complaints, "unreachable": found.unreachable}


def forget_counts(*, now: datetime) -> int:
    """Delete counts that no decision looks back to; return how many rows."""
    return Strain.objects.filter(began_at__lt=now - KEPT_FOR).delete()[0]


def _look(now: datetime) -> None:
    if time.monotonic() - _watched.read_at < TRUSTED_FOR:
        return
    recent = Strain.objects.filter(began_at__gt=now - LOOKED_BACK, refused__gt=0)
    _watched.campaigns = set(recent.values_list("campaign", flat=True))
    _watched.domains = domains.in_trouble(now=now)
    _watched.read_at = time.monotonic()


def _observe_campaigns(tries: Collection[Try], now: datetime) -> None:
    for campaign_id, words in {
        one.campaign: one.ending.words for one in tries if isinstance(one.ending, NotSent) and one.ending.hold
    }.items():
        campaign = Campaign.objects.select_related("organisation").get(pk=campaign_id)
        trip(campaign=campaign, cause=Cause.OUR_FAULT, evidence={"words": words[:200]}, now=now)
    accepted = Counter(one.campaign for one in tries if isinstance(one.ending, Accepted))
    refused: dict[int, list[Try]] = {}
    for one in tries:
        if isinstance(one.ending, Refused) and domains.kind_of(one.ending, attempts=one.attempts) is not Kind.NOTHING:
            refused.setdefault(one.campaign, []).append(one)
    _watched.campaigns |= refused.keys()
    rows = []
    for campaign_id in sorted(refused.keys() | (accepted.keys() & _watched.campaigns)):
        mine = refused.get(campaign_id, [])
        code, words = domains.said(mine[-1].ending) if mine else (0, "")
        domain = mine[-1].domain if mine else ""
        rows.append((campaign_id, accepted[campaign_id], len(mine), code, words, domain))
    if rows:
        _STRAIN(rows, began_at=_bucket(now), shard=tallies.shard())
    for campaign_id in sorted(refused):
        _weigh_refusals(campaign_id, now)


def _bucket(now: datetime) -> datetime:
    return now - timedelta(seconds=now.timestamp() % BUCKET.total_seconds())


def _weigh_refusals(campaign_id: int, now: datetime) -> None:
    """Pause a campaign of whose letters too many are refused."""
    recent = Strain.objects.filter(campaign=campaign_id, began_at__gt=now - LOOKED_BACK)
    sums = recent.aggregate(refused=Sum("refused"), accepted=Sum("accepted"))
    refused = sums["refused"] or 0
    tried = refused + (sums["accepted"] or 0)
    if refused < LEAST_REFUSED or refused <= MOST_REFUSED * tried:
        return
    rows = list(recent.filter(refused__gt=0).order_by("began_at", "pk"))
    evidence: dict[str, Any] = {"refused": refused, "tried": tried, "minutes": LOOKED_BACK.seconds // 60}
    if rows:
        evidence["words"] = f"{rows[-1].code or ''} {rows[-1].words}".strip()
        evidence["domain"] = rows[-1].domain if len({row.domain for row in rows}) == 1 else ""
    campaign = Campaign.objects.select_related("organisation").get(pk=campaign_id)
    trip(campaign=campaign, cause=Cause.REFUSED, evidence=evidence, now=now)


_STRAIN = Statement(
    """
    INSERT INTO letters_strain AS kept (campaign_id, began_at, shard, accepted, refused, code, words, domain)
    SELECT g_campaign, %(began_at)s, %(shard)s, g_accepted, g_refused, g_code, g_words, g_domain FROM {given} WHERE true
    ORDER BY g_campaign
    ON CONFLICT (campaign_id, began_at, shard) DO UPDATE SET
        accepted = kept.accepted + excluded.accepted, refused = kept.refused + excluded.refused,
        code = CASE WHEN excluded.refused > 0 THEN excluded.code ELSE kept.code END,
        words = CASE WHEN excluded.refused > 0 THEN excluded.words ELSE kept.words END,
        domain = CASE WHEN excluded.refused > 0 THEN excluded.domain ELSE kept.domain END
    """,
    g_campaign="bigint", g_accepted="int", g_refused="int", g_code="int", g_words="text", g_domain="text",
)  # fmt: skip

"""Who agreed that a partner may write to them: kept with the proof of their address, given out as a list, ended."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import audit
from accounts.models import User
from campaigns import partners
from campaigns.models import Partner
from letters import consents, supporters
from letters.models import Letter, Supporter
from letters.rights import Consent
from targets import suppressions

HEADING = ("name", "email", "partner", "words", "language", "given_at")  # the partner by the name that was read


def agree(supporter: Supporter, partner: Partner, *, words: str, now: datetime) -> bool:
    """Keep that a supporter, whose address is proved, agrees to a partner's line.

    False where it was in force already, and where the partner is gone or has other words by now.
    """
    with transaction.atomic():
        same = Partner.objects.select_for_update(of=("self",), no_key=True).select_related("campaign")
        current = same.filter(pk=partner.pk, consent_line=words).exclude(consent_line="").first()
        return current is not None and consents.give(
            supporter, consents.Purpose.PARTNER, words=words, language=current.campaign.default_language, now=now,
            partner=current,
        )  # fmt: skip


def in_force(rows: "QuerySet[Supporter]") -> "QuerySet[Consent]":
    """Return what these supporters agreed to towards partners, and have not withdrawn, by the partner's name."""
    found = Consent.objects.filter(supporter__in=rows, purpose=Consent.Purpose.PARTNER, withdrawn_at=None)
    return found.order_by("partner_name", "pk")


def withdraw(rows: "QuerySet[Supporter]", number: str, *, now: datetime) -> bool:
    """Withdraw one of these supporters' consents towards a partner; False where it is none of theirs, or ended."""
    if not number.isdecimal():
        return False
    return in_force(rows).filter(pk=int(number)).update(withdrawn_at=now) == 1


def people(partner: Partner, *, now: datetime) -> "QuerySet[Consent]":
    """Return the consents by which a partner may write to somebody now.

    Withdrawn and erased ones are none of them, nor those of addresses that must not be written to, nor those of
    whoever took all their letters back.
    """
    confirmed = Letter.objects.filter(supporter=OuterRef("supporter"), stage=Letter.Stage.CONFIRMED)
    suppressed = suppressions.in_force(now).filter(address_hash=OuterRef("supporter__address_hash"))
    found = partner.consents.filter(Exists(confirmed), ~Exists(suppressed), withdrawn_at=None)
    return found.exclude(supporter__sealed=b"")


def hand_out(partner: Partner, *, by: User, now: datetime) -> Sequence[Sequence[str]]:
    """Return them as a table, its heading first; who took how many addresses is written down before."""
    found = list(people(partner, now=now).select_related("supporter__campaign").order_by("given_at", "pk"))
    campaign = partner.campaign
    audit.record(
        organisation=campaign.organisation, by=by, deed="took a partner's list", people=len(found),
        subject=f"{campaign.slug}/{partner.slug}",
    )  # fmt: skip
    return [HEADING, *(_row(consent) for consent in found)]


@transaction.atomic
def remove_partner(*, partner: Partner, by: User, now: datetime) -> None:
    """Take a partner's pages off the list; what people agreed to ends with it, and stays as proof with its name."""
    locked = Partner.objects.select_for_update().get(pk=partner.pk)
    locked.consents.filter(withdrawn_at=None).update(withdrawn_at=now)
    partners.remove_partner(partner=partner, by=by)


def _row(consent: Consent) -> Sequence[str]:
    person = supporters.person(consent.supporter)
    read = (consent.partner_name, consent.words, consent.language)
    return (person["name"], person["email"], *read, consent.given_at.isoformat())

"""What supporters agree to, in which words and when; withdrawing is as easy as giving (UX R8)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.models import Organisation
from campaigns.models import Campaign, Partner
from letters.models import Supporter
from letters.rights import Consent

Purpose = Consent.Purpose


@dataclass(frozen=True)
class Standing:
    """Whether an organisation may write to somebody about what happens, and one of their campaigns to ask it for."""

    organisation: Organisation
    wants_news: bool
    campaign: Campaign


def give(
    supporter: Supporter, purpose: str, *, words: str, language: str, now: datetime, partner: Partner | None = None
) -> bool:
    """Keep a consent with the words that were shown; False where it was in force already.

    A partner's goes through `letters.agreed`, which sees that the words are still that partner's.
    """
    try:
        with transaction.atomic():
            Consent.objects.create(
                supporter=supporter, purpose=purpose, words=words[:300], language=language, given_at=now,
                partner=partner, partner_name=partner.name if partner is not None else "",
            )  # fmt: skip
    except IntegrityError:
        return False
    if purpose == Purpose.NEWS:
        supporter.wants_news_at = now
        supporter.save(update_fields=["wants_news_at"])
    return True


def withdraw(rows: "QuerySet[Supporter]", purpose: str, *, now: datetime) -> int:
    """Withdraw a consent of these supporters; what was agreed to and when stays as proof. Return how many."""
    with transaction.atomic():
        ids = list(rows.values_list("pk", flat=True))
        if purpose == Purpose.NEWS:
            Supporter.objects.filter(pk__in=ids).update(wants_news_at=None)
        return Consent.objects.filter(supporter__in=ids, purpose=purpose, withdrawn_at=None).update(withdrawn_at=now)


def stop_mail(supporter: Supporter, *, now: datetime) -> None:
    """Send a supporter nothing more about their campaign: no news, nothing once, no answers; no partner may write."""
    with transaction.atomic():
        for purpose in Purpose:
            withdraw(Supporter.objects.filter(pk=supporter.pk), purpose, now=now)
        supporter.letters.filter(passes_replies=True).update(passes_replies=False)


def are_in_force(supporter: Supporter) -> bool:
    """Return whether a supporter may still be sent anything about their campaign that `stop_mail` would stop."""
    agreed = Consent.objects.filter(supporter=supporter, withdrawn_at=None)
    return agreed.exists() or supporter.letters.filter(passes_replies=True).exists()


def by_organisation(rows: "QuerySet[Supporter]") -> list[Standing]:
    """Return for each organisation that these supporters wrote with whether it may tell them what happens."""
    found: dict[int, Standing] = {}
    for supporter in rows.select_related("campaign__organisation").order_by("campaign__organisation__name", "pk"):
        organisation = supporter.campaign.organisation
        before = found.get(organisation.pk)
        wants = supporter.wants_news_at is not None or (before is not None and before.wants_news)
        found[organisation.pk] = Standing(organisation, wants, supporter.campaign)
    return list(found.values())

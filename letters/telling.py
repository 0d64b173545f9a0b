"""Telling once: people who wanted to hear how a campaign goes on, told by one mail, and then forgotten."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import audit
from accounts.models import User
from campaigns.models import Campaign
from letters import consents, notices
from letters.models import Notice, Supporter
from letters.rights import Consent, Telling

WORDS_LIMIT = 2000


def who_asked(campaign: Campaign) -> "QuerySet[Supporter]":
    """Return those who proved their address and want to be told once."""
    wish = Consent.objects.filter(supporter=OuterRef("pk"), purpose=Consent.Purpose.ONCE, withdrawn_at=None)
    return Supporter.objects.filter(Exists(wish), campaign=campaign).exclude(sealed=b"")


def wish(notice: Notice, *, words: str, now: datetime) -> bool:
    """Keep the wish that a mail's link confirms; False where it was kept before."""
    with transaction.atomic():
        supporter = notice.supporter
        supporter.proven_at = now
        supporter.save(update_fields=["proven_at"])
        notices.mark_used(notice, now=now)
        return consents.give(
            supporter, Consent.Purpose.ONCE, words=words, language=notice.language, now=now
        )


def tell(*, campaign: Campaign, by: User, words: str, now: datetime) -> Telling:
    """Queue one mail to everybody who asked; their wish is fulfilled by it. Doing it twice writes to nobody twice."""
    with transaction.atomic():
        asked = list(who_asked(campaign).select_related("campaign").select_for_update(of=("self",)))
        telling = Telling.objects.create(campaign=campaign, words=words[:WORDS_LIMIT], by=str(by)[:120], at=now)
        telling.people = notices.tell(telling, asked, now=now)
        telling.save(update_fields=["people"])
        ids = [supporter.pk for supporter in asked]
        consents.withdraw(Supporter.objects.filter(pk__in=ids), Consent.Purpose.ONCE, now=now)
        audit.record(
            organisation=campaign.organisation, by=by, deed="told those who asked", subject=campaign.slug,
            people=telling.people,
        )  # fmt: skip
    return telling

"""Who writes: known by the hash of an address, in each campaign anew."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from letters import privacy
from letters.composing import Content
from letters.models import Letter, Supporter
from targets import suppressions

PROOF_LASTS_FOR = timedelta(hours=2)


def of(letter: Letter, content: Content) -> Supporter:
    """Return the supporter whose address a letter names, in its campaign; made now where there is none."""
    hashed = suppressions.address_hash(content.email)
    supporter = Supporter.objects.filter(campaign=letter.campaign, address_hash=hashed).first()
    if supporter is not None:
        return supporter
    fresh = Supporter(campaign=letter.campaign, address_hash=hashed, language=letter.language)
    fresh.sealed = privacy.seal(
        letter.campaign, table="supporter", row=bytes(fresh.key), values={"name": content.name, "email": content.email}
    )
    try:
        with transaction.atomic():
            fresh.save()
    except IntegrityError:  # the same person sent two letters at once
        return Supporter.objects.get(campaign=letter.campaign, address_hash=hashed)
    return fresh


def has_just_proved(letter: Letter, supporter: Supporter, *, now: datetime) -> bool:
    """Return whether whoever writes this letter has confirmed this very address a short while ago."""
    return (
        letter.proven
        and letter.supporter_id == supporter.pk
        and supporter.proven_at is not None
        and now - supporter.proven_at <= PROOF_LASTS_FOR
    )

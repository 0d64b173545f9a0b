"""Who writes: known by the hash of an address, in each campaign anew."""

import hashlib
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
        if not supporter.sealed:  # forgotten meanwhile
            keep(supporter, content)
            supporter.save(update_fields=["sealed"])
        return supporter
    fresh = Supporter(campaign=letter.campaign, address_hash=hashed, language=letter.language)
    keep(fresh, content)
    try:
        with transaction.atomic():
            fresh.save()
    except IntegrityError:  # the same person sent two letters at once
        return Supporter.objects.get(campaign=letter.campaign, address_hash=hashed)
    return fresh


def address_of(supporter: Supporter) -> str:
    """Return the e-mail address this supporter is known by; "" once it is forgotten.

    It is written when the supporter is made and when a letter is confirmed, always under the same hash: editing a
    letter cannot turn a supporter's mail to somebody else.
    """
    if not supporter.sealed:
        return ""
    values = privacy.unseal(
        supporter.campaign, table="supporter", row=bytes(supporter.key), sealed=bytes(supporter.sealed)
    )
    return values["email"]


def keep(supporter: Supporter, content: Content) -> None:
    """Keep who a supporter is, as a letter says; raises ValueError where the letter names another address."""
    if suppressions.address_hash(content.email) != bytes(supporter.address_hash):
        raise ValueError("This letter belongs to another address.")
    supporter.sealed = privacy.seal(
        supporter.campaign,
        table="supporter",
        row=bytes(supporter.key),
        values={"name": content.name, "email": content.email, "town": content.town, "country": content.country},
    )


def has_just_proved(letter: Letter, supporter: Supporter, *, now: datetime) -> bool:
    """Return whether whoever writes this letter has confirmed this very address a short while ago."""
    return (
        letter.proven
        and letter.supporter_id == supporter.pk
        and supporter.proven_at is not None
        and now - supporter.proven_at <= PROOF_LASTS_FOR
    )


def consent_to_news(letter: Letter, *, words: str, now: datetime) -> None:
    """Keep the supporter's wish to hear what happens, with the hash of the words they agreed to."""
    if letter.supporter is not None:
        letter.supporter.wants_news_at = now
        letter.supporter.news_words_hash = hashlib.sha256(words.encode()).digest()
        letter.supporter.save(update_fields=["wants_news_at", "news_words_hash"])

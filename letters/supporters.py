"""Who writes: known by the hash of an address, in each campaign anew."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from campaigns.models import Campaign
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
    return person(supporter).get("email", "")


def person(supporter: Supporter) -> dict[str, str]:
    """Return name, e-mail, town and country as they are kept; empty once they are forgotten."""
    if not supporter.sealed:
        return {}
    return privacy.unseal(
        supporter.campaign, table="supporter", row=bytes(supporter.key), sealed=bytes(supporter.sealed)
    )


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
    return letter.proven and letter.supporter_id == supporter.pk and was_just_proved(supporter, now=now)


def was_just_proved(supporter: Supporter, *, now: datetime) -> bool:
    """Return whether this supporter's address was confirmed so short a while ago that a proof of it still counts."""
    return supporter.proven_at is not None and now - supporter.proven_at <= PROOF_LASTS_FOR


def by_hash(hashed: bytes) -> "QuerySet[Supporter]":
    """Return everybody that this address is known as, in whichever campaign."""
    return Supporter.objects.filter(address_hash=hashed, erased_at=None)


def waiting_for_proof(campaign: Campaign, email: str, *, language: str) -> Supporter:
    """Return the supporter of an address that wrote no letter yet; made now where there is none."""
    letter = Letter(campaign=campaign, language=language)
    return of(letter, Content(email=email))

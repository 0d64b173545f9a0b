"""Addresses that must not be written to."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from targets.addresses import normalise_email
from targets.models import Suppression


def address_hash(email: str) -> bytes:
    """Return the keyed hash (32 bytes) under which an e-mail address is known; spelling variants fold together."""
    return hmac.digest(settings.PEPPER, b"address\0" + normalise_email(email).encode(), hashlib.sha256)


def covers(hashed: bytes, *, now: datetime) -> bool:
    """Return whether this address must not be written to at the moment."""
    return (
        Suppression.objects.filter(address_hash=hashed).filter(Q(until__isnull=True) | Q(until__gt=now)).exists()
    )


def add(hashed: bytes, *, reason: str, source: str = "", until: datetime | None = None) -> Suppression:
    """Stop all mail to an address, for good or until a time."""
    return Suppression.objects.create(address_hash=hashed, reason=reason, source=source, until=until)

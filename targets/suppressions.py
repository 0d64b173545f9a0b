"""Addresses that must not be written to."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from targets.addresses import normalise_email
from targets.models import Suppression


def address_hash(email: str) -> bytes:
    """Return the keyed hash (32 bytes) under which an e-mail address is known; spelling variants fold together."""
    return hmac.digest(settings.PEPPER, b"address\0" + normalise_email(email).encode(), hashlib.sha256)


def in_force(now: datetime) -> QuerySet[Suppression]:
    """Return the suppressions that count at this time."""
    return Suppression.objects.filter(Q(until=None) | Q(until__gt=now))


def covers(hashed: bytes, *, now: datetime) -> bool:
    """Return whether this address must not be written to at the moment."""
    return in_force(now).filter(address_hash=hashed).exists()


def add(hashed: bytes, *, reason: str, source: str = "", until: datetime | None = None) -> Suppression:
    """Stop all mail to an address, for good or until a time."""
    return Suppression.objects.create(address_hash=hashed, reason=reason, source=source, until=until)

"""Identifiers that may stand in a URL: random, 128 bit, unguessable."""

import secrets


def new_public_id() -> str:
    """Return 22 URL-safe characters holding 128 random bits (ASVS 11.5.1: a UUID would hold only 122)."""
    return secrets.token_urlsafe(16)

"""Encryption of what supporters write: a key for each campaign, wrapped by the master key."""

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from campaigns.models import Campaign

NONCE_BYTES = 12  # 96 bits, random for each sealing


class Unreadable(Exception):
    """What was sealed cannot be opened: another master key, or bytes that were changed or moved."""

    code = "unreadable"
    sentence = "This text cannot be read with the master key in use."


def new_wrapped_key() -> bytes:
    """Return a fresh campaign key, wrapped: nonce + AES-256-GCM(master key, key)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(settings.MASTER_KEY).encrypt(nonce, AESGCM.generate_key(256), b"campaign key")


@lru_cache(maxsize=256)
def _cipher(wrapped: bytes) -> AESGCM:
    try:
        key = AESGCM(settings.MASTER_KEY).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], b"campaign key")
    except InvalidTag as error:
        raise Unreadable from error
    return AESGCM(key)


def seal(campaign: Campaign, *, table: str, row: bytes, values: Mapping[str, str]) -> bytes:
    """Encrypt `values` for one row. The bytes open only for the same campaign, table and row.

    `row` is the row's random key, known before it is saved.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":")).encode()
    return nonce + _cipher(bytes(campaign.wrapped_key)).encrypt(nonce, plain, _bound(campaign, table, row))


def unseal(campaign: Campaign, *, table: str, row: bytes, sealed: bytes) -> dict[str, str]:
    """Return what `seal` took; raises Unreadable where the bytes belong elsewhere or were changed."""
    sealed = bytes(sealed)
    try:
        plain = _cipher(bytes(campaign.wrapped_key)).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(campaign, table, bytes(row))
        )
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error
    return {str(name): str(value) for name, value in json.loads(plain).items()}


def seal_apart(*, table: str, row: bytes, values: Mapping[str, str]) -> bytes:
    """Encrypt `values` for one row that belongs to no campaign, under the master key itself."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":")).encode()
    return nonce + AESGCM(settings.MASTER_KEY).encrypt(nonce, plain, b"\0".join((b"apart", table.encode(), row)))


def unseal_apart(*, table: str, row: bytes, sealed: bytes) -> dict[str, str]:
    """Return what `seal_apart` took; raises Unreadable where the bytes belong elsewhere or were changed."""
    bound = b"\0".join((b"apart", table.encode(), row))
    try:
        plain = AESGCM(settings.MASTER_KEY).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error
    return {str(name): str(value) for name, value in json.loads(plain).items()}


def _bound(campaign: Campaign, table: str, row: bytes) -> bytes:
    return b"\0".join((str(campaign.pk).encode(), table.encode(), bytes(row)))

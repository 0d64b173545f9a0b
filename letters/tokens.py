"""Tokens that stand in supporters' URLs: nothing usable is kept in the database.

A token is 16 random bytes that name a row, and 16 bytes of HMAC over them and the token's purpose. A copy of the
database alone opens no page, and a token for one purpose is none for another.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

DRAFT = "draft"  # write, check, wait for the mail
PROVEN = "proven"  # the same, by somebody who has just confirmed the address
STATUS = "status"  # where the letter is
CONFIRM = "confirm"  # the link in the confirmation mail
ONCE = "once"  # the link by which somebody says that they want to be told once
MY_DATA = "my data"  # the link to what is kept about an address: used once, by a button …
MY_OWN = "my own"  # … and what that button opens, for a while
STOP = "stop"  # no more mail to a supporter about their campaign
CODE_DIGITS = 6
_KEY_BYTES = _MAC_BYTES = 16
_DRAWN_MAC = 11  # bytes
_LENGTH = 43  # of 32 bytes in base64, without padding


def make(purpose: str, key: bytes) -> str:
    """Return the URL-safe token (43 characters) of the row with this key."""
    return base64.urlsafe_b64encode(bytes(key) + _mac(purpose, bytes(key))).decode().rstrip("=")


def read(purpose: str, token: str) -> bytes | None:
    """Return the row's key, or None for anything that is not exactly a token of this purpose.

    What mail programs add is forgiven: `=3D`, a full stop or `>` at the end (RELIABILITY B73).
    """
    text = token.rstrip(".>=")
    if len(text) > _LENGTH:  # a token may itself begin with these two
        text = text.removeprefix("3D")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    key, mac = raw[:_KEY_BYTES], raw[_KEY_BYTES:]
    # Compared also where the length is wrong, so that time tells nothing.
    same = hmac.compare_digest(mac, _mac(purpose, key))
    # The last character has room for two bits that say nothing: only the spelling we gave counts.
    return key if same and len(raw) == _KEY_BYTES + _MAC_BYTES and text == make(purpose, key) else None


def code(nonce: bytes) -> str:
    """Return the six digits that belong to a supporter's current nonce."""
    number = int.from_bytes(hmac.digest(_secret(), b"code\0" + bytes(nonce), hashlib.sha256)[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def reference(delivery_id: int) -> str:
    """Return the public name of a delivery: its number and a MAC, for Message-ID, headers and return paths."""
    mac = hmac.digest(_secret(), b"delivery\0" + str(delivery_id).encode(), hashlib.sha256)[:_MAC_BYTES]
    return f"{delivery_id:x}-{mac.hex()}"


def read_reference(text: str) -> int | None:
    """Return the delivery's id, or None where the reference is forged or cut."""
    number, _, _ = text.partition("-")
    try:
        delivery_id = int(number, 16)
    except ValueError:
        return None
    return delivery_id if hmac.compare_digest(reference(delivery_id).encode(), text.encode()) else None


@dataclass(frozen=True)
class Drawn:
    """Which wording a page showed, which of its variants, and when (seconds since 1970)."""

    template_id: int
    draw: int
    at: int


def drawn(template_id: int, draw: int, *, now: datetime) -> str:
    """Return what stands for a wording and the variants drawn of it, in a page that shows a letter not yet begun.

    It is short enough (38 characters) not to be taken for something typed where a form is given back.
    """
    said = template_id.to_bytes(5) + draw.to_bytes(8) + int(now.timestamp()).to_bytes(4)
    return base64.urlsafe_b64encode(said + _mac("drawn", said)[:_DRAWN_MAC]).decode().rstrip("=")


def read_drawn(text: str) -> Drawn | None:
    """Return what such a text says; None where it is forged or cut."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    said, mac = raw[:-_DRAWN_MAC], raw[-_DRAWN_MAC:]
    if len(said) != 17 or not hmac.compare_digest(mac, _mac("drawn", said)[:_DRAWN_MAC]):
        return None
    return Drawn(int.from_bytes(said[:5]), int.from_bytes(said[5:13]), int.from_bytes(said[13:]))


def _mac(purpose: str, key: bytes) -> bytes:
    return hmac.digest(_secret(), purpose.encode() + b"\0" + key, hashlib.sha256)[:_MAC_BYTES]


def _secret() -> bytes:
    return b"tokens\0" + settings.SECRET_KEY.encode()

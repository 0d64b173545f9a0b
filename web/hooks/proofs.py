"""How whoever posts to a hook proves who they are, and when: what Anymail leaves to its user."""

import base64
import binascii
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

SIGNED_WITHIN = timedelta(minutes=15)


class Forged(Exception):
    """No secret, a wrong one, a wrong signature. With `asks`, the answer asks for name and password."""

    code = "forged"

    def __init__(self, *, asks: bool = False) -> None:
        self.asks = asks
        super().__init__()


class Stale(Exception):
    """Rightly signed, but too long ago: whoever copied it may be sending it again."""

    code = "stale"


def one_authorization(request: HttpRequest) -> None:
    """Raise Forged for several Authorization headers, which servers in front of us may read differently."""
    if "," in request.headers.get("Authorization", ""):
        raise Forged


def svix(request: HttpRequest, key: str) -> None:
    """Check the signature that Resend sends (https://docs.svix.com/receiving/verifying-payloads/how-manual)."""
    try:
        secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise Forged from error
    signed = f"{request.headers.get('svix-id', '')}.{request.headers.get('svix-timestamp', '')}.".encode()
    expected = base64.b64encode(hmac.digest(secret, signed + request.body, sha256)).decode()
    given = request.headers.get("svix-signature", "").split()[:10]
    # One after the other, each in constant time: how many there are is no secret.
    if not any(hmac.compare_digest(f"v1,{expected}".encode(), one.encode()) for one in given):
        raise Forged


def is_key_of_svix(key: str) -> bool:
    """Return whether a key is one that signatures can be checked with."""
    try:
        return len(base64.b64decode(key.removeprefix("whsec_"), validate=True)) >= 16
    except (binascii.Error, ValueError):
        return False


def fresh(esp: str, request: HttpRequest, *, now: datetime) -> None:
    """Raise Stale where the provider signs a time and it is further than 15 minutes from now.

    Call it after the signature has been checked: before that the time may be anybody's.
    """
    signed = _SIGNED_AT.get(esp)
    if signed is None:
        return
    at = signed(request)
    if at is not None and abs(now - at) > SIGNED_WITHIN:
        raise Stale


def _mailgun(request: HttpRequest) -> datetime | None:
    if request.content_type == "application/json":
        return _from_epoch(json.loads(request.body)["signature"]["timestamp"])
    return _from_epoch(request.POST["timestamp"])


def _sendgrid(request: HttpRequest) -> datetime | None:
    given = request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp")
    return _from_epoch(given) if given is not None else None


def _resend(request: HttpRequest) -> datetime | None:
    given = request.headers.get("svix-timestamp")
    return _from_epoch(given) if given is not None else None


def _amazon(request: HttpRequest) -> datetime | None:
    at = parse_datetime(str(json.loads(request.body)["Timestamp"]))
    if at is None or at.tzinfo is None:
        raise Stale
    return at


def _from_epoch(text: object) -> datetime:
    try:
        return datetime.fromtimestamp(float(str(text)[:20]), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Stale from error


_SIGNED_AT = {"mailgun": _mailgun, "sendgrid": _sendgrid, "resend": _resend, "amazon-ses": _amazon}

"""Amazon's SNS: its signature, whose certificate comes from Amazon alone, and the subscription that wants a visit.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate
from django.http import HttpRequest

from web.hooks.proofs import Forged

_HOST = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?")
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")  # no blank, no backslash, ASCII: read alike by everybody
_PATIENCE = (5.0, 10.0)  # seconds to connect, and between two pieces
_MOST_BYTES = 65_536
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  as Amazon signs


class Unreachable(Exception):
    """Whoever keeps what we are told of does not answer; it will be told again."""

    code = "unreachable"


def proved(request: HttpRequest) -> Mapping[str, Any]:
    """Return the notification, rightly signed by Amazon. Raises Forged, Unreachable."""
    try:
        said = json.loads(request.body)
        fields = _SIGNED[said["Type"]]
        algorithm = _HASHES[str(said.get("SignatureVersion", "1"))]
        signature = base64.b64decode(said["Signature"], validate=True)
        text = "".join(f"{name}\n{said[name]}\n" for name in fields if said.get(name) is not None or name != "Subject")
        address = str(said["SigningCertURL"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise Forged from error
    try:
        _key(address).verify(signature, text.encode(), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, UnicodeEncodeError) as error:
        raise Forged from error
    return dict(said)


def subscribe(said: Mapping[str, Any]) -> None:
    """Visit the address that confirms a subscription, at Amazon alone. Raises Forged, Unreachable."""
    fetch(of_amazon(str(said.get("SubscribeURL", ""))))


def of_amazon(address: str) -> str:
    """Return an address if it is one of SNS, put together anew: https, its own host, the usual port. Raises Forged."""
    try:
        parts = urlsplit(address)
        is_plain = parts.username is None and parts.password is None and parts.port in {None, 443}
    except ValueError as error:
        raise Forged from error
    host = parts.hostname or ""
    if parts.scheme != "https" or not is_plain or not _HOST.fullmatch(host) or not _PLAIN.fullmatch(address):
        raise Forged
    return urlunsplit(("https", host, parts.path, parts.query, ""))


def fetch(address: str) -> bytes:
    """Return what stands at an address of Amazon's, at most 64 kB. Raises Unreachable."""
    try:
        with requests.get(address, timeout=_PATIENCE, stream=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                raise Unreachable
            return bytes(answer.raw.read(_MOST_BYTES, decode_content=True))
    except (requests.RequestException, OSError) as error:
        raise Unreachable from error


@lru_cache(maxsize=16)
def _key(address: str) -> rsa.RSAPublicKey:
    """Return the public key of the certificate at an address; fetched once in a process."""
    if not urlsplit(of_amazon(address)).path.endswith(".pem"):
        raise Forged
    try:
        key = load_pem_x509_certificate(fetch(address)).public_key()
    except ValueError as error:
        raise Forged from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise Forged
    return key

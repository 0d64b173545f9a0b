"""How often one network may do what costs somebody else something. Nothing of it is stored.

A network is an HMAC of the address's /24 or /48 under a key that changes each day and that no file holds in clear:
the count tells how often, never who (RELIABILITY §10). Many people behind one address share a bucket, so the limit
is generous, and what it stops is kept: the letter is safe on its page.
"""

import hashlib
import hmac
import ipaddress
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

MOST_SENT = 60  # letters sent for confirmation, by one network …
MOST_BEGUN = 300  # drafts, of which each takes a row for a day
WINDOW = 600  # … in this many seconds


def must_wait(request: HttpRequest, *, deed: str, now: datetime, most: int = MOST_SENT) -> int:
    """Count one deed of this request's network; return the seconds it must wait, 0 where it may go on."""
    if settings.REHEARSAL:  # simulated supporters all live at one address
        return 0
    number = int(now.timestamp()) // WINDOW
    key = f"{deed}:{number}:{_network(request, now)}"
    count = int(cache.get(key, 0)) + 1  # two at once may count as one: a limit of this kind may be off by a few
    cache.set(key, count, timeout=WINDOW)
    return WINDOW - int(now.timestamp()) % WINDOW if count > most else 0


def _network(request: HttpRequest, now: datetime) -> str:
    said = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER is not None:  # behind our own proxy: the hop it saw comes last
        said = str(request.META.get("HTTP_X_FORWARDED_FOR", said)).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return "unknown"
    bits = 24 if address.version == 4 else 48
    network = ipaddress.ip_network((address, bits), strict=False)
    salt = f"network {now:%Y-%m-%d}".encode() + settings.SECRET_KEY.encode()
    return hmac.digest(salt, str(network).encode(), hashlib.sha256).hex()[:24]

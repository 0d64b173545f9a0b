"""Nine ways to forge what a provider tells (RELIABILITY F21), for any provider; each names the status it must get."""

import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.web.hooks import senders
from tests.web.hooks.senders import Post, Told, post

REFUSED = frozenset({400, 401})
_SIGNATURES = {
    "mailersend": "Signature", "mailtrap": "Mailtrap-Signature", "mandrill": "X-Mandrill-Signature",
    "postal": "X-Postal-Signature", "resend": "svix-signature", "sendgrid": "X-Twilio-Email-Event-Webhook-Signature",
}  # fmt: skip


@dataclass(frozen=True)
class Forgery:
    """How to forge, for which providers, and what must be answered."""

    make: Callable[[str, str, random.Random], Post]
    esps: tuple[str, ...]
    statuses: frozenset[int]


def _true(esp: str, reference: str) -> Post:
    return post(esp, [Told("bounced", reference)])


def _without_secret(esp: str, reference: str, _drawn: random.Random) -> Post:
    return _true(esp, reference).but(Authorization=None)


def _wrong_secret(esp: str, reference: str, drawn: random.Random) -> Post:
    wrong = drawn.choice(
        [senders.basic("hooks:wrong"), "Basic", "Basic !!!", "Bearer x", senders.basic("") + ", " + senders.basic(),
         senders.basic() + "," + senders.basic(), "Digest username=hooks", senders.basic(senders.SECRET[:-1]), "\xff"]
    )  # fmt: skip
    return _true(esp, reference).but(Authorization=wrong)


def _wrong_signature(esp: str, reference: str, drawn: random.Random) -> Post:
    request = _true(esp, reference)
    if esp in _SIGNATURES:
        wrong = drawn.choice([None, "", "0" * 64, "AAAA", "é", request.headers[_SIGNATURES[esp]][:-6] + "AAAAAA"])
        return request.but(**{_SIGNATURES[esp].replace("-", "_"): wrong})
    said = json.loads(request.body)
    if esp == "amazon-ses":
        said["Signature"] = drawn.choice(["", "AAAA", None, 5, "A" * 344, said["Signature"][::-1]])
    elif esp == "mailgun":
        said["signature"] = drawn.choice([
            None, {}, {**said["signature"], "signature": "0" * 64}, {**said["signature"], "token": "other"}, "x", [],
        ])  # fmt: skip
    else:
        said["auth"] = drawn.choice(["", "0" * 32, None, [], "é"])
    return request.but(json.dumps(said).encode())


def _other_body(esp: str, reference: str, drawn: random.Random) -> Post:
    """Keep a true signature and change what it is about."""
    request = post(esp, [Told("bounced", "1-" + "0" * 32)])
    if esp == "mailgun":  # which signs no body: only another's signature can be tried
        said = json.loads(_true(esp, reference).body)
        said["signature"]["timestamp"] = str(int(said["signature"]["timestamp"]) + drawn.randint(1, 500))
        return request.but(json.dumps(said).encode())
    changed = request.body.replace(b"1-" + b"0" * 32, reference.encode())
    assert changed != request.body
    return request.but(changed)


def _stale(esp: str, reference: str, drawn: random.Random) -> Post:
    told = Told("bounced", reference)
    return post(esp, [told], signed_at=told.at + drawn.choice([-1, 1]) * drawn.uniform(901, 90_000))


def _unknown(esp: str, reference: str, drawn: random.Random) -> Post:
    number = drawn.getrandbits(drawn.choice([4, 40, 63]))
    forged = drawn.choice([f"{number:x}-{drawn.getrandbits(128):032x}", reference[:-1], f"{reference}0", "1", "-", "é"])
    return post(esp, [Told("bounced", forged)])


def _foreign(esp: str, reference: str, drawn: random.Random) -> Post:
    """Another installation's delivery of the same number."""
    number = reference.partition("-")[0]
    return post(esp, [Told("complained" if esp != "postal" else "bounced", f"{number}-{drawn.getrandbits(128):032x}")])


def _ten_megabytes(esp: str, reference: str, drawn: random.Random) -> Post:
    request = _true(esp, reference)
    return request.but(request.body + b" " * drawn.randint(10_000_000, 10_500_000))


def _gzip_bomb(esp: str, reference: str, drawn: random.Random) -> Post:
    return _true(esp, reference).but(_bomb(drawn.choice([11, 20, 40])), Content_Encoding="gzip")


@cache
def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(b" " * megabytes * 1_000_000) + packer.flush()
    assert len(bomb) < 100_000
    return bomb


_ALL = tuple(senders.ESPS)
_SIGNERS = tuple(senders.SIGNERS)
FORGERIES: Mapping[str, Forgery] = {
    "secret missing": Forgery(_without_secret, _ALL, REFUSED),
    "secret wrong": Forgery(_wrong_secret, _ALL, REFUSED),
    "signature wrong": Forgery(_wrong_signature, _SIGNERS, REFUSED),
    "body changed": Forgery(_other_body, _SIGNERS, REFUSED),
    "too old": Forgery(_stale, tuple(senders.TIMED), REFUSED),
    "unknown delivery": Forgery(_unknown, _ALL, frozenset({200})),
    "foreign delivery": Forgery(_foreign, _ALL, frozenset({200})),
    "ten megabytes": Forgery(_ten_megabytes, _ALL, frozenset({413})),
    "gzip bomb": Forgery(_gzip_bomb, _ALL, frozenset({413})),
}

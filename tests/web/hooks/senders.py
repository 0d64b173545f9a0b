"""What each provider posts to a hook, and how it signs: the shapes of their documentation, for any delivery.

An event is told in our words ("deferred", "delivered", "bounced", "complained"); a bounce is of a mailbox that does not
exist. Signatures are made with keys of this module, which the settings `KEYS` and `SECRET` open the hooks to.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

SECRET = "hooks:a-secret-of-the-tests-and-of-nobody-else"
KEY = "a-key-that-signs"
INBOUND_KEY = "a-key-that-signs-mail"
SVIX = "whsec_" + base64.b64encode(b"twenty-four bytes of it!").decode()
BASE_URL = "http://localhost:8000"
ADDRESS = "office@northland.example"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123.pem"


@dataclass(frozen=True)
class Told:
    """One event: of which delivery, what, and when. Without a reference only the provider's name for it is told."""

    kind: str
    reference: str
    name: str = "a-name-of-the-provider"
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Post:
    """One request to a hook."""

    path: str
    body: bytes
    headers: Mapping[str, str]

    def but(self, body: bytes | None = None, /, **headers: str | None) -> "Post":
        """Return this request with another body or other headers (None: without); `_` stands for the hyphen."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in named}
        more = {name: value for name, value in named.items() if value is not None}
        return replace(self, body=self.body if body is None else body, headers={**kept, **more})


def post(esp: str, events: Sequence[Told], *, signed_at: float | None = None) -> Post:
    """Return what a provider posts to tell these events, in one request where it can tell several in one."""
    return _MAKERS[esp](events, time.time() if signed_at is None else signed_at)


def keys() -> str:
    """Return HOOKS_KEYS for all providers that sign."""
    return " ".join(
        f"{name}={key}" for name, key in {
            "mailersend": KEY, "mailersend-inbound": INBOUND_KEY, "mailgun": KEY, "mailtrap": KEY, "mandrill": KEY,
            "mandrill-inbound": INBOUND_KEY, "mailtrap-inbound": INBOUND_KEY, "resend-inbound": SVIX,
            "postal": _public(_rsa()), "resend": SVIX,
            "sendgrid": _public(_elliptic()), "unisender-go": KEY,
        }.items()
    )  # fmt: skip


def basic(secret: str = SECRET) -> str:
    """Return the header that carries name and password."""
    return f"Basic {base64.b64encode(secret.encode()).decode()}"


@cache
def certificate() -> bytes:
    """Return the certificate under which our SNS signs."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.test")])
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_rsa().public_key())
        .serial_number(1).not_valid_before(datetime.now(UTC) - day).not_valid_after(datetime.now(UTC) + day)
        .sign(_rsa(), hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def notification(
    message: Any, *, at: float | None = None, kind: str = "Notification", what: str = "tracking", **more: str
) -> Post:
    """Return what SNS posts, signed."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, tz=UTC)
    said = {
        "Type": kind, "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-central-1:123:bounces",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL, **more,
    }  # fmt: skip
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if kind != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
    signature = _rsa().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    body = json.dumps({**said, "Signature": base64.b64encode(signature).decode()}).encode()
    return to_hook("amazon-ses", body, {
        "x-amz-sns-message-type": kind, "x-amz-sns-message-id": "m-1", "Content-Type": "text/plain; charset=UTF-8",
    }, what=what)  # fmt: skip


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a public key as providers show it: without the lines around it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    lines = key.public_key().public_bytes(serialization.Encoding.PEM, form).decode().strip().split("\n")
    return "".join(lines[1:-1])


def to_hook(esp: str, body: bytes, headers: Mapping[str, str] = {}, *, what: str = "tracking") -> Post:
    """Return a request that carries name and password."""
    common = {"Content-Type": "application/json", "Authorization": basic()}
    return Post(f"/hooks/{esp}/{what}/", body, {**common, **headers})


def _json(esp: str, document: Any, headers: Mapping[str, str] = {}) -> Post:
    return to_hook(esp, json.dumps(document).encode(), headers)


def _amazon(events: Sequence[Told], signed_at: float) -> Post:
    (told,) = events
    kinds = {"deferred": "DeliveryDelay", "delivered": "Delivery", "bounced": "Bounce", "complained": "Complaint"}
    kind = kinds[told.kind]
    addressed = [{"emailAddress": ADDRESS, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no"}]
    facts: dict[str, dict[str, Any]] = {
        "Bounce": {"bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": addressed}},
        "Complaint": {"complaint": {"complainedRecipients": addressed, "complaintFeedbackType": "abuse"}},
        "Delivery": {"delivery": {"recipients": [ADDRESS], "smtpResponse": "250 2.6.0 taken"}},
        "DeliveryDelay": {"deliveryDelay": {"delayType": "TransientCommunicationFailure"}},
    }  # fmt: skip
    named = [{"name": "X-Metadata", "value": json.dumps({"delivery": told.reference})}] if told.reference else []
    mail = {"messageId": told.name, "destination": [ADDRESS], "headers": named}
    return notification({"eventType": kind, "mail": mail, **facts[kind]}, at=signed_at)


def _brevo(events: Sequence[Told], _signed_at: float) -> Post:
    (told,) = events
    kinds = {"deferred": "deferred", "delivered": "delivered", "bounced": "hard_bounce", "complained": "spam"}
    named = {"X-Mailin-custom": json.dumps({"delivery": told.reference})} if told.reference else {}
    return _json("brevo", {
        "event": kinds[told.kind], "email": ADDRESS, "message-id": told.name, "ts_epoch": int(told.at * 1000),
        "reason": "550 mailbox unknown" if told.kind == "bounced" else "", **named,
    })  # fmt: skip


def _mailersend(events: Sequence[Told], _signed_at: float) -> Post:
    (told,) = events
    kinds = {"bounced": "hard_bounced", "complained": "spam_complaint"}
    kind = kinds.get(told.kind, told.kind)
    document = {
        "type": f"activity.{kind}",
        "data": {
            "type": kind, "created_at": datetime.fromtimestamp(told.at, tz=UTC).isoformat(),
            "email": {
                "message": {"id": told.name}, "recipient": {"email": ADDRESS},
                "tags": [told.reference] if told.reference else [],
            },
            "morph": {"object": "recipient_bounce", "reason": "no such user"} if told.kind == "bounced" else None,
        },
    }  # fmt: skip
    body = json.dumps(document).encode()
    return to_hook("mailersend", body, {"Signature": signature_of(KEY, body)})


def _mailgun(events: Sequence[Told], signed_at: float) -> Post:
    (told,) = events
    kinds = {"deferred": "failed", "delivered": "delivered", "bounced": "failed", "complained": "complained"}
    stamp, token = str(int(signed_at)), "a-token"
    document = {
        "signature": {"timestamp": stamp, "token": token, "signature": signature_of(KEY, f"{stamp}{token}".encode())},
        "event-data": {
            "event": kinds[told.kind], "severity": "temporary" if told.kind == "deferred" else "permanent",
            "timestamp": told.at, "recipient": ADDRESS, "message": {"headers": {"message-id": told.name}},
            "user-variables": {"delivery": told.reference} if told.reference else {},
            "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "no such user"}
            if told.kind == "bounced" else {},
        },
    }  # fmt: skip
    return _json("mailgun", document)


def _mailjet(events: Sequence[Told], _signed_at: float) -> Post:
    kinds = {"deferred": "bounce", "delivered": "sent", "bounced": "bounce", "complained": "spam"}
    errors: dict[str, dict[str, Any]] = {
        "deferred": {"error": "greylisted"}, "bounced": {"error": "user unknown", "hard_bounce": True},
    }  # fmt: skip
    return _json("mailjet", [
        {"event": kinds[told.kind], "time": int(told.at), "email": ADDRESS, "MessageID": told.name,
         "Payload": json.dumps({"delivery": told.reference}) if told.reference else "", **errors.get(told.kind, {})}
        for told in events
    ])  # fmt: skip


def _mailtrap(events: Sequence[Told], _signed_at: float) -> Post:
    kinds = {"deferred": "soft bounce", "delivered": "delivery", "bounced": "bounce", "complained": "spam"}
    document = {"events": [
        {"event": kinds[told.kind], "message_id": told.name, "email": ADDRESS, "timestamp": int(told.at),
         "event_id": "e", "custom_variables": {"delivery": told.reference} if told.reference else {},
         **({"bounce_category": "badmailbox", "response": "550 unknown"} if told.kind == "bounced" else {})}
        for told in events
    ]}  # fmt: skip
    body = json.dumps(document).encode()
    return to_hook("mailtrap", body, {"Mailtrap-Signature": signature_of(KEY, body)})


def _mandrill(events: Sequence[Told], _signed_at: float) -> Post:
    kinds = {"deferred": "deferral", "delivered": "delivered", "bounced": "hard_bounce", "complained": "spam"}
    listed = [
        {"event": kinds[told.kind], "_id": told.name, "ts": int(told.at),
         "msg": {"email": ADDRESS, "metadata": {"delivery": told.reference} if told.reference else {},
                 **({"bounce_description": "bad_mailbox", "diag": "550 unknown"} if told.kind == "bounced" else {})}}
        for told in events
    ]  # fmt: skip
    return signed_by_mandrill(listed)


def signed_by_mandrill(events: Any, *, what: str = "tracking") -> Post:
    """Return what Mandrill posts: a form whose address, with name and password in it, is signed too."""
    text = json.dumps(events)
    scheme, _, rest = BASE_URL.partition("://")
    signed = f"{scheme}://{SECRET}@{rest}/hooks/mandrill/{what}/mandrill_events{text}"
    key = KEY if what == "tracking" else INBOUND_KEY
    signature = base64.b64encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha1)).decode()
    return to_hook("mandrill", urlencode({"mandrill_events": text}).encode(), {
        "X-Mandrill-Signature": signature, "Content-Type": "application/x-www-form-urlencoded",
    }, what=what)  # fmt: skip


def _postal(events: Sequence[Told], _signed_at: float) -> Post:
    (told,) = events
    message = {"id": told.name, "tag": told.reference, "to": ADDRESS, "direction": "outgoing"}
    statuses = {"deferred": "SoftFail", "delivered": "Sent", "bounced": "HardFail"}
    payload: dict[str, Any] = {"message": message, "status": statuses.get(told.kind, ""), "output": "550 5.1.1 unknown"}
    if told.kind == "complained":
        payload = {"message": message}
    return signed_by_postal({"event": "MessageSent", "timestamp": told.at, "payload": payload, "uuid": "u"})


def signed_by_postal(document: Any, *, what: str = "tracking") -> Post:
    """Return what Postal posts, signed with its private key."""
    body = json.dumps(document).encode()
    signature = _rsa().sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  as Postal does
    return to_hook("postal", body, {"X-Postal-Signature": base64.b64encode(signature).decode()}, what=what)


def _postmark(events: Sequence[Told], _signed_at: float) -> Post:
    (told,) = events
    records = {"deferred": "Bounce", "delivered": "Delivery", "bounced": "Bounce", "complained": "SpamComplaint"}
    kinds = {"deferred": "Transient", "bounced": "HardBounce", "complained": "SpamComplaint"}
    at = datetime.fromtimestamp(told.at, tz=UTC).isoformat()
    return _json("postmark", {
        "RecordType": records[told.kind], "Type": kinds.get(told.kind, ""), "MessageID": told.name, "Email": ADDRESS,
        "Recipient": ADDRESS, "Details": "smtp;550 5.1.1 unknown" if told.kind == "bounced" else "", "ID": 42,
        "DeliveredAt" if told.kind == "delivered" else "BouncedAt": at,
        "Metadata": {"delivery": told.reference} if told.reference else {},
    })  # fmt: skip


def _resend(events: Sequence[Told], signed_at: float) -> Post:
    (told,) = events
    kinds = {"deferred": "delivery_delayed", "delivered": "delivered", "bounced": "bounced", "complained": "complained"}
    named = [{"name": "X-Metadata", "value": json.dumps({"delivery": told.reference})}] if told.reference else []
    bounce = {"bounce": {"message": "550 5.1.1 the mailbox does not exist", "type": "Permanent"}}
    document = {
        "type": f"email.{kinds[told.kind]}", "created_at": datetime.fromtimestamp(told.at, tz=UTC).isoformat(),
        "data": {
            "email_id": told.name, "to": [ADDRESS], "headers": named, **(bounce if told.kind == "bounced" else {}),
        },
    }  # fmt: skip
    return signed_by_resend(document, signed_at=signed_at)


def signed_by_resend(document: Any, *, signed_at: float, what: str = "tracking") -> Post:
    """Return what Resend posts, signed as Svix does it."""
    body, stamp = json.dumps(document).encode(), str(int(signed_at))
    secret = base64.b64decode(SVIX.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(secret, b"msg_1." + stamp.encode() + b"." + body, hashlib.sha256)).decode()
    return to_hook("resend", body, {
        "svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": f"v1,{'A' * 43}= v1,{signature}",
    }, what=what)  # fmt: skip


def _sendgrid(events: Sequence[Told], signed_at: float) -> Post:
    kinds = {"deferred": "deferred", "delivered": "delivered", "bounced": "bounce", "complained": "spamreport"}
    body = json.dumps([
        {"event": kinds[told.kind], "email": ADDRESS, "timestamp": int(told.at), "smtp-id": told.name,
         **({"delivery": told.reference} if told.reference else {}),
         **({"status": "5.1.1", "reason": "550 5.1.1 unknown", "type": "bounce"} if told.kind == "bounced" else {})}
        for told in events
    ]).encode()  # fmt: skip
    stamp = str(int(signed_at))
    signature = _elliptic().sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return to_hook("sendgrid", body, {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    })  # fmt: skip


def _sparkpost(events: Sequence[Told], _signed_at: float) -> Post:
    kinds = {"deferred": "delay", "delivered": "delivery", "bounced": "bounce", "complained": "spam_complaint"}
    return _json("sparkpost", [
        {"msys": {"message_event": {
            "type": kinds[told.kind], "timestamp": str(int(told.at)), "transmission_id": told.name,
            "rcpt_meta": {"delivery": told.reference} if told.reference else {},
            **({"bounce_class": "10", "raw_reason": "550 unknown"} if told.kind == "bounced" else {}),
        }}}
        for told in events
    ])  # fmt: skip


def _unisender(events: Sequence[Told], _signed_at: float) -> Post:
    kinds = {"deferred": "soft_bounced", "delivered": "delivered", "bounced": "hard_bounced", "complained": "spam"}
    listed = [
        {"event_name": "transactional_email_status", "event_data": {
            "job_id": told.name, "email": ADDRESS, "status": kinds[told.kind],
            "event_time": datetime.fromtimestamp(told.at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "metadata": {"delivery": told.reference} if told.reference else {},
            "delivery_info": {"delivery_status": "err_user_unknown", "destination_response": "550 unknown"}
            if told.kind == "bounced" else {},
        }}
        for told in events
    ]  # fmt: skip
    text = json.dumps({"auth": KEY, "events_by_user": [{"user_id": 1, "events": listed}]})
    return to_hook("unisender-go", text.replace(KEY, hashlib.md5(text.encode()).hexdigest()).encode())  # noqa: S324


def signature_of(key: str, body: bytes) -> str:
    """Return a body's HMAC as most providers write it."""
    return hmac.digest(key.encode(), body, hashlib.sha256).hex()


_MAKERS: Mapping[str, Callable[[Sequence[Told], float], Post]] = {
    "amazon-ses": _amazon, "brevo": _brevo, "mailersend": _mailersend, "mailgun": _mailgun, "mailjet": _mailjet,
    "mailtrap": _mailtrap, "mandrill": _mandrill, "postal": _postal, "postmark": _postmark, "resend": _resend,
    "sendgrid": _sendgrid, "sparkpost": _sparkpost, "unisender-go": _unisender,
}  # fmt: skip
ESPS = list(_MAKERS)
_QUICK = {"mailgun", "postmark"}  # one that signs, one that does not; the quick check leaves the others out


def each(cases: Sequence[Any]) -> list[Any]:
    """Return cases to parametrise with, each a provider or a tuple that ends with one."""
    return [
        pytest.param(*case, marks=[] if case[-1] in _QUICK else pytest.mark.slow)
        for case in (one if isinstance(one, tuple) else (one,) for one in cases)
    ]


BATCHES = ["mailjet", "mailtrap", "mandrill", "sendgrid", "sparkpost", "unisender-go"]  # which tell many at once
SIGNERS = [
    "amazon-ses", "mailersend", "mailgun", "mailtrap", "mandrill", "postal", "resend", "sendgrid", "unisender-go",
]  # fmt: skip
TIMED = ["amazon-ses", "mailgun", "resend", "sendgrid"]  # which sign a time
SILENT = {("postal", "complained")}  # what a provider cannot tell

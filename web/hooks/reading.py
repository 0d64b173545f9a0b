"""Anymail's events become ours: which delivery, what became of it, and whether its address exists at all.

Anymail says "bounced" alike for a mailbox that is full and for one that does not exist, so each provider's own words
are looked at too. What they mean stands in their documentation of webhooks.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any

from anymail.signals import EventType, RejectReason

from letters import reputation, tokens, tracking
from letters.arrivals import What
from letters.incoming import Mail
from letters.models import Delivery

Feedback = Delivery.Feedback
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
KEY = "delivery"  # under which our metadata carries the reference
_KINDS = {
    EventType.DEFERRED: Feedback.DEFERRED, EventType.DELIVERED: Feedback.DELIVERED,
    EventType.BOUNCED: Feedback.BOUNCED, EventType.REJECTED: Feedback.BOUNCED, EventType.FAILED: Feedback.BOUNCED,
    EventType.COMPLAINED: Feedback.COMPLAINED, EventType.UNSUBSCRIBED: Feedback.NONE,
}  # fmt: skip
_OTHERS = {
    EventType.OPENED: What.OPENED, EventType.CLICKED: What.OPENED, EventType.AUTORESPONDED: What.AUTOMATIC,
}  # fmt: skip
# Events that are younger than Anymail's tables.
_NAMES = {"amazon-ses": "eventType", "mailersend": "type"}
_NEWER = {
    ("amazon-ses", "DeliveryDelay"): Feedback.DEFERRED, ("mandrill", "delivered"): Feedback.DELIVERED,
    ("mailersend", "activity.deferred"): Feedback.DEFERRED,
}  # fmt: skip
_MOST_WORDS = 1000


def event(esp: str, told: Any) -> tracking.Event | What:
    """Return what an Anymail tracking event tells of a delivery, or how it is to be counted where it tells nothing."""
    raw = told.esp_event if isinstance(told.esp_event, Mapping) else {}
    kind = _KINDS.get(told.event_type, _NEWER.get((esp, _under(raw, _NAMES.get(esp, "event")))))
    if kind is None:
        return _OTHERS.get(told.event_type, What.UNTOLD)
    words = str(told.mta_response or told.description or "")[:_MOST_WORDS]
    status = _status(raw, words)
    if kind == Feedback.BOUNCED and _is_passing(esp, raw):
        kind = Feedback.DEFERRED
    unwanted = {RejectReason.UNSUBSCRIBED, RejectReason.SPAM}
    return tracking.Event(
        kind,
        reference=_reference(told),
        provider_name=str(told.message_id or "")[:255],
        at=_moment(told.timestamp),
        status=status,
        words=words or str(told.reject_reason or ""),
        is_bad_address=kind == Feedback.BOUNCED
        and (reputation.is_bad_address(status) or (not status.startswith("5") and _says_unknown(esp, raw))),
        is_unwanted=kind == Feedback.NONE or (kind == Feedback.BOUNCED and told.reject_reason in unwanted),
    )


def mail(esp: str, told: Any) -> Mail:
    """Return an Anymail inbound event as mail. Raises ValueError and others for what cannot be put into bytes."""
    message: EmailMessage = told.message
    sender = getattr(message, "envelope_sender", None)
    if sender is None:
        sender = message.get("Return-Path") or message.get("From") or "unknown"
    data = message.as_bytes(policy=policy.SMTP.clone(refold_source="none", max_line_length=None))
    return Mail(
        to=str(getattr(message, "envelope_recipient", None) or ""), sender=_bare(str(sender)), data=data, source=esp
    )


def _reference(told: Any) -> str:
    """Return the name we gave: in the metadata, as a tag, or in the Message-ID."""
    named: list[str] = []
    if isinstance(told.metadata, Mapping):
        named.append(str(told.metadata.get(KEY, "")))
    if isinstance(told.tags, list):
        named += [str(tag) for tag in told.tags[:20]]
    named.append(str(told.message_id or "").strip("<>").partition("@")[0])
    return next((name for name in named if len(name) < 80 and tokens.read_reference(name) is not None), "")


def _status(raw: Mapping[str, Any], words: str) -> str:
    """Return the RFC 3463 code that the provider names, or that stands in the server's words."""
    for name in ("status", "enhanced-code", "response_code"):
        found = STATUS.fullmatch(str(_under(raw, name) or ""))
        if found:
            return found[1]
    found = STATUS.search(words)
    return found[1] if found else ""


def _under(raw: Mapping[str, Any], name: str) -> Any:
    """Return a value by its name, wherever a provider keeps it: on top or one or two levels down."""
    waiting: list[tuple[Any, int]] = [(raw, 0)]
    for at, depth in waiting:
        if isinstance(at, Mapping):
            if name in at and not isinstance(at[name], Mapping | list):
                return at[name]
            if depth < 3 and len(waiting) < 60:
                waiting += [(below, depth + 1) for below in at.values() if isinstance(below, Mapping | list)]
        elif isinstance(at, list) and at:
            waiting.append((at[0], depth + 1))
    return None


def _is_passing(esp: str, raw: Mapping[str, Any]) -> bool:
    """Return whether a provider calls a bounce what is none: Amazon's Transient may be an answering machine."""
    if esp != "amazon-ses" or _under(raw, "bounceType") not in {"Transient", "Undetermined"}:
        return False
    return _under(raw, "bounceSubType") not in {
        "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected",
    }  # fmt: skip


def _says_unknown(esp: str, raw: Mapping[str, Any]) -> bool:
    """Return whether the provider says, in its own words, that the mailbox does not exist."""
    look = _UNKNOWN.get(esp)
    return look is not None and look(raw)


def _one_of(name: str, *values: object) -> Callable[[Mapping[str, Any]], bool]:
    return lambda raw: _under(raw, name) in values


_UNKNOWN: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "amazon-ses": _one_of("bounceSubType", "NoEmail"),
    "brevo": _one_of("event", "hard_bounce", "invalid_email"),
    "mailersend": _one_of("type", "activity.hard_bounced"),
    "mailjet": _one_of("error", "user unknown", "invalid domain", "no mail host"),
    "mailtrap": _one_of("bounce_category", "badmailbox", "bad_mailbox", "baddomain", "bad_domain", "invalid_recipient"),
    "mandrill": _one_of("bounce_description", "bad_mailbox", "invalid_domain"),
    "postmark": _one_of("Type", "HardBounce", "BadEmailAddress"),
    "sparkpost": _one_of("bounce_class", "10", "30"),
    "unisender-go": _one_of("delivery_status", "err_user_unknown", "err_user_inactive", "err_domain_inactive"),
}


def _moment(at: Any) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _bare(sender: str) -> str:
    """Return an envelope's sender without its brackets, and without the name that From has beside it."""
    inside = re.search(r"<([^<>]*)>", sender)
    return (inside[1] if inside else sender).strip()

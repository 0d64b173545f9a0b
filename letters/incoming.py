"""Mail that comes in, by our own listener or by a provider: what it is, and what follows. Nothing is ever answered.

Letters leave with the return path `return-<reference>@…` and, where their writer's address stays hidden, with
`reply-<reference>@…` to answer to. A reference carries a MAC, so an address that we did not make does not exist.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from letters import arrivals, mime, notices, replies, reports, reputation, tokens, tracking
from letters.arrivals import What
from letters.mime import Part
from letters.models import Delivery
from letters.reports import Kind, Told

RETURNS_FOR = timedelta(days=14)  # after the last attempt a bounce is believed
REPLIES_FOR = timedelta(days=90)  # … and an answer taken
MOST_BYTES = 10_000_000  # of one mail
Feedback = Delivery.Feedback
_KINDS = {
    Kind.BOUNCED: Feedback.BOUNCED, Kind.DEFERRED: Feedback.DEFERRED, Kind.DELIVERED: Feedback.DELIVERED,
    Kind.COMPLAINED: Feedback.COMPLAINED,
}  # fmt: skip
_REFERRED = re.compile(r"(return|reply)-([0-9a-f]{1,16}-[0-9a-f]{32})")
_OWN_NOTICE = re.compile(r"(?:notice|answer)-\d+-[0-9a-f]{12}|alarm-\d+")
_ADDRESS = re.compile(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+")
_WHERE_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "to", "cc")


class Door(StrEnum):
    """What an address of ours is for."""

    RETURN = "return"  # bounces of one letter
    REPLY = "reply"  # answers to one letter
    LETTER = "letter"  # what letters are from: answers that name the letter, bounces of servers that look there
    COMPLAINTS = "complaints"  # reports of mail providers about spam
    NOTICES = "notices"  # what mail to supporters is from: its bounces


_DOORS = {
    "letter": Door.LETTER, "complaints": Door.COMPLAINTS, "confirm": Door.NOTICES, "answers": Door.NOTICES,
    "organisers": Door.NOTICES,
}  # fmt: skip


@dataclass(frozen=True)
class Mail:
    """A mail as it came in. `sender` and `to` are the envelope's; `to` may be "" where a provider does not tell."""

    to: str
    sender: str
    data: bytes = field(repr=False)
    source: str = "mail"


@dataclass(frozen=True)
class Address:
    """An address of ours, read: what it is for, and for which delivery."""

    door: Door
    delivery: int | None = None


def read_address(address: str) -> Address | None:
    """Return what an address is for, or None where it is not one of ours or its reference is forged."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    if domain.rstrip(".") != settings.MAIL_DOMAIN.lower():
        return None
    if local in _DOORS:
        return Address(_DOORS[local])
    named = _REFERRED.fullmatch(local)
    delivery = tokens.read_reference(named[2]) if named else None
    return Address(Door(named[1]), delivery) if named and delivery is not None else None


def refusal(address: str, *, sender: str, now: datetime) -> str:
    """Return why mail from `sender` to this address is not taken, "" where it is: asked before the mail travels.

    What is forged, unknown and expired gets the same words, so that nobody learns which references existed.
    """
    read = read_address(address)
    unknown = "This address does not exist, or not any more."
    if read is None:
        return unknown
    if read.door is Door.NOTICES and sender:
        return "Nobody reads mail to this address. Please use the links in our mail."
    if read.delivery is not None and _delivery(read.delivery, read.door, now=now) is None:
        return unknown
    return ""


def count_refusal(address: str, *, source: str = "mail") -> None:
    """Count mail that was not taken: its reference was forged, or is too old, or there is none."""
    read = read_address(address)
    arrivals.count(source, What.EXPIRED if read is not None and read.delivery is not None else What.UNKNOWN)


def take(mail: Mail, *, now: datetime) -> What:
    """Take one mail and return what was made of it. Doing it twice is harmless. Raises tracking.Busy.

    Nothing leaves because of it but, to a supporter who knows that answers are passed on, what a target wrote.
    """
    what, is_counted = _take(mail, now=now)
    if not is_counted:
        arrivals.count(mail.source, what)
    return what


def _take(mail: Mail, *, now: datetime) -> tuple[What, bool]:
    """Return what was made of a mail, and whether that was counted already."""
    try:
        part = mime.read(mail.data)
    except mime.Unreadable:
        return What.MALFORMED, False
    if _is_own(part.header("message-id")):
        return What.LOOPED, False
    address = read_address(mail.to) or _address_in(part)
    told = reports.read(part, sender=mail.sender)
    if told.kind is not Kind.NONE:
        return _take_report(mail, address, told, now=now)
    return _take_answer(mail, address, part, now=now), False


def _take_report(mail: Mail, address: Address | None, told: Told, *, now: datetime) -> tuple[What, bool]:
    named = address.delivery if address is not None else None
    if named is None:
        named = next((pk for pk in map(_named, told.named) if pk is not None), None)
    if told.is_of_machine:
        return What.LOOPED, False
    if named is None:
        about_notice = any(_OWN_NOTICE.match(name.strip("<>")) for name in told.named)
        if told.kind is Kind.BOUNCED:
            for name in told.named:
                notices.note_return(name, now=now)
        return (What.ABOUT_NOTICE if about_notice or _is_of_notices(address) else What.UNKNOWN), False
    if told.kind is Kind.OTHER:
        return What.UNTOLD, False
    if told.kind is Kind.UNCLEAR:
        return What.UNREADABLE, False
    delivery = _delivery(named, Door.RETURN, now=now)
    if delivery is None:
        exists = Delivery.objects.filter(pk=named).exists()
        return (What.EXPIRED if exists else What.UNKNOWN), False
    event = tracking.Event(
        _KINDS[told.kind], reference=tokens.reference(named), status=told.status, words=told.words,
        is_bad_address=reputation.is_bad_address(told.status)
        and (not told.addresses or delivery.address.value.lower() in told.addresses),
    )  # fmt: skip
    outcome = tracking.record([event], source=mail.source, now=now)
    return next(iter(outcome), What.REPEATED), True


def _take_answer(mail: Mail, address: Address | None, part: Part, *, now: datetime) -> What:
    """Take what is no report: an answer, by a person or by a machine."""
    if address is None or address.door in {Door.NOTICES, Door.COMPLAINTS}:
        return What.UNKNOWN
    named = address.delivery
    if named is None:
        named = next((pk for pk in map(_named, reports.answered(part)) if pk is not None), None)
    delivery = _delivery(named, Door.REPLY, now=now) if named is not None else None
    if delivery is None:
        return What.UNKNOWN if named is None else What.EXPIRED
    if delivery.first_tried_at is None:
        return What.NEVER_SENT
    return replies.keep(
        delivery=delivery, mail=part, is_automatic=_is_automatic(mail, address, part, delivery, now=now), now=now
    )


def _is_automatic(mail: Mail, address: Address, part: Part, delivery: Delivery, *, now: datetime) -> bool:
    """Return whether a machine wrote it: it says so, or it came by the machines' way, or two hints agree.

    Machines answer to the return path (RFC 3834 §4); a person's mail never has an empty sender.
    """
    if reports.is_automatic(part) or address.door is Door.RETURN or not mail.sender:
        return True
    at_once = delivery.sent_at is not None and now - delivery.sent_at < timedelta(minutes=2)
    return reports.looks_automatic(part) and (at_once or "x-auto-response-suppress" in part.headers)


def _delivery(pk: int, door: Door, *, now: datetime) -> Delivery | None:
    """Return a delivery about which such mail may still come; None where there is none, or it is too late."""
    rows = Delivery.objects.select_related("address", "target", "letter__campaign__organisation", "letter__supporter")
    delivery = rows.select_related("letter__ask").filter(pk=pk).first()
    if delivery is None:
        return None
    last = delivery.sent_at or delivery.ended_at  # one that goes on is not too old
    lasts_for = REPLIES_FOR if door is Door.REPLY else RETURNS_FOR
    return None if last is not None and now - last > lasts_for else delivery


def _address_in(part: Part) -> Address | None:
    """Return the address of ours that a mail's own headers name, where the envelope does not."""
    for name in _WHERE_TO:
        for value in part.headers.get(name, ())[:20]:
            for found in _ADDRESS.findall(value):
                if (address := read_address(found)) is not None:
                    return address
    return None


def _named(name: str) -> int | None:
    """Return the delivery that a reference or one of our Message-IDs names."""
    local, _, domain = name.strip().strip("<>").lower().partition("@")
    return None if domain and domain != settings.MAIL_DOMAIN.lower() else tokens.read_reference(local)


def _is_own(message_id: str) -> bool:
    local, _, domain = message_id.strip().strip("<>").lower().partition("@")
    if domain != settings.MAIL_DOMAIN.lower():
        return False
    return tokens.read_reference(local) is not None or _OWN_NOTICE.fullmatch(local) is not None


def _is_of_notices(address: Address | None) -> bool:
    return address is not None and address.door is Door.NOTICES

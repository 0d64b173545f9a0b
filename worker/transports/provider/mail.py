"""The frozen bytes of a letter become the mail that Anymail hands over: the same words, as far as the API lets."""

import binascii
import functools
import hashlib
import html
import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from email import policy as rules
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from anymail.message import AnymailMessage
from anymail.utils import parse_address_list

from letters.composing import Message
from worker.transports.provider.facts import Facts, Folds, Headers, Names

REFERENCE = "X-Postbag-Delivery"
_OURS = ("Message-ID", "Date", REFERENCE, "Auto-Submitted", "X-Auto-Response-Suppress")
_SET_BY_PROVIDER = {"Message-ID", "Date"}
_FOLD = re.compile(r"\r\n[ \t]+")
_PLAIN_UTF8 = re.compile(r"text/plain\s*;\s*charset=\"?utf-8\"?\s*\Z", re.IGNORECASE)
_FACTORY = HeaderRegistry()


class FrozenMail(AnymailMessage):  # type: ignore[misc]  # Anymail has no types
    """A mail that still has its bytes, for providers that take those as they are."""

    frozen: bytes = b""

    def message(self) -> EmailMessage:
        """Return the mail as it was composed."""
        return BytesParser(EmailMessage, policy=rules.SMTP.clone(refold_source="none")).parsebytes(self.frozen)


@dataclass(frozen=True)
class Ready:
    """A mail for Anymail, and what its request is told besides."""

    mail: FrozenMail
    request_headers: Mapping[str, str]


def ready(message: Message, facts: Facts, *, switches: frozenset[str]) -> Ready:
    """Return the mail of a letter for a provider. Raises ValueError where its bytes are not one plain text to one.

    It goes to the envelope's address, under the name in its header. What marks a repetition comes from the bytes
    alone: a second attempt with the same bytes carries the same.
    """
    headers, body = read(message.data)
    text = _unmarked(body, facts)
    (to_name, _), (from_name, from_address) = one_address(headers["to"]), one_address(headers["from"])
    mail = FrozenMail(
        subject=_unmarked(one_line(headers.get("subject", "")), facts), body=text,
        to=[_only(_unmarked(to_name, facts), message.envelope_to)],
        from_email=_only(_unmarked(from_name, facts), from_address),
        reply_to=[_only("", one_address(headers["reply-to"])[1])] if "reply-to" in headers else [],
        headers=_headers(headers, facts, switches),
    )  # fmt: skip
    mail.frozen = message.data
    reference = headers.get(REFERENCE.lower(), "")
    if reference:
        _name(mail, reference, facts)
    if facts.is_told_not_to_track:
        mail.track_opens = mail.track_clicks = False
    if "envelope_sender" in switches:
        mail.envelope_sender = message.envelope_from
    if facts.wants_html:
        mail.attach_alternative(_as_html(text), "text/html")
    more = deepcopy(dict(facts.more))
    if "skip_unsubscribe" in switches:
        more["skip_unsubscribe"] = 1
    if more:
        mail.esp_extra = more
    return Ready(mail, _mark_as_same(mail, reference or "notice", message.digest, facts))


def read(data: bytes) -> tuple[dict[str, str], str]:
    """Return the headers of a composed letter, unfolded, by their names in lower case, and its text with plain breaks.

    Much quicker than the email package, which parses every address anew each time that it is looked at. Raises
    ValueError where the letter is not one plain text, or has a header twice.
    """
    head, _, body = data.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", head.decode("ascii")).split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() in headers:
            raise ValueError("a letter has each header once")
        headers[name.lower()] = value.strip()
    packing = headers.get("content-transfer-encoding", "7bit").lower()
    if not _PLAIN_UTF8.match(headers.get("content-type", "")) or packing not in {"quoted-printable", "7bit"}:
        raise ValueError("a letter is one plain text")
    text = binascii.a2b_qp(body) if packing == "quoted-printable" else body
    return headers, text.decode().replace("\r\n", "\n")


@functools.lru_cache(maxsize=4096)
def one_address(header: str) -> tuple[str, str]:
    """Return the name and the address that From, To or Reply-To hold. Raises ValueError where it is not one."""
    read_as: Any = _FACTORY("to", header)  # with addresses, which the factory's own type does not tell
    (address,) = read_as.addresses
    return address.display_name, address.addr_spec


@functools.lru_cache(maxsize=1024)
def one_line(header: str) -> str:
    """Return a subject as it reads."""
    return str(_FACTORY("subject", header))


def _headers(read: Mapping[str, str], facts: Facts, switches: frozenset[str]) -> dict[str, str]:
    allowed = facts.headers
    if allowed is Headers.NONE and "custom_headers" in switches:
        allowed = Headers.CUSTOM
    if allowed is Headers.NONE:
        return {}
    kept = {name: read[name.lower()] for name in _OURS if name.lower() in read}
    if allowed is not Headers.ALL:
        kept = {name: value for name, value in kept.items() if name not in _SET_BY_PROVIDER}
    if allowed is Headers.X_ONLY:
        kept = {name: value for name, value in kept.items() if name.startswith("X-")}
    return {**kept, **facts.more_headers}


def _name(mail: AnymailMessage, reference: str, facts: Facts) -> None:
    """Let the provider's events carry the delivery's reference; our own name for it, and nobody's else."""
    if facts.names is Names.METADATA:
        mail.metadata = {"delivery": reference}
    else:
        mail.tags = [reference]


def _mark_as_same(mail: AnymailMessage, reference: str, digest: str, facts: Facts) -> dict[str, str]:
    """Mark a mail so that the provider folds it with another of the same bytes; return headers of the request."""
    key = f"{reference}-{digest}"
    if facts.folds is Folds.HTTP_HEADER:
        return {"Idempotency-Key": key}
    if facts.folds is Folds.MAIL_HEADER:
        made_from = hashlib.sha256(key.encode()).digest()[:16]
        mail.extra_headers["idempotencyKey"] = str(uuid.UUID(bytes=made_from, version=4))
    return {}


def _unmarked(text: str, facts: Facts) -> str:
    """Return a text in which the provider finds nothing to replace: what was typed is read as typed."""
    for mark in facts.marks:
        while mark in text:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text


@functools.lru_cache(maxsize=4096)
def _only(display_name: str, address: str) -> str:
    """Return name and address in one text. Raises ValueError unless Anymail, too, reads exactly this address there."""
    local, _, domain = address.rpartition("@")
    text = str(Address(display_name, username=local, domain=domain))
    if [one.addr_spec for one in parse_address_list(text)] != [address]:
        raise ValueError("the address does not read as the one it is")
    return text


def _as_html(text: str) -> str:
    lines = "<br>\n".join(html.escape(line) for line in text.strip("\n").split("\n"))
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{lines}\n</body></html>\n'

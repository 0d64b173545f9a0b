"""Received bytes made readable: a light scan of the headers on arrival, the whole letter for a page."""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import default as modern
from email.utils import getaddresses
from functools import lru_cache

DELIVERY_HEADER = "X-Postbag-Delivery"
_HEAD_LIMIT = 262_144
_WANTED = {
    b"to": "to",
    b"from": "from",
    b"subject": "subject",
    b"message-id": "message_id",
    DELIVERY_HEADER.lower().encode(): "delivery",
}


@dataclass(frozen=True, slots=True)
class Headings:
    """The five headers that the store keeps in columns of their own; '' where a letter has none."""

    to: str = ""
    from_: str = ""
    subject: str = ""
    message_id: str = ""
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class ReadableLetter:
    """What a person sees of a letter: its headers in order, its plain text and its HTML ('' if none)."""

    headers: list[tuple[str, str]]
    text: str
    html: str


def headings(raw: bytes) -> Headings:
    """Find the five headers by a scan of the head alone; of repeated ones the first counts. Never raises."""
    found: dict[str, str] = {}
    name, value = "", b""
    for line in _head_lines(raw):
        if line[:1] in (b" ", b"\t"):
            value += b" " + line.strip()
            continue
        if name:
            found.setdefault(name, _shown(value))
        key, colon, value = line.partition(b":")
        name = _WANTED.get(key.rstrip(b" \t").lower(), "") if colon else ""
    if name:
        found.setdefault(name, _shown(value))
    return Headings(
        to=found.get("to", ""),
        from_=found.get("from", ""),
        subject=found.get("subject", ""),
        message_id=found.get("message_id", ""),
        delivery=found.get("delivery", ""),
    )


def name_of(address: str, header: str) -> str:
    """The name that goes with `address` in a decoded To or From header; '' when it has none."""
    try:
        pairs = getaddresses([header])
    except (ValueError, IndexError, TypeError):
        return ""
    return next((name for name, spec in pairs if spec.lower() == address.lower()), "")


def read(raw: bytes) -> ReadableLetter:
    """Parse a whole letter for reading. Never raises: what cannot be parsed is shown as it came."""
    try:
        parsed = message_from_bytes(raw, policy=modern)
        headers = [(printable(name), _header(name, value)) for name, value in parsed.raw_items()]
        text, html = _bodies(parsed)
    except Exception:  # noqa: BLE001 – the parser's ways to fail are open-ended, a page must still show the bytes
        return ReadableLetter(headers=[], text=_decoded(raw, "utf-8"), html="")
    return ReadableLetter(headers=headers, text=text, html=html)


def printable(text: str) -> str:
    """The same text without lone surrogates, which neither SQLite nor an HTML page can carry."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def _head_lines(raw: bytes) -> list[bytes]:
    if raw.startswith((b"\r\n", b"\n")):
        return []
    crlf, lf = raw.find(b"\r\n\r\n", 0, _HEAD_LIMIT), raw.find(b"\n\n", 0, _HEAD_LIMIT)
    ends = [end for end in (crlf, lf) if end >= 0]
    return raw[: min(ends, default=_HEAD_LIMIT)].splitlines()


@lru_cache(maxsize=4096)  # a campaign has few subjects and targets, and decoding is the dear part of a scan
def _shown(value: bytes) -> str:
    text = _decoded(value.strip(), "utf-8")
    if "=?" not in text:
        return text
    try:
        return printable(str(make_header(decode_header(text))))
    except (HeaderParseError, LookupError, ValueError, binascii.Error):
        return text


def _header(name: str, value: str) -> str:
    try:
        return printable(str(modern.header_fetch_parse(name, value)))
    except Exception:  # noqa: BLE001 – the header parser of Python 3.11 fails in many ways on broken headers
        return printable(" ".join(value.split()))


def _bodies(parsed: EmailMessage) -> tuple[str, str]:
    text: str | None = None
    html: str | None = None
    for part in _leaves(parsed):
        kind = part.get_content_type()
        if text is None and kind == "text/plain":
            text = _content(part)
        elif html is None and kind == "text/html":
            html = _content(part)
    if text is None and html is None:
        text = _content(parsed)
    return text or "", html or ""


def _leaves(parsed: Message) -> Iterator[Message]:
    waiting = [parsed]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(reversed([inner for inner in payload if isinstance(inner, Message)]))
        elif part.get_content_disposition() != "attachment":
            yield part


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return _decoded(payload, part.get_content_charset("utf-8"))


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")

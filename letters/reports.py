"""What a mail that came back says: returned, delayed, delivered, complained about, or written by a machine.

Reports in the form of RFC 3464 (delivery), RFC 5965 (complaints) and RFC 8098 (read receipts) say it by themselves.
Free texts of qmail, old servers and gateways are told by their usual words; where those are not clear, not at all.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from letters import mime
from letters.mime import Part
from letters.report_words import DELAYED, FINAL, MACHINES, MARKS_OF_MACHINES, RETURNED, VACATION

STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
MOST_LINES = 60  # reports on one mail: a letter has one address, which may stand for a house
_MOST_TEXT = 20_000  # characters of a free text are looked at
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]|\Z)")
_REFERENCE = re.compile(r"[0-9a-f]{1,16}-[0-9a-f]{32}")
_BARE = re.compile(r"<?([^<>;,\s]+@[^<>;,\s]+?)>?\s*\Z")


class Kind(StrEnum):
    """What a mail says of the one it answers."""

    BOUNCED = "bounced"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    COMPLAINED = "complained"
    OTHER = "other"  # a report that changes nothing: relayed, displayed, not spam
    UNCLEAR = "unclear"  # a report in which nothing certain stands
    NONE = "none"  # no report at all


@dataclass(frozen=True)
class Told:
    """What a report says. `addresses` are those it speaks of, in lower case; `named` what the returned mail was called.

    `is_of_machine`: what was returned had itself been written by a machine, such as a bounce of a bounce.
    """

    kind: Kind
    status: str = ""  # RFC 3463
    words: str = ""
    addresses: frozenset[str] = frozenset()
    named: tuple[str, ...] = ()  # references, Message-IDs
    is_of_machine: bool = False


def read(mail: Part, *, sender: str) -> Told:
    """Return what a mail says of one of ours. `sender` is its envelope's, "" for the null one of bounces."""
    parts = list(mail.walk())
    returned = _returned(parts)
    told = _complaint(parts) or _delivery_report(parts) or _read_receipt(mail) or _free_text(mail, parts, sender=sender)
    if told.kind is Kind.NONE:
        return told
    return replace(told, named=tuple(_names(mail, returned, told)), is_of_machine=_wrote_a_machine(returned))


def _delivery_report(parts: Iterable[Part]) -> Told | None:
    """RFC 3464: the worst of what it says of single addresses; None where there is no such part."""
    report = next((one for one in parts if one.kind in _STATUS_PARTS), None)
    if report is None:
        return None
    lines = [line for line in map(_line, _blocks(report)) if line is not None]
    if not lines:
        return Told(Kind.UNCLEAR)
    worst = min(lines, key=lambda line: _WORST_FIRST.index(line.kind))
    return replace(worst, addresses=frozenset[str]().union(*(line.addresses for line in lines)))


def _line(block: Mapping[str, tuple[str, ...]]) -> Told | None:
    """Return what one block says of one address; None for the block that speaks of the mail as a whole."""
    action = _first(block, "action").partition(";")[0].split("(")[0].strip().lower()
    status = STATUS.search(_first(block, "status"))
    diagnostic = _first(block, "diagnostic-code")
    addresses = {
        bare[1].lower()
        for name in ("final-recipient", "original-recipient")
        if (bare := _BARE.search(_first(block, name)))
    }
    if not action and status is None:
        return None
    code = status[1] if status else ""
    closer = STATUS.search(diagnostic)
    if closer and (not code or code.endswith(".0.0")) and closer[1][0] in (code[:1] or closer[1][0]):
        code = closer[1]  # the remote server's own words are more exact than "5.0.0"
    kind = _ACTIONS.get(action) or _CLASSES.get(code[:1], Kind.UNCLEAR)
    words = diagnostic.partition(";")[2].strip() or diagnostic
    return Told(kind, code, words or code, frozenset(addresses))


def _blocks(report: Part) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """Yield the blocks of a report; servers put one or more empty lines between them."""
    for number, block in enumerate(re.split(rb"(?:\r?\n[ \t]*){2,}", report.content.strip())):
        if number >= MOST_LINES:
            return
        yield mime.read_headers(block)


def _complaint(parts: Iterable[Part]) -> Told | None:
    """RFC 5965: somebody pressed "this is spam". Reports on signatures and the like are none."""
    report = next((one for one in parts if one.kind == "message/feedback-report"), None)
    if report is None:
        return None
    fields = mime.read_headers(report.content.lstrip())
    kind = _first(fields, "feedback-type").strip().lower()
    said = Kind.COMPLAINED if kind in {"abuse", "fraud", "virus", "opt-out", "opt-out-list", "other"} else Kind.OTHER
    addresses = {bare[1].lower() for each in fields.get("original-rcpt-to", ()) if (bare := _BARE.search(each))}
    return Told(said, "", kind, frozenset(addresses))


def _read_receipt(mail: Part) -> Told | None:
    """RFC 8098: a machine or a person says that it was displayed or deleted. Nobody asked."""
    kind = mail.parameters.get("report-type", "").lower()
    return Told(Kind.OTHER) if mail.kind == "multipart/report" and kind == "disposition-notification" else None


def _free_text(mail: Part, parts: Iterable[Part], *, sender: str) -> Told:
    """Tell by the usual words, in mail that only a mail server can have written."""
    failed = mail.header("x-failed-recipients")
    by_machine = not sender or MACHINES.match(sender) is not None
    if not failed and not by_machine:
        return Told(Kind.NONE)
    if not failed and not _wrote_a_server(mail) and (is_automatic(mail) or not sender):
        return Told(Kind.NONE)  # an answering machine: its sender is empty, as it should be (RFC 3834)
    text = next((one.text for one in parts if one.kind == "text/plain" and not one.is_attachment), "")
    shown = f"{mail.words('subject')}\n{text[:_MOST_TEXT]}"
    shown = re.split(r"\n-{3,}.*(?:original message|copy of|below this line|returned)", shown, flags=re.IGNORECASE)[0]
    addresses = frozenset(bare[1].lower() for each in failed.split(",") if (bare := _BARE.search(each.strip())))
    status = STATUS.search(shown)
    reply = _REPLY_CODE.search(shown)
    code = status[1] if status else ""
    words = _line_around(shown, status or reply)
    if DELAYED.search(shown) and not FINAL.search(shown):
        return Told(Kind.DEFERRED, code if code.startswith("4") else "", words, addresses)
    says_no = code.startswith("5") or (reply is not None and reply[1].startswith("5"))
    if failed or says_no or FINAL.search(shown) or RETURNED.search(shown):
        return Told(Kind.BOUNCED, code if not code.startswith("2") else "", words, addresses)
    return Told(Kind.UNCLEAR)


def _line_around(text: str, found: "re.Match[str] | None") -> str:
    """Return the line in which something was found, as the server's words."""
    if found is None:
        return ""
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    return text[start : end if end >= 0 else None].strip()[:500]


def is_automatic(mail: Part) -> bool:
    """Return whether a machine says of itself that it wrote this (RFC 3834 §5, and what came before it)."""
    submitted = mail.header("auto-submitted").partition(";")[0].split("(")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if mail.header("precedence").strip().lower() in {"auto_reply", "auto-reply", "bulk", "junk", "list"}:
        return True
    if any(name in mail.headers for name in MARKS_OF_MACHINES):
        return True
    kind = mail.parameters.get("report-type", "").lower()
    return mail.kind == "multipart/report" and kind in {"disposition-notification", "delivery-status"}


def looks_automatic(mail: Part) -> bool:
    """Return whether something hints at a machine, though it does not say so: a hint, never a proof."""
    return bool(VACATION.match(mail.words("subject"))) or "x-auto-response-suppress" in mail.headers


def _wrote_a_server(mail: Part) -> bool:
    return bool(RETURNED.search(mail.words("subject")) or DELAYED.search(mail.words("subject"))) or bool(
        MACHINES.match(_from(mail))
    )


def _from(mail: Part) -> str:
    bare = _BARE.search(mail.header("from"))
    return bare[1] if bare else ""


def _returned(parts: Iterable[Part]) -> Part | None:
    """Return the mail that a report returns, or as much of it as it does."""
    for part in parts:
        if part.is_enclosed_mail and part.parts:
            return part.parts[0]
        if part.kind in {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}:
            headers = mime.read_headers(part.content.lstrip())
            raw = next(iter(headers.get("content-type", ())), "")
            return Part(headers, raw.partition(";")[0].strip().lower(), {}, b"")
    return None


def _wrote_a_machine(returned: Part | None) -> bool:
    if returned is None:
        return False
    return returned.kind == "multipart/report" or returned.header("return-path").strip() == "<>"


def _names(mail: Part, returned: Part | None, told: Told) -> Iterator[str]:
    """Yield what the returned mail was called: our header, its Message-ID, or a reference in a free text."""
    if returned is not None:
        yield from (returned.header("x-postbag-delivery").strip(), returned.header("message-id").strip())
    yield from answered(mail)
    if returned is None and told.kind is not Kind.OTHER:
        for part in mail.walk():
            if part.kind.startswith("text/") and not part.is_attachment:
                yield from _REFERENCE.findall(part.text[:_MOST_TEXT])[:3]


def answered(mail: Part) -> list[str]:
    """Return the Message-IDs that a mail answers, the nearest first (RFC 5322 §3.6.4)."""
    ids = re.findall(r"<[^<>\s]{1,300}>", mail.header("in-reply-to"))
    return list(dict.fromkeys([*ids, *reversed(re.findall(r"<[^<>\s]{1,300}>", mail.header("references"))[-20:])]))


def _first(fields: Mapping[str, tuple[str, ...]], name: str) -> str:
    return next(iter(fields.get(name, ())), "")


_STATUS_PARTS = {"message/delivery-status", "message/global-delivery-status"}
_WORST_FIRST = [Kind.BOUNCED, Kind.DEFERRED, Kind.DELIVERED, Kind.OTHER, Kind.UNCLEAR]
_ACTIONS = {
    "failed": Kind.BOUNCED, "delayed": Kind.DEFERRED, "delivered": Kind.DELIVERED, "relayed": Kind.OTHER,
    "expanded": Kind.OTHER,
}  # fmt: skip
_CLASSES = {"5": Kind.BOUNCED, "4": Kind.DEFERRED, "2": Kind.DELIVERED}

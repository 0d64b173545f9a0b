"""Letter and target become the exact letter, and the exact bytes: the same each time they are asked for."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email import policy as rules
from email import quoprimime
from email.headerregistry import Address as MailAddress
from email.headerregistry import BaseHeader, HeaderRegistry, UniqueAddressHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from functools import lru_cache

from django.conf import settings

from campaigns import publishing, wording
from campaigns.models import Ask, LetterTemplate
from letters import headers, tokens
from targets import countries, salutations

LINE_LIMIT = 998  # octets of one line without its end, RFC 5322 §2.1.1
_BODY_LINE = 74  # RFC 2045 §6.7 allows 76, of which an encoded dot takes two more
_SHORT = 200  # characters
_DOT = re.compile(r"^\.", re.MULTILINE)
_MIME = (
    b'Content-Type: text/plain; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n"
)
_SPECIALS = frozenset('()<>@,:;\\"[]')  # RFC 5322 §3.2.3, less the full stop, which every reader takes bare (§4.1)


@dataclass(frozen=True)
class Content:
    """What a supporter's letter holds: their words, who they are, and what targets learn. Encrypted at rest.

    From `reply_to` to `answers` it is pinned with the letter, so that an edited campaign cannot change bytes already
    promised.
    """

    subject: str = ""
    body: str = ""
    sentence: str = ""  # their own, the body's first paragraph
    name: str = ""
    email: str = ""
    town: str = ""
    country: str = ""  # ISO 3166-1 alpha-2, "ZZ" for one that they did not find
    targets: str = ""  # ids of those its writer chose; none means all of the list (letters.choosing)
    reply_to: str = ""  # the e-mail address, where the ask's targets learn it
    shown_town: str = ""  # the town, where they learn it
    shown_country: str = ""  # the country's name in the letter's language, likewise
    campaign: str = ""
    organisation: str = ""
    deadline: str = ""
    ask: str = ""
    began_with: str = ""  # the wording (its id) that the text began with, where the language was changed and it kept
    answers: str = ""  # "here" where targets do not learn the address and we receive mail: they answer through us
    told: str = ""  # which of its copies its writer told us they posted or mailed themselves (letters.told)
    copy_to_me: str = ""  # "yes" or "no": whether its writer wants one by mail, once confirmed; "" where never asked

    def values(self) -> dict[str, str]:
        """Return the content as plain strings, for sealing."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class FinishedLetter:
    """A letter as one target will read it."""

    subject: str
    text: str
    sender: str  # "Ada Bell via letters.example.org"
    reply_to: str  # the supporter's address, or "" where targets do not learn it
    answers_here: bool = False  # each message names an address of ours to answer to


@dataclass(frozen=True)
class Message:
    """The bytes to hand over for one delivery, and their envelope. `digest` is their SHA-256 in hex.

    `is_plain`: every line ends with CRLF and none begins with a dot, as `assembled` makes them.
    """

    delivery_id: int
    envelope_from: str
    envelope_to: str
    data: bytes
    digest: str
    is_plain: bool = False


def pinned(content: Content, ask: Ask, language: str) -> Content:
    """Return the content with what targets learn, and what campaign and ask are called, as of now."""
    return replace(
        content,
        reply_to=content.email if ask.shows_email else "",
        shown_town=content.town if ask.shows_town else "",
        shown_country=countries.name_of(content.country, language) if ask.shows_town else "",
        campaign=publishing.page_text(ask.campaign, language).title,
        organisation=ask.campaign.organisation.name,
        deadline=ask.campaign.deadline,
        ask=publishing.title_of(ask, language),
        answers="here" if settings.RECEIVES_MAIL and not ask.shows_email else "",
    )


def offered(content: Content) -> dict[str, dict[str, str]]:
    """Return what the letter language may say of campaign, ask and supporter: plain strings."""
    return {
        "supporter": {
            "name": content.name,
            "town": content.shown_town,
            "country": content.shown_country,
        },
        "campaign": {
            "title": content.campaign,
            "organisation": content.organisation,
            "deadline": content.deadline,
        },
        "ask": {"title": content.ask},
    }


def given(template: LetterTemplate, content: Content, *, draw: int) -> tuple[str, str]:
    """Return the subject and body that the supporter is given to edit; the same for the same draw."""
    values = offered(content)
    chosen = wording.Draw(draw)
    subject = _parsed(template.subject, "subject").render(values, draw=chosen)
    body = _parsed(template.body, "body").render(values, draw=chosen)
    return " ".join(subject.split()), body.strip()


@lru_cache(maxsize=500)
def _parsed(text: str, passage: str) -> wording.Wording:
    """Return a passage ready to be rendered: many letters share few wordings."""
    return wording.parse(text, passage=passage)


class Finisher:
    """Finishes one letter for any number of targets: what is the same for all is done once."""

    def __init__(self, template: LetterTemplate, content: Content, *, draw: int) -> None:
        self._content = content
        self._offered = offered(content)
        self._draw = wording.Draw(draw)
        self._language = template.language
        self._salutation = _parsed(template.salutation, "salutation")
        self._closing = _parsed(template.closing, "closing")
        self._body = content.body.strip()
        self._greets_alike = not self._salutation.variants() and _only_of_target(self._salutation)
        self._same_closing: str | None = None
        if not any(map(_is_of_target, self._closing.names())):
            self._same_closing = self._closing.render(self._offered, draw=self._draw).strip()

    def finish(self, target: Mapping[str, str]) -> FinishedLetter:
        """Return the letter exactly as one target will read it. `target` holds the values of its TargetVersion."""
        return replace(self.head(), text="\n\n".join(self.parts(target)))

    def head(self) -> FinishedLetter:
        """Return the letter without its text: what is the same for every target."""
        return FinishedLetter(
            subject=self._content.subject,
            text="",
            sender=f"{self._content.name} via {settings.MAIL_DOMAIN}",
            reply_to=self._content.reply_to,
            answers_here=self._content.answers == "here",
        )

    def parts(self, target: Mapping[str, str]) -> list[str]:
        """Return salutation, body and closing as one target will read them; what is empty is left out."""
        target = salutations.in_language(target, self._language)
        values = {**self._offered, "target": target}
        if self._greets_alike:
            salutation = _greeting(self._salutation.source, tuple(target.items()))
        else:
            salutation = self._salutation.render(values, draw=self._draw).strip()
        closing = self._same_closing
        if closing is None:
            closing = self._closing.render(values, draw=self._draw).strip()
        return [part for part in (salutation, self._body, closing) if part]


@lru_cache(maxsize=4000)
def _greeting(salutation: str, target: tuple[tuple[str, str], ...]) -> str:
    """Return a salutation that says nothing of the writer: the same in every letter to this target."""
    said = _parsed(salutation, "salutation")
    return said.render({"target": dict(target)}, draw=wording.Draw(0)).strip()


def _only_of_target(said: wording.Wording) -> bool:
    return all(map(_is_of_target, said.names()))


def _is_of_target(name: str) -> bool:
    return name.startswith("target.")


@dataclass(frozen=True, slots=True)
class LetterHeaders:
    """The headers that all messages of one letter share, as bytes."""

    sender: bytes
    subject: bytes  # with Reply-To before it, where it is the same in each
    answers_here: bool


def headers_of(letter: FinishedLetter) -> LetterHeaders:
    """Return what a letter's messages share. Raises ValueError where a header would not say what it should."""
    answer = headers.mailbox("Reply-To", "", letter.reply_to) if letter.reply_to else b""
    return LetterHeaders(
        sender=headers.mailbox("From", letter.sender, f"letter@{settings.MAIL_DOMAIN}"),
        subject=answer + headers.text("Subject", letter.subject),
        answers_here=letter.answers_here,
    )


def to_header(name: str, address: str) -> bytes:
    """Return the header that names the target: the one address of the message, always."""
    return headers.mailbox("To", name, address)


def message(
    *, delivery_id: int, letter: FinishedLetter, to_name: str, to_address: str, date: datetime
) -> Message:
    """Return the frozen message: the same arguments give the same bytes, on every attempt. Raises ValueError."""
    return assembled(
        delivery_id=delivery_id, shared=headers_of(letter), to=to_header(to_name, to_address), to_address=to_address,
        parts=[letter.text], date=date,
    )  # fmt: skip


def assembled(
    *, delivery_id: int, shared: LetterHeaders, to: bytes, to_address: str, parts: Iterable[str], date: datetime
) -> Message:
    """Return the message of headers made before and the text's parts, which an empty line separates.

    The text is one part in quoted-printable, so no line is long, no server has to convert it, and no boundary can
    stand in the text. Letters go from person to person: no list headers, no Auto-Submitted (RFC 3834 §5 is for
    automatic mail).
    """
    reference = tokens.reference(delivery_id)
    domain = settings.MAIL_DOMAIN
    names = f"Message-ID: <{reference}@{domain}>\r\nX-Postbag-Delivery: {reference}\r\n".encode("ascii")
    if shared.answers_here:
        names += f"Reply-To: reply-{reference}@{domain}\r\n".encode("ascii")
    data = b"".join(
        (shared.sender, to, shared.subject, _date_header(date), names, _MIME, b"\r\n",
         b"\r\n".join([quoted_printable(part) for part in parts]))
    )  # fmt: skip
    return Message(
        delivery_id=delivery_id, envelope_from=f"return-{reference}@{domain}", envelope_to=to_address, data=data,
        digest=hashlib.sha256(data).hexdigest(), is_plain=True,
    )  # fmt: skip


def quoted_printable(part: str) -> bytes:
    """Return whole lines in quoted-printable: each line is encoded by itself, so parts may be encoded apart.

    A dot at the start of a line is encoded too, so that nothing on the wire can be taken for the end of a letter.
    """
    return _short(part) if len(part) <= _SHORT else _long(part)


def _encoded(part: str) -> bytes:
    octets = f"{part}\n".encode().decode("latin-1")
    lines = quoprimime.body_encode(octets, _BODY_LINE)
    return _DOT.sub("=2E", lines).replace("\n", "\r\n").encode("ascii")


_short = lru_cache(maxsize=1000)(_encoded)  # salutations come again with each letter,
_long = lru_cache(maxsize=64)(_encoded)  # a letter's own text with each of its targets, one after another


@lru_cache(maxsize=64)
def _date_header(date: datetime) -> bytes:
    return headers.text("Date", format_datetime(date))


def mailbox(display_name: str, address: str) -> MailAddress:
    """Return what From, To and Reply-To of a mail with the policy WIRE are set to. Refuses line breaks: ValueError."""
    return MailAddress(headers.plain(display_name), addr_spec=address)


def finished(mail: EmailMessage) -> bytes:
    """Return a mail's bytes, read back and found to say what it was told.

    Raises ValueError unless From, To and Reply-To are there as often as they were set, each with its one address,
    no other header has come in, and no line is longer than RFC 5322 §2.1.1 allows.
    """
    data = bytes(mail)
    got = BytesHeaderParser(policy=rules.default).parsebytes(data)
    if got.keys() != mail.keys() or max(map(len, data.split(b"\r\n"))) > LINE_LIMIT:
        raise ValueError("The finished mail has other headers than were set, or a line that is too long.")
    for name in ("From", "To", "Reply-To"):
        told = [[one.addr_spec for one in header.addresses] for header in mail.get_all(name, [])]
        read = [[one.addr_spec for one in header.addresses] for header in got.get_all(name, [])]
        if read != told or len(told) != (name in mail) or any(len(addresses) != 1 for addresses in read):
            raise ValueError(f"The finished mail's {name} does not hold the one address that it should.")
    return data


class _Mailbox(UniqueAddressHeader, BaseHeader):  # type: ignore[misc]  # as email.headerregistry joins them itself
    """An address header whose display name keeps its quotes.

    Python 3.11 cuts a quoted name that is longer than a line, and drops the quotes: what stands between commas
    would be read as addresses of its own. Such a name stays on one line. Every other name is folded as ever, so
    that the bytes of deliveries that were tried before stay the same.
    """

    def fold(self, *, policy: rules.Policy) -> str:
        """Return the header's lines."""
        folded = super().fold(policy=policy)
        lines = folded.replace("\r\n", "")
        if all(_stays_quoted(address.display_name, lines) for address in self.addresses):
            return folded
        return super().fold(policy=policy.clone(max_line_length=LINE_LIMIT))


def _stays_quoted(name: str, lines: str) -> bool:
    escaped = name.replace("\\", r"\\").replace('"', r"\"")
    return not name.isascii() or _SPECIALS.isdisjoint(name) or f'"{escaped}"' in lines


def _header_kinds() -> HeaderRegistry:
    kinds = HeaderRegistry()
    for name in ("from", "to", "reply-to"):
        kinds.map_to_type(name, _Mailbox)
    return kinds


WIRE = rules.SMTP.clone(header_factory=_header_kinds())  # how mail becomes bytes

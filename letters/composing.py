"""Letter and target become the exact letter, and the exact bytes: the same each time they are asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email import policy as rules
from email.headerregistry import Address as MailAddress
from email.headerregistry import BaseHeader, HeaderRegistry, UniqueAddressHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime

from django.conf import settings

from campaigns import publishing, wording
from campaigns.models import Ask, LetterTemplate
from letters import tokens

LINE_LIMIT = 998  # octets of one line without its end, RFC 5322 §2.1.1
_SPECIALS = frozenset('()<>@,:;\\"[]')  # RFC 5322 §3.2.3, less the full stop, which every reader takes bare (§4.1)


@dataclass(frozen=True)
class Content:
    """What a supporter's letter holds: their words, who they are, and what targets learn. Encrypted at rest.

    The last six are pinned with the letter, so that an edited campaign cannot change bytes already promised.
    """

    subject: str = ""
    body: str = ""
    sentence: str = ""  # their own, the body's first paragraph
    name: str = ""
    email: str = ""
    town: str = ""
    country: str = ""
    reply_to: str = ""  # the e-mail address, where the ask's targets learn it
    shown_town: str = ""  # the town, where they learn it
    campaign: str = ""
    organisation: str = ""
    deadline: str = ""
    ask: str = ""

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


@dataclass(frozen=True)
class Message:
    """The bytes to hand over for one delivery, and their envelope. `digest` is their SHA-256 in hex."""

    delivery_id: int
    envelope_from: str
    envelope_to: str
    data: bytes
    digest: str


def pinned(content: Content, ask: Ask, language: str) -> Content:
    """Return the content with what targets learn, and what campaign and ask are called, as of now."""
    return replace(
        content,
        reply_to=content.email if ask.shows_email else "",
        shown_town=content.town if ask.shows_town else "",
        campaign=publishing.page_text(ask.campaign, language).title,
        organisation=ask.campaign.organisation.name,
        deadline=ask.campaign.deadline,
        ask=publishing.title_of(ask, language),
    )


def offered(content: Content) -> dict[str, dict[str, str]]:
    """Return what the letter language may say of campaign, ask and supporter: plain strings."""
    return {
        "supporter": {
            "name": content.name,
            "town": content.shown_town,
            "country": content.country if content.shown_town else "",
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
    subject = wording.parse(template.subject, passage="subject").render(values, draw=chosen)
    body = wording.parse(template.body, passage="body").render(values, draw=chosen)
    return " ".join(subject.split()), body.strip()


class Finisher:
    """Finishes one letter for any number of targets: what is the same for all is done once."""

    def __init__(self, template: LetterTemplate, content: Content, *, draw: int) -> None:
        self._content = content
        self._offered = offered(content)
        self._draw = wording.Draw(draw)
        self._salutation = wording.parse(template.salutation, passage="salutation")
        self._closing = wording.parse(template.closing, passage="closing")

    def finish(self, target: Mapping[str, str]) -> FinishedLetter:
        """Return the letter exactly as one target will read it. `target` holds the values of its TargetVersion."""
        values = {**self._offered, "target": dict(target)}
        salutation = self._salutation.render(values, draw=self._draw).strip()
        closing = self._closing.render(values, draw=self._draw).strip()
        return FinishedLetter(
            subject=self._content.subject,
            text="\n\n".join(part for part in (salutation, self._content.body.strip(), closing) if part),
            sender=f"{self._content.name} via {settings.MAIL_DOMAIN}",
            reply_to=self._content.reply_to,
        )


def message(
    *, delivery_id: int, letter: FinishedLetter, to_name: str, to_address: str, date: datetime
) -> Message:
    """Return the frozen message: the same arguments give the same bytes, on every attempt.

    Addresses are built by `email.headerregistry.Address`, which refuses line breaks. The text is one part in
    quoted-printable, so no line is long, no server has to convert it, and no boundary can stand in the text.
    Letters go from person to person: no list headers, no Auto-Submitted (RFC 3834 §5 is for automatic mail).
    Raises ValueError where the bytes would not say what they should (`finished`).
    """
    reference = tokens.reference(delivery_id)
    domain = settings.MAIL_DOMAIN
    mail = EmailMessage(policy=WIRE)
    mail["From"] = mailbox(letter.sender, f"letter@{domain}")
    mail["To"] = mailbox(to_name, to_address)
    if letter.reply_to:
        mail["Reply-To"] = mailbox("", letter.reply_to)
    mail["Subject"] = _plain(letter.subject)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = f"<{reference}@{domain}>"
    mail["X-Postbag-Delivery"] = reference
    mail.set_content(letter.text + "\n", cte="quoted-printable")
    data = finished(mail)
    return Message(
        delivery_id=delivery_id,
        envelope_from=f"return-{reference}@{domain}",
        envelope_to=to_address,
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
    )


def mailbox(display_name: str, address: str) -> MailAddress:
    """Return what From, To and Reply-To of a mail with the policy WIRE are set to. Refuses line breaks: ValueError."""
    return MailAddress(_plain(display_name), addr_spec=address)


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


def _plain(text: str) -> str:
    """Return a header's text in which nothing reads as an encoded word (RFC 2047 §2): typed, it is no encoding."""
    return text.replace("=?", "= ?")

"""What targets answer: kept encrypted for 28 days, read by those who may, passed on to whoever wrote the letter."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from campaigns.models import Ask, Campaign
from letters import notices, privacy
from letters.arrivals import What
from letters.composing import Content
from letters.feedback import Reply
from letters.mime import Part
from letters.models import Delivery, Letter

MOST_BYTES = 20_000  # of a text, in UTF-8
MOST_OF_DELIVERY = 10  # by people, and as many by machines: nobody writes more about one letter
_MOST_HTML = 400_000
_KEPT = frozenset("\n\u200c\u200d")  # line breaks, and the joiners that Persian and emoji are written with


@dataclass(frozen=True)
class Answer:
    """What a reply says, as plain text."""

    subject: str
    text: str
    name: str  # who wrote, as the mail says
    address: str
    is_cut: bool


def keep(*, delivery: Delivery, mail: Part, is_automatic: bool, now: datetime) -> What:
    """Keep what came back for a delivery, once; where it may be, pass it on. Returns what was made of it.

    The delivery comes with its letter, the letter's campaign, ask and supporter.
    """
    answer = of(mail)
    digest = hashlib.sha256("\0".join((answer.address, answer.subject, answer.text)).encode()).hexdigest()
    rows = Reply.objects.filter(delivery=delivery)
    if rows.filter(digest=digest).exists():
        return What.REPEATED
    if rows.filter(is_automatic=is_automatic).count() >= MOST_OF_DELIVERY:
        return What.TOO_MANY
    letter, key = delivery.letter, secrets.token_bytes(16)
    reply = Reply(
        delivery=delivery, campaign=letter.campaign, key=key, digest=digest, received_at=now,
        is_automatic=is_automatic, sealed=_sealed(letter.campaign, key, answer),
    )  # fmt: skip
    try:
        with transaction.atomic():
            reply.save()
            if not is_automatic and letter.passes_replies:
                notices.pass_on(reply, letter=letter, now=now)
    except IntegrityError:  # the same mail came twice at once
        return What.REPEATED
    return What.AUTOMATIC if is_automatic else What.REPLY


def come_back(content: Content, ask: Ask) -> bool:
    """Return whether the writer is told that answers come to them: to their address, or through us.

    Where writing may endanger the writer, nothing that a target wrote is carried into their mailbox by us.
    """
    return bool(content.reply_to) or (content.answers == "here" and not ask.is_dangerous)


def read(reply: Reply) -> Answer | None:
    """Return what a reply says; None once it is forgotten. The reply comes with its campaign."""
    if not reply.sealed:
        return None
    values = privacy.unseal(reply.campaign, table="reply", row=bytes(reply.key), sealed=bytes(reply.sealed))
    return Answer(values["subject"], values["text"], values["name"], values["address"], values["is_cut"] == "yes")


def first_of_letter(letter: Letter) -> dict[int, datetime]:
    """Return when a person first answered, by delivery id."""
    rows = Reply.objects.filter(delivery__letter=letter, is_automatic=False).order_by("-received_at")
    return dict(rows.values_list("delivery_id", "received_at"))


def of_campaign(campaign: Campaign) -> QuerySet[Reply]:
    """Return a campaign's replies by people, newest first."""
    return Reply.objects.filter(campaign=campaign, is_automatic=False).order_by("-pk")


def of(mail: Part) -> Answer:
    """Return what a mail says as plain text: no HTML, no attachments, links as they are written, cut at 20 kB."""
    leaves = [part for part in mail.walk() if not part.parts and not part.is_attachment]
    plain = next((part.text for part in leaves if part.kind == "text/plain" and part.text.strip()), None)
    if plain is None:
        html = next((part.text for part in leaves if part.kind == "text/html"), "")
        plain = _as_text(html[:_MOST_HTML])
    text = _printable(plain).strip()
    kept = text.encode()[:MOST_BYTES].decode(errors="ignore")
    name, _, address = mail.words("from").rpartition("<")
    return Answer(
        subject=_printable(mail.words("subject")).replace("\n", " ")[:200],
        text=kept,
        name=" ".join(_printable(name).replace('"', " ").split())[:100],
        address=address.strip(" >\n")[:254],
        is_cut=len(kept) < len(text),
    )


def _sealed(campaign: Campaign, key: bytes, answer: Answer) -> bytes:
    values = {
        "subject": answer.subject, "text": answer.text, "name": answer.name, "address": answer.address,
        "is_cut": "yes" if answer.is_cut else "",
    }  # fmt: skip
    return privacy.seal(campaign, table="reply", row=key, values=values)


def _printable(text: str) -> str:
    """Return text without characters that cannot be printed, or that turn the writing round; line breaks stay."""
    return "".join(char for char in text.replace("\t", " ") if char in _KEPT or char.isprintable())


class _Text(HTMLParser):
    """Gathers what people would read of a page, line by line."""

    SILENT = frozenset({"script", "style", "head", "title", "template"})
    LINES = frozenset({"p", "div", "br", "li", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "hr", "ul", "ol"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  as prescribed
        """Begin a line, or silence."""
        if not self._silent and tag in self.SILENT:
            self._silent = tag
        elif tag in self.LINES:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line, or silence."""
        if tag == self._silent:
            self._silent = ""
        elif tag in self.LINES and tag != "br":
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        """Gather words."""
        if not self._silent:
            self.said.append(re.sub(r"\s+", " ", data))


def _as_text(html: str) -> str:
    reader = _Text()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, NotImplementedError):  # what the parser says to broken markup
        return " ".join("".join(reader.said).split())
    lines = [" ".join(line.split()) for line in "".join(reader.said).split("\n")]
    return "\n".join(line for at, line in enumerate(lines) if line or (at and lines[at - 1]))

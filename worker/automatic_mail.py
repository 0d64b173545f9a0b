"""Mail that nobody wrote by hand: plain text, to one person, never to be answered by a machine."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Model

from letters.composing import WIRE, Message, finished, mailbox
from letters.endings import Accepted, Ending, NotSent
from worker import defects
from worker.transports import Line, LineDown

log = logging.getLogger(__name__)
LONGEST_BATCH = 60.0  # seconds; claims last five minutes, and one mail may take its share of them
GENERATED = "auto-generated"  # RFC 3834 §5
FORWARDED = "auto-forwarded"  # RFC 5436 §2.7.1
M = TypeVar("M", bound=Model)


def sender(name: str, local_part: str) -> Address:
    """Return a mailbox of our own domain under a name. Raises ValueError for line breaks in it."""
    return mailbox(name, f"{local_part}@{settings.MAIL_DOMAIN}")


def message(  # noqa: PLR0913  a mail has that many parts, all by name
    *, number: int, sender: Address, to: str, subject: str, text: str, date: datetime, key: str, kind: str = GENERATED,
    headers: Mapping[str, str] | None = None,
) -> Message:  # fmt: skip
    """Return a mail to one bare address as bytes.

    `key` is what its Message-ID begins with: the same mail composed again has the same. Raises ValueError for line
    breaks in an address.
    """
    mail = EmailMessage(policy=WIRE)
    mail["From"] = sender
    mail["To"] = mailbox("", to)
    mail["Subject"] = " ".join(subject.split())[:200]
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = f"<{key}@{settings.MAIL_DOMAIN}>"
    mail["Auto-Submitted"] = kind
    mail["X-Auto-Response-Suppress"] = "All"
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text, cte="quoted-printable")
    data = finished(mail)
    return Message(number, sender.addr_spec, to, data, sha256(data).hexdigest())


def send_all(
    line: Line,
    *,
    claim: Callable[[], list[M]],
    send: Callable[[M, Line], Ending],
    record: Callable[[M, Ending], None],
    give_back: Callable[[list[M]], None],
    is_stopping: Callable[[], bool],
) -> int:
    """Send what is due, batch by batch, over one line; return how much was accepted.

    Raises LineDown where the line was down before anything had left over it. What was claimed and could not be tried
    goes back untouched, also where a slow server takes so long that the claim might run out and another worker send the
    same, and where this process is asked to end.
    """
    sent = 0
    while not is_stopping() and (batch := claim()):
        claimed_at = time.monotonic()
        for position, one in enumerate(batch):
            if is_stopping() or (position and time.monotonic() - claimed_at > LONGEST_BATCH):
                give_back(batch[position:])
                break
            try:
                ending = send(one, line)
            except LineDown:
                give_back(batch[position:])
                if sent:
                    return sent
                raise
            except (DatabaseError, InterfaceError):
                raise
            except Exception as error:  # noqa: BLE001  one that cannot be composed must not keep the others waiting
                defects.tell(log, f"{type(one).__name__.lower()} {one.pk} failed", error)
                ending = NotSent("our side failed")
            sent += isinstance(ending, Accepted)
            record(one, ending)
    return sent

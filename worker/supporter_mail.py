"""Mail to supporters: the confirmation, with its code and its link; and what targets answered (worker.reply_mail)."""

import logging
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.template.loader import render_to_string
from django.utils import timezone, translation

from campaigns import publishing
from letters import notices, supporters, tokens, writing
from letters.composing import WIRE, Message, finished, mailbox
from letters.endings import Accepted, Ending, NotSent, Refused
from letters.models import Notice
from letters.page_words import phrase_of_targets
from worker import defects, reply_mail
from worker.transports import Line, LineDown

log = logging.getLogger(__name__)
BATCH = 50


def send_due(line: Line) -> int:
    """Send the notices that are due over one line; return how many were accepted.

    Raises LineDown; what was claimed and could not be tried goes back untouched.
    """
    sent = 0
    while batch := notices.claim(limit=BATCH, now=timezone.now()):
        for position, notice in enumerate(batch):
            try:
                ending = _send(notice, line)
            except LineDown:
                notices.give_back(batch[position:], now=timezone.now())
                raise
            except (DatabaseError, InterfaceError):
                raise
            except Exception as error:  # noqa: BLE001  one that cannot be composed must not keep the others waiting
                defects.tell(log, f"notice {notice.pk} failed", error)
                ending = NotSent("our side failed")
            accepted = isinstance(ending, Accepted)
            sent += accepted
            notices.record(notice, sent=accepted, refused=isinstance(ending, Refused), now=timezone.now())
    return sent


def _send(notice: Notice, line: Line) -> Ending:
    # The address is the supporter's own, never what the letter says by now: its text may have been changed since.
    to = supporters.address_of(notice.supporter)
    if notice.used_at is not None or not to:
        return Refused(0, "no longer wanted")
    message = reply_mail.compose(notice, to) if notice.kind == Notice.Kind.REPLY else compose(notice, to)
    return line.send(message, allow=lambda: True) if message is not None else Refused(0, "forgotten meanwhile")


def compose(notice: Notice, to: str) -> Message:
    """Return the confirmation mail: plain text, code in the first line, link, whom the letter is for.

    Nothing that was typed is in it: whoever types somebody else's address must not speak through our mail.
    """
    letter = notice.letter
    campaign = notice.supporter.campaign
    token = tokens.make(tokens.CONFIRM, bytes(notice.key))
    with translation.override(letter.language):
        context = {
            "code": tokens.code(bytes(notice.key)),
            "link": f"{settings.BASE_URL}/{letter.language}/{campaign.slug}/confirm/{token}/",
            "to_words": phrase_of_targets([t.name for t in writing.targets_of(letter, now=timezone.now())]),
            "organisation": campaign.organisation.name,
            "campaign_title": publishing.page_text(campaign, letter.language).title,
            "expires_on": notice.created_at + timedelta(hours=campaign.confirm_within_hours),
            "test": settings.BUILT_IN_MAIL_SERVER,
        }
        subject = " ".join(render_to_string("confirmation/subject.txt", context, using="jinja2").split())
        text = render_to_string("confirmation/body.txt", context, using="jinja2")
    domain = settings.MAIL_DOMAIN
    mail = EmailMessage(policy=WIRE)
    mail["From"] = mailbox(campaign.organisation.name, f"confirm@{domain}")
    mail["To"] = mailbox("", to)
    mail["Subject"] = subject[:200]
    mail["Date"] = format_datetime(notice.created_at)
    mail["Message-ID"] = f"<notice-{notice.pk}-{bytes(notice.key).hex()[:12]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text, cte="quoted-printable")
    data = finished(mail)
    return Message(notice.pk, f"confirm@{domain}", to, data, sha256(data).hexdigest())

"""Mail to supporters: the confirmation, with its code and its link; and what targets answered (worker.reply_mail)."""

import logging
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from campaigns import publishing
from letters import notices, supporters, tokens, writing
from letters.composing import Message
from letters.endings import Accepted, Ending, Refused
from letters.models import Notice
from letters.page_words import phrase_of_targets
from worker import automatic_mail, reply_mail
from worker.transports import Line

log = logging.getLogger(__name__)
BATCH = 50
SENDER = "confirm"


def send_due(line: Line) -> int:
    """Send the notices that are due over one line; return how many were accepted. Raises LineDown."""
    return automatic_mail.send_all(
        line,
        claim=lambda: notices.claim(limit=BATCH, now=timezone.now()),
        send=_send,
        record=_record,
        give_back=lambda batch: notices.give_back(batch, now=timezone.now()),
    )


def _record(notice: Notice, ending: Ending) -> None:
    sent, refused = isinstance(ending, Accepted), isinstance(ending, Refused)
    notices.record(notice, sent=sent, refused=refused, now=timezone.now())


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
        subject = render_to_string("confirmation/subject.txt", context, using="jinja2")
        text = render_to_string("confirmation/body.txt", context, using="jinja2")
    return automatic_mail.message(
        number=notice.pk, sender=automatic_mail.sender(campaign.organisation.name, SENDER), to=to,
        subject=subject, text=text, date=notice.created_at, key=f"notice-{notice.pk}-{bytes(notice.key).hex()[:12]}",
    )  # fmt: skip

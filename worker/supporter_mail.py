"""Mail to supporters: the confirmation, with its code and its link; the others are composed by modules of their own."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone, translation

from campaigns import publishing
from letters import inquiries, notices, tokens, writing
from letters.composing import Message
from letters.endings import Accepted, Ending, Refused
from letters.models import Notice
from letters.page_words import phrase_of_targets
from targets import suppressions
from worker import automatic_mail, letter_mail, reply_mail, rights_mail
from worker.plain_mail import plain
from worker.transports import Line

BATCH = 50
_OTHERS: dict[str, Callable[[Notice, str], Message | None]] = {  # than confirmations and reminders
    Notice.Kind.REPLY: reply_mail.compose,
    Notice.Kind.MY_DATA: rights_mail.compose_link,
    Notice.Kind.LATER: rights_mail.compose_draft,
    Notice.Kind.ALREADY: letter_mail.compose_already,
    Notice.Kind.COPY: letter_mail.compose_copy,
    Notice.Kind.ONCE: rights_mail.compose_wish,
    Notice.Kind.TOLD: rights_mail.compose_told,
}
_STILL_TRUE = {Notice.Kind.ALREADY, Notice.Kind.LATER}  # though their address was proved before they left


def send_due(line: Line, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Send the notices that are due over one line; return how many were accepted. Raises LineDown: as `send_all`."""
    inquiries.answer(now=timezone.now())
    return automatic_mail.send_all(
        line,
        claim=lambda: notices.claim(limit=BATCH, now=timezone.now()),
        send=_send,
        record=_record,
        give_back=lambda batch: notices.give_back(batch, now=timezone.now()),
        is_stopping=is_stopping,
    )


def _record(notice: Notice, ending: Ending) -> None:
    refused = isinstance(ending, Refused)
    came_back = isinstance(ending, Refused) and ending.code > 0  # nought: our own decision
    notices.record(
        notice, sent=isinstance(ending, Accepted), refused=refused, came_back=came_back, now=timezone.now()
    )


def _send(notice: Notice, line: Line) -> Ending:
    # The address is the supporter's own, never what the letter says by now: its text may have been changed since.
    to = notices.address_of(notice)
    is_used = notice.used_at is not None and notice.kind not in _STILL_TRUE
    if is_used or not to or suppressions.covers(suppressions.address_hash(to), now=timezone.now()):
        return Refused(0, "no longer wanted")
    other = _OTHERS.get(notice.kind)
    message = other(notice, to) if other is not None else compose(notice, to)
    return line.send(message, allow=lambda: True) if message is not None else Refused(0, "forgotten meanwhile")


def compose(notice: Notice, to: str) -> Message:
    """Return the confirmation mail: plain text, code in the first line, link, whom the letter is for.

    Nothing that was typed is in it: whoever types somebody else's address must not speak through our mail.
    """
    letter = notice.letter
    assert letter is not None  # noqa: S101  a constraint: such a notice is about a letter
    campaign = notice.supporter.campaign
    token = tokens.make(tokens.CONFIRM, bytes(notice.key))
    with translation.override(letter.language):
        expires_on = letter.expires_at or notice.created_at + timedelta(hours=campaign.confirm_within_hours)
        context = {
            "code": tokens.code(bytes(notice.key)),
            "link": f"{settings.BASE_URL}/{letter.language}/{campaign.slug}/confirm/{token}/",
            "to_words": phrase_of_targets([t.name for t in writing.targets_of(letter, now=timezone.now())]),
            "organisation": campaign.organisation.name,
            "campaign_title": publishing.page_text(campaign, letter.language).title,
            "expires_on": expires_on,
            "closes_at": campaign.closes_at if campaign.closes_at and campaign.closes_at < expires_on else None,
            "time_zone": campaign.time_zone,
            "test": settings.BUILT_IN_MAIL_SERVER,
        }
        template = "reminder" if notice.kind == Notice.Kind.REMINDER else "confirmation"
        return plain(notice, to, template=template, context=context)

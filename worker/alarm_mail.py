"""Mail to members: their campaign paused by itself, why, what shows it, and what to do (letters.alarms)."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from campaigns import publishing
from letters import alarms, pause_words
from letters.composing import Message
from letters.endings import Accepted, Ending, Refused
from letters.stoppages import Alarm
from worker import automatic_mail
from worker.transports import Line

log = logging.getLogger(__name__)
BATCH = 50
SENDER = "confirm"  # its mail is taken for nothing but bounces (letters.incoming)


def send_due(line: Line, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Send the alarms that are due over one line; return how many were accepted. Raises LineDown: as `send_all`."""
    return automatic_mail.send_all(
        line,
        claim=lambda: alarms.claim(limit=BATCH, now=timezone.now()),
        send=_send,
        record=_record,
        give_back=alarms.give_back,
        is_stopping=is_stopping,
    )


def _record(alarm: Alarm, ending: Ending) -> None:
    sent, refused = isinstance(ending, Accepted), isinstance(ending, Refused)
    alarms.record(alarm, sent=sent, refused=refused, now=timezone.now())


def _send(alarm: Alarm, line: Line) -> Ending:
    if alarm.campaign.paused_at != alarm.paused_at:  # somebody has looked already
        return Refused(0, "no longer paused")
    return line.send(compose(alarm), allow=lambda: True)


def compose(alarm: Alarm) -> Message:
    """Return the mail: what happened, what shows it, what to do, and where to resume."""
    campaign = alarm.campaign
    with translation.override(settings.LANGUAGE_CODE):  # the desk speaks English
        context = {
            "said": pause_words.words_of(alarm.cause, alarm.evidence),
            "paused_at": alarm.paused_at,
            "board": settings.BASE_URL + reverse("organisers:delivery", args=[campaign.slug]),
            "organisation": campaign.organisation.name,
            "campaign_title": publishing.page_text(campaign).title,
        }
        subject = render_to_string("alarm/subject.txt", context, using="jinja2")
        text = render_to_string("alarm/body.txt", context, using="jinja2")
    return automatic_mail.message(
        number=alarm.pk, sender=automatic_mail.sender("Postbag", SENDER), to=alarm.user.email, subject=subject,
        text=text, date=alarm.paused_at, key=f"alarm-{alarm.pk}",
    )  # fmt: skip

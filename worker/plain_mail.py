"""Mail to a supporter, from the organisation whose campaign it is about: one folder of templates for each kind."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from letters import notices, tokens
from letters.composing import Message
from letters.models import Notice
from worker import automatic_mail

RULE = ("- " * 20).strip()  # above and below what somebody else, or somebody before, wrote


def plain(
    notice: Notice, to: str, *, template: str, context: Mapping[str, Any], sender: str = "confirm",
    named: str = "notice", kind: str = automatic_mail.GENERATED, headers: Mapping[str, str] | None = None,
) -> Message:  # fmt: skip
    """Return the mail of a notice: subject and text of one folder of templates, in the language in force.

    `sender` is the local part it comes from, `named` the first word of its Message-ID; bounces name it.
    """
    return automatic_mail.message(
        number=notice.pk,
        sender=automatic_mail.sender(notice.supporter.campaign.organisation.name, sender),
        to=to,
        subject=render_to_string(f"{template}/subject.txt", dict(context), using="jinja2"),
        text=render_to_string(f"{template}/body.txt", dict(context), using="jinja2"),
        date=notice.created_at,
        key=f"{named}-{notice.pk}-{notices.proof_of(notice)}",
        kind=kind,
        headers=headers,
    )


def unsubscribing(notice: Notice) -> dict[str, str]:
    """Return the headers by which a mail program stops such mail with one tap (RFC 8058)."""
    token = tokens.make(tokens.STOP, bytes(notice.supporter.key))
    return {
        "List-Unsubscribe": f"<{settings.BASE_URL}/my/stop/{token}/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }

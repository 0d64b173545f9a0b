"""Mail that people ask for themselves: links to a draft and to what is kept, and what they wanted to be told once."""

from typing import Any

from django.conf import settings
from django.utils import translation

from campaigns import publishing
from letters import continuing, inquiries, tokens
from letters.composing import Message
from letters.models import Notice
from worker.plain_mail import plain, unsubscribing


def compose_link(notice: Notice, to: str) -> Message:
    """Return the mail with the link to everything that is kept about its address."""
    token = tokens.make(tokens.MY_DATA, bytes(notice.key))
    with translation.override(notice.language):
        context = {
            **_campaign(notice),
            "link": f"{settings.BASE_URL}/my/open/{token}/",
            "until": notice.created_at + inquiries.LINK_LASTS_FOR,
        }
        return plain(notice, to, template="my_data", context=context)


def compose_draft(notice: Notice, to: str) -> Message | None:
    """Return the mail with the link to a draft; None where it was sent, has run out, or names another address by now.

    Nothing that was typed is in it: whoever asked for it has proved nothing.
    """
    draft = notice.letter
    if draft is None or not continuing.may_be_opened_by(draft, notice.supporter):
        return None
    token = tokens.make(tokens.DRAFT, bytes(draft.key))
    with translation.override(notice.language):
        slug = notice.supporter.campaign.slug
        context = {
            **_campaign(notice),
            "ask_title": publishing.title_of(draft.ask, notice.language),
            "link": f"{settings.BASE_URL}/{notice.language}/{slug}/draft/{token}/write/",
            "until": draft.expires_at,
        }
        return plain(notice, to, template="later", context=context)


def compose_wish(notice: Notice, to: str) -> Message:
    """Return the mail that asks whether its owner wants to be told once how a campaign goes on."""
    token = tokens.make(tokens.ONCE, bytes(notice.key))
    with translation.override(notice.language):
        slug = notice.supporter.campaign.slug
        context = {**_campaign(notice), "link": f"{settings.BASE_URL}/{notice.language}/{slug}/once/{token}/"}
        return plain(notice, to, template="once", context=context)


def compose_told(notice: Notice, to: str) -> Message | None:
    """Return the one mail that somebody asked for; the organisers wrote it."""
    if notice.telling is None:
        return None
    with translation.override(notice.language):
        slug = notice.supporter.campaign.slug
        context = {
            **_campaign(notice),
            "words": notice.telling.words,
            "address": f"{settings.BASE_URL}/{notice.language}/{slug}/",
        }
        return plain(notice, to, template="told", context=context, headers=unsubscribing(notice))


def _campaign(notice: Notice) -> dict[str, Any]:
    campaign = notice.supporter.campaign
    return {
        "organisation": campaign.organisation.name,
        "campaign_title": publishing.page_text(campaign, notice.language).title,
        "test": settings.BUILT_IN_MAIL_SERVER,
    }

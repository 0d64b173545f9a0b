"""Mail about a letter that its writer confirmed, with the way to its status page."""

from typing import Any

from django.conf import settings
from django.utils import translation

from campaigns import publishing
from letters import composing, tokens, writing
from letters.composing import Message
from letters.models import Letter, Notice
from letters.page_words import phrase_of_targets
from worker.plain_mail import RULE, plain


def compose_already(notice: Notice, to: str) -> Message | None:
    """Return the mail that says when this address wrote for an ask, in place of a second confirmation.

    None where that letter was taken back meanwhile. Nothing of either letter is in it: whoever wrote the new one has
    proved nothing.
    """
    letter = notice.letter
    if letter is None or letter.stage != Letter.Stage.CONFIRMED:
        return None
    with translation.override(notice.language):
        return plain(notice, to, template="already", context=_about(letter, notice))


def compose_copy(notice: Notice, to: str) -> Message | None:
    """Return the mail with a letter as the first of its targets reads it; None once it is taken back or forgotten.

    Whoever confirmed the letter has proved the address: this mail may hold what was typed.
    """
    letter = notice.letter
    if letter is None or letter.stage != Letter.Stage.CONFIRMED or not letter.sealed:
        return None
    deliveries = letter.deliveries.select_related("version").order_by("pk")
    finisher = composing.Finisher(letter.template, writing.read(letter), draw=letter.draw)
    finished = finisher.finish(deliveries[0].version.values)
    with translation.override(notice.language):
        context = {
            **_about(letter, notice),
            "ask_title": publishing.title_of(letter.ask, notice.language),
            "targets": len(deliveries),
            "subject": finished.subject,
            "text": finished.text,
            "rule": RULE,
            "test": settings.BUILT_IN_MAIL_SERVER,
        }
        return plain(notice, to, template="copy", context=context)


def _about(letter: Letter, notice: Notice) -> dict[str, Any]:
    """Return what such mail says of a confirmed letter, in the language in force."""
    campaign, lang = notice.supporter.campaign, notice.language
    names = letter.deliveries.order_by("pk").values_list("version__values__name", flat=True)
    return {
        "to_words": phrase_of_targets([str(name) for name in names]),
        "confirmed_at": letter.confirmed_at,
        "link": f"{settings.BASE_URL}/letter/{tokens.make(tokens.STATUS, bytes(letter.key))}/?lang={lang}",
        "organisation": campaign.organisation.name,
        "campaign_title": publishing.page_text(campaign, lang).title,
    }

"""How a letter begins: to whom, in which language and wording, and which of its variants; nothing is saved here."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from campaigns import publishing
from campaigns.models import Ask, LetterTemplate
from letters import choosing, composing, drafts, fields, replies, tokens
from letters.composing import Content
from letters.models import Letter
from letters.refusals import CampaignClosed, LetterRefused


def outlined(  # noqa: PLR0913  a beginning has that many facts, all by name
    *,
    ask: Ask,
    language: str,
    now: datetime,
    sentence: str = "",
    source: str = "",
    after: Letter | None = None,
    proven: bool = False,
    country: str = "",
    targets: Sequence[str] | None = None,
    drawn: str = "",
) -> Letter:
    """Return a draft as `writing.begin` would keep it. Raises CampaignClosed, LetterRefused.

    `drawn` is what `shown` said of a letter that a page showed before it began: its wording and variants, once more.
    """
    if not ask.campaign.is_open_at(now):
        raise CampaignClosed
    content = Content()
    if after is not None and after.sealed:
        earlier = drafts.read(after)
        content = Content(
            name=earlier.name, email=earlier.email, town=earlier.town, country=earlier.country,
            copy_to_me="" if ask.is_dangerous else earlier.copy_to_me,
        )  # fmt: skip
    errors: dict[str, str] = {}
    sentence = fields.text("sentence", sentence, errors, most=fields.SENTENCE_LIMIT)
    content = replace(content, country=country or content.country)
    if ask.offers_choice:
        chosen = choosing.begun(ask, errors, country=content.country, shown=targets, now=now)
        content = replace(content, targets=chosen)
    if errors:
        raise LetterRefused(errors)
    template, given, draw = _drawn(ask, content, drawn, now=now)
    content = composing.pinned(content, ask, template.language)
    subject, body = composing.given(given, content, draw=draw)
    content = replace(
        content, subject=subject, sentence=sentence, body="\n\n".join(filter(None, (sentence, body))),
        began_with="" if given == template else str(given.pk),
    )  # fmt: skip
    letter = Letter(
        campaign=ask.campaign, ask=ask, template=template, language=language, draw=draw, source=source[:40],
        supporter=after.supporter if after is not None and proven else None, proven=proven and after is not None,
        created_at=now, expires_at=now + drafts.LIVE_FOR,
    )  # fmt: skip
    letter.passes_replies = replies.come_back(content, ask)
    drafts.keep(letter, content)
    return letter


def shown(letter: Letter, *, now: datetime) -> str:
    """Return what a page sends back to begin with the very wording and variants it shows; the wording is locked."""
    publishing.lock(letter.template, now=now)
    return tokens.drawn(letter.template_id, letter.draw, now=now)


def _drawn(ask: Ask, content: Content, drawn: str, *, now: datetime) -> tuple[LetterTemplate, LetterTemplate, int]:
    """Return a letter's wording, the one of the text that its writer was given, and its draw.

    They are what a page showed. Where it stood open for longer than a draft would live, what is fixed around the text
    is of today's wording, and own words are still counted against the text that was there.
    """
    known = tokens.read_drawn(drawn)
    given = ask.templates.filter(pk=known.template_id).first() if known else None
    if known and given and now.timestamp() - known.at < drafts.LIVE_FOR.total_seconds():
        return given, given, known.draw
    language = given.language if given else choosing.letter_language(ask, content, now=now)
    template = publishing.current_template(ask, language)
    if template is None:
        raise CampaignClosed
    return template, given or template, known.draw if known and given else secrets.randbits(62)

"""How a letter begins: to whom, in which language and wording, and which of its variants."""

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


def begin(  # noqa: PLR0913  a beginning has that many facts, all by name
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
    is_kept: bool = True,
) -> Letter:
    """Begin a draft; variants are drawn now and stay, or were when a page showed them. Locks the wording.

    Raises CampaignClosed, LetterRefused. `language` is the page's; the letter's is the one that all its targets read,
    else the ask's own. `after` is the same person's earlier letter: name, e-mail, town and wish for a copy are kept.
    `proven` says that they have just confirmed that address, so that this letter needs no mail to prove it. Where the
    ask offers a choice, it goes to `targets`, public ids as a page showed them, or else to those suggested to somebody
    from `country`. With `is_kept` false the draft is only shown: what was drawn for it comes back, signed by
    `tokens.drawn`, as `drawn`.
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
    publishing.lock(template, now=now)
    if is_kept:
        letter.save()
    return letter


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

"""Which language a letter is in, and changing it: the text given changes with it, what somebody wrote is kept."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import languages as campaign_languages
from campaigns import publishing
from campaigns.models import LetterTemplate
from letters import composing, drafts, own_words
from letters.composing import Content
from letters.models import Letter
from letters.refusals import LetterRefused


def given(letter: Letter, content: Content) -> tuple[str, str]:
    """Return the subject and body that the supporter was given to edit: in the language the text began with."""
    template = letter.template
    if content.began_with:
        template = LetterTemplate.objects.get(pk=int(content.began_with))
    return _given(template, letter, content)


def is_edited(letter: Letter, content: Content) -> bool:
    """Return whether subject or body are not as given, beside the sentence of their own that stands first."""
    subject, body = given(letter, content)
    rest = content.body.removeprefix(content.sentence)
    return content.subject != subject or rest.split() != body.split()


def change(letter: Letter, *, language: str, keeps_text: bool, now: datetime) -> Content:
    """Let a letter be in another language of its ask; raises LetterRefused where there is no wording in it.

    Salutation and closing are in the new language, and so is the text, with the writer's own sentence before it;
    unless it `keeps_text`: then subject and body stay word for word.
    """
    template = publishing.current_template(letter.ask, language)
    if template is None or template.language != language:
        raise LetterRefused({"letter_language": _("There is no letter in this language. Choose another.")})
    with transaction.atomic():
        # Read again under a lock: the text may have been changed in another window meanwhile.
        letter.refresh_from_db(fields=["stage", "sealed"], from_queryset=Letter.objects.select_for_update())
        drafts.reopen(letter, now=now)
        before = drafts.read(letter)
        content = composing.pinned(before, letter.ask, language)
        if keeps_text:
            began_with = before.began_with or str(letter.template_id)
            content = replace(content, began_with="" if began_with == str(template.pk) else began_with)
        else:
            subject, body = _given(template, letter, content)
            body = "\n\n".join(filter(None, (content.sentence, body)))
            content = replace(content, subject=subject, body=body, began_with="")
        letter.template = template
        letter.own_words = own_words.count(content.body, given(letter, content)[1])
        letter.expires_at = drafts.ends_at(letter, now=now)
        drafts.keep(letter, content)
        letter.save(update_fields=["template", "own_words", "expires_at", "sealed"])
        publishing.lock(template, now=now)
    return content


def reading_aid(letter: Letter, content: Content, readable: Iterable[str]) -> tuple[str, str]:
    """Return what the letter was given to say, in the first of these languages that it is written in, and which.

    Both are empty where there is none, or where the letter's own comes first: whoever reads that needs no aid.
    Wordings have their variants in the same order, so the same draw chooses the same.
    """
    written = campaign_languages.languages_of(letter.ask)
    language = next((each for each in readable if each in written), letter.template.language)
    template = publishing.current_template(letter.ask, language)
    if template is None or language == letter.template.language:
        return "", ""
    return _given(template, letter, content)[1], language


def _given(template: LetterTemplate, letter: Letter, content: Content) -> tuple[str, str]:
    said = composing.pinned(content, letter.ask, template.language)
    return composing.given(template, said, draw=letter.draw)

"""A letter as a page shows it to be written on: what is fixed around it, what is said of it, who is asked what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import publishing
from campaigns.wording import Manner, remarks_on
from letters import composing, languages, own_words
from letters.composing import Content
from letters.models import Letter
from targets.models import Target
from web import languages as page_languages
from web.supporters import consent_words, letter_language, partner_lines
from web.supporters.finding import carried

_CUT = "\ue000"  # a sign of no script: where the body stands in a finished letter
_COURTESY = {
    Manner.INSULT: gettext_lazy("“%(phrase)s” may get your letter thrown away. Keep it, or say what they did instead."),
    Manner.THREAT: gettext_lazy("“%(phrase)s” may be read as a threat. Keep it, or say what you hope for instead."),
    Manner.SHOUTING: gettext_lazy("“%(phrase)s” reads as if you shouted. Keep it, or write it in small letters."),
    Manner.MARKS: gettext_lazy("“%(phrase)s” reads as if you shouted. Keep it, or end with one mark."),
}


@dataclass(frozen=True)
class Frame:
    """What stands fixed around the part that a supporter edits."""

    salutation: str
    closing: str


def of(
    request: HttpRequest, letter: Letter, values: Mapping[str, str], *, to: Target | None, reached: int, lang: str
) -> dict[str, Any]:
    """Return what the parts of a page show on which this letter, begun or not, is written; `values` as typed.

    The sheet is the letter `to` one target of those that it reaches.
    """
    content = Content(**{name: values[name] for name in Content().values()})
    given, spoken = languages.given(letter, content)[1], letter.template.language
    return {
        "lang": lang,
        "letter": letter,
        "ask": letter.ask,
        "ask_title": publishing.title_of(letter.ask, lang),
        "ask_text": publishing.text_of(letter.ask, lang),
        "text": publishing.page_text(letter.campaign, lang),
        "values": values,
        "reached": reached,
        "frame": frame_of(letter, content, to) if to is not None else Frame("", ""),
        "own_words": own_words.count(content.body, given),
        "courtesy": courtesy_words(content, given, languages={spoken, lang}),
        "spoken": spoken,
        "starters": publishing.text_of(letter.ask, spoken),
        "other_languages": letter_language.others(letter),
        "reading_aid": languages.reading_aid(letter, content, _readable(request, letter, lang)),
        "news_words": consent_words.news(letter.campaign),
        "partner_lines": partner_lines.of([letter]),
        "carried": carried(request),
    }


def courtesy_words(content: Content, given: str, *, languages: Collection[str]) -> list[str]:
    """Return a sentence for each phrase of the supporter's own that may get their letter thrown away."""
    own = f"{content.subject}\n\n{content.body}"
    remarks = remarks_on(own, languages=languages, given=given)
    return [_COURTESY[one.manner] % {"phrase": one.phrase} for one in remarks]


def frame_of(letter: Letter, content: Content, target: Target) -> Frame:
    """Return salutation and closing for one target, cut from the finished letter: they cannot differ."""
    shown = replace(content, body=_CUT, name=content.name or _("Your name"))
    finished = composing.Finisher(letter.template, shown, draw=letter.draw).finish(target.values())
    salutation, _cut, closing = finished.text.partition(_CUT)
    return Frame(salutation.strip(), closing.strip())


def _readable(request: HttpRequest, letter: Letter, lang: str) -> list[str]:
    """Return the languages that the writer may read, the likeliest first."""
    usual = (letter.campaign.default_language, settings.LANGUAGE_CODE)
    return [lang, *page_languages.accepted(request), *usual]

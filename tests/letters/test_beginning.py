"""A letter that a page shows before it begins: what was shown is what begins, and looking keeps nothing."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, LetterTemplate
from letters import composing, own_words, tokens, writing
from letters.models import Letter
from letters.writing import CampaignClosed, LetterRefused
from targets.models import Target
from tests import cast
from tests.letters.test_languages import GERMAN

pytestmark = pytest.mark.django_db
NEWER = {
    "salutation": "To {{ target.name }},",
    "body": "The oil workers are in court now.\n\nPlease send somebody who watches the trial.",
    "closing": "With respect",
}


def _shown(ask: Ask, now: datetime) -> tuple[Letter, str]:
    """Return a letter as a page shows it, and what the page sends back."""
    letter = writing.begin(ask=ask, language="en", now=now, is_kept=False)
    return letter, tokens.drawn(letter.template_id, letter.draw, now=now)


def _begun(ask: Ask, drawn: str, now: datetime) -> Letter:
    return Letter.objects.get(pk=writing.begin(ask=ask, language="en", now=now, drawn=drawn).pk)


def _newer(ask: Ask, by: User) -> LetterTemplate:
    saved, findings = publishing.save_template(ask=ask, by=by, language="en", passages={**cast.WORDING, **NEWER})
    assert saved is not None, findings
    return saved


def test_looking_keeps_nothing(ask: Ask, now: datetime) -> None:
    drawn = _shown(ask, now)[1]
    assert not Letter.objects.exists()
    assert len(drawn) == 38


def test_what_begins_is_what_was_shown(ask: Ask, now: datetime) -> None:
    bodies = set()
    for _ in range(20):
        letter, drawn = _shown(ask, now)
        begun = _begun(ask, drawn, now + timedelta(hours=23, minutes=59))
        assert (begun.template, begun.draw) == (letter.template, letter.draw)
        assert writing.read(begun) == writing.read(letter)
        bodies.add(writing.read(begun).body)
    assert len(bodies) == 2, "and each look draws anew"


def test_a_wording_that_is_shown_is_locked_and_a_letter_begins_with_it_also_once_there_is_a_newer(
    alice: User, ask: Ask, now: datetime
) -> None:
    letter, drawn = _shown(ask, now)
    newer = _newer(ask, alice)
    assert newer.version == letter.template.version + 1
    begun = _begun(ask, drawn, now + timedelta(hours=1))
    assert begun.template == letter.template
    assert writing.read(begun).body == writing.read(letter).body
    assert _begun(ask, "", now).template == newer


@pytest.mark.parametrize("forged", ["", "x", "x" * 38, "ä" * 38, "=", "A" * 5000, "first", "last", "another ask's"])
def test_a_forged_sign_begins_like_none(alice: User, ask: Ask, now: datetime, forged: str) -> None:
    letter, drawn = _shown(ask, now)
    if forged == "another ask's":
        forged = _shown(cast.the_ask(cast.an_open_campaign(alice, slug="others")), now)[1]
    elif forged == "first":
        forged = ("B" if drawn[0] == "A" else "A") + drawn[1:]
    elif forged == "last":
        forged = drawn[:-5] + ("B" if drawn[-5] == "A" else "A") + drawn[-4:]
    newer = _newer(ask, alice)
    begun = _begun(ask, forged, now)
    assert begun.template == newer
    assert begun.draw != letter.draw


def test_an_old_sign_puts_todays_wording_around_the_text_that_was_shown(alice: User, ask: Ask, now: datetime) -> None:
    letter, drawn = _shown(ask, now)
    newer, later = _newer(ask, alice), now + timedelta(hours=24)
    begun = _begun(ask, drawn, later)
    assert begun.template == newer
    text = writing.read(letter).body
    assert writing.read(begun).body == text
    kept = writing.revise(begun, posted={**cast.DANA, "body": text, "sentence": ""}, now=later)
    assert begun.own_words == 0
    assert own_words.count(text, composing.given(newer, kept, draw=begun.draw)[1]) > 9, "against today's text"
    assert writing.previews(begun, now=later)[0].letter.text.startswith("To Anna Lund,\n\nthe oil workers")


def test_an_old_sign_of_a_wording_that_is_still_todays_changes_nothing(ask: Ask, now: datetime) -> None:
    letter, drawn = _shown(ask, now)
    begun = _begun(ask, drawn, now + timedelta(days=9))
    assert (begun.template, begun.draw) == (letter.template, letter.draw)
    assert writing.read(begun) == writing.read(letter)


def test_an_old_sign_keeps_the_language_that_was_shown(alice: User, ask: Ask, now: datetime) -> None:
    publishing.save_template(ask=ask, by=alice, language="de", passages=GERMAN)
    Target.objects.update(language="de")
    letter, drawn = _shown(ask, now)
    assert letter.template.language == "de"
    publishing.save_template(ask=ask, by=alice, language="de", passages={**GERMAN, "closing": "Hochachtungsvoll"})
    Target.objects.update(language="en")
    begun = _begun(ask, drawn, now + timedelta(hours=24))
    assert (begun.template.language, begun.template.closing) == ("de", "Hochachtungsvoll")


def test_nothing_is_shown_of_a_closed_campaign_or_without_a_wording(alice: User, ask: Ask, now: datetime) -> None:
    drawn = _shown(ask, now)[1]
    draft = cast.the_ask(cast.a_draft_campaign(alice, slug="unpublished"))
    with pytest.raises(CampaignClosed):
        writing.begin(ask=draft, language="en", now=now, is_kept=False)
    ask.templates.all().delete()
    with pytest.raises(CampaignClosed):
        writing.begin(ask=ask, language="en", now=now, drawn=drawn, is_kept=False)


def test_what_is_refused_begins_nothing(ask: Ask, now: datetime) -> None:
    with pytest.raises(LetterRefused) as refused:
        writing.begin(ask=ask, language="en", now=now, sentence="x" * 2001, drawn=_shown(ask, now)[1])
    assert set(refused.value.errors) == {"sentence"}
    assert not Letter.objects.exists()


def test_the_sign_says_when_it_was_given(ask: Ask, now: datetime) -> None:
    letter, drawn = _shown(ask, now)
    assert tokens.read_drawn(drawn) == tokens.Drawn(letter.template_id, letter.draw, int(now.timestamp()))

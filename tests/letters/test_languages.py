"""The language of a letter: that of its targets, changed without losing a word."""

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from letters import languages, writing
from letters.models import Letter
from targets import lists
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
GERMAN = {
    "subject": "Die Ölarbeiter von Schanaosen",
    "salutation": '{{ target.salutation | default("Sehr geehrte Damen und Herren") }},',
    "body": "Ölarbeiter streiken seit Mai.\n\n"
    "{% variant %}Bitte sprechen Sie vor dem 16. Dezember für sie.{% or %}"
    "Bitte sagen Sie vor dem 16. Dezember, dass sie nicht vergessen sind.{% endvariant %}",
    "closing": "Mit freundlichen Grüßen",
}
OWN = "My grandfather worked on the oil fields."


@pytest.fixture
def ask(alice: User) -> Ask:
    """Return an open ask with a wording in English and one in German."""
    ask = cast.the_ask(cast.an_open_campaign(alice))
    template, findings = publishing.save_template(ask=ask, by=alice, language="de", passages=GERMAN)
    assert template is not None, findings
    return ask


def _read(ask: Ask, *spoken: str) -> None:
    """Let the targets of the list read these languages."""
    for target, language in zip(lists.active_targets(ask.target_list), spoken, strict=True):
        target.language = language
        target.save()


def _begun(ask: Ask, *, sentence: str = OWN) -> Letter:
    return writing.begin(ask=ask, language="en", now=cast.NOW, sentence=sentence)


@pytest.mark.parametrize(
    ("spoken", "language"),
    [
        (("de", "de", "de"), "de"),
        (("de", "de-at", "de"), "de"),
        (("de", "en", "de"), "en"),
        (("de", "", "de"), "en"),
        (("fr", "fr", "fr"), "en"),  # there is no wording in French
        (("", "", ""), "en"),
    ],
)
def test_a_letter_is_in_the_language_that_all_its_targets_read(
    ask: Ask, spoken: tuple[str, ...], language: str
) -> None:
    _read(ask, *spoken)
    letter = _begun(ask)
    assert letter.template.language == language
    assert letter.language == "en"  # the page's
    assert writing.read(letter).body.startswith(OWN)


def test_an_untouched_text_changes_with_the_language_and_keeps_the_own_sentence(ask: Ask) -> None:
    letter = _begun(ask)
    before = writing.read(letter)
    assert not languages.is_edited(letter, before)
    content = languages.change(letter, language="de", keeps_text=False, now=cast.NOW)
    assert content.subject == GERMAN["subject"]
    assert content.body.startswith(f"{OWN}\n\nÖlarbeiter streiken")
    again = languages.change(letter, language="en", keeps_text=False, now=cast.NOW)
    assert (again.subject, again.body) == (before.subject, before.body)  # the same draw


def test_a_kept_text_stays_word_for_word_and_is_counted_against_what_was_given(ask: Ask) -> None:
    letter = deeds.a_draft(ask, sentence="")
    body = writing.read(letter).body
    writing.revise(letter, posted={"body": f"{body}\n\nFour words of mine."}, now=cast.NOW)
    assert languages.is_edited(letter, writing.read(letter))
    content = languages.change(letter, language="de", keeps_text=True, now=cast.NOW)
    assert content.body == f"{body}\n\nFour words of mine."
    assert letter.own_words == 4
    finished = writing.previews(letter, now=cast.NOW)[0].letter
    assert finished.text.endswith("Mit freundlichen Grüßen")
    writing.revise(letter, posted={"body": f"{body}\n\nFour words of mine, and more."}, now=cast.NOW)
    assert letter.own_words == 6
    languages.change(letter, language="en", keeps_text=True, now=cast.NOW)
    assert writing.read(letter).began_with == ""
    assert letter.own_words == 6


def test_a_letter_that_waits_for_its_confirmation_is_nobodys_again_when_its_language_changes(ask: Ask) -> None:
    letter = deeds.an_awaiting_letter(ask)
    languages.change(letter, language="de", keeps_text=False, now=cast.NOW)
    letter.refresh_from_db()
    assert (letter.stage, letter.supporter) == (Letter.Stage.DRAFT, None)


def test_a_sent_letter_and_an_unknown_language_are_refused(ask: Ask) -> None:
    letter = _begun(ask)
    with pytest.raises(writing.LetterRefused):
        languages.change(letter, language="fr", keeps_text=False, now=cast.NOW)
    sent = deeds.a_confirmed_letter(ask)
    with pytest.raises(writing.LetterRefused):
        languages.change(sent, language="de", keeps_text=False, now=cast.NOW)
    assert Letter.objects.get(pk=sent.pk).template.language == "en"


def test_the_reading_aid_says_the_same_in_the_language_of_the_page(ask: Ask) -> None:
    _read(ask, "de", "de", "de")
    for _ in range(8):  # whichever variant was drawn
        letter = _begun(ask)
        content = writing.read(letter)
        aid, language = languages.reading_aid(letter, content, ["en"])
        assert language == "en"
        assert ("not forgotten" in aid) == ("vergessen" in content.body)


@pytest.mark.parametrize(
    ("readable", "language"),
    [
        (("kk", "ru", "en"), "en"),
        (("kk", "de", "en"), ""),  # they read the letter's own
        (("kk", "ru"), ""),
        ((), ""),
    ],
)
def test_the_reading_aid_is_in_a_language_that_its_reader_may_know(
    ask: Ask, readable: tuple[str, ...], language: str
) -> None:
    _read(ask, "de", "de", "de")
    letter = _begun(ask)
    aid, found = languages.reading_aid(letter, writing.read(letter), readable)
    assert found == language
    assert bool(aid) == bool(language)


def test_targets_are_greeted_in_the_language_of_the_letter(ask: Ask) -> None:
    anna = ask.target_list.targets.get(name="Anna Lund")
    values = {**cast.TARGETS[0], lists.SALUTATIONS: "de: Sehr geehrte Frau Ministerpräsidentin,\nfr: Madame"}
    lists.save_target(target_list=ask.target_list, values=values, target=anna)
    letter = deeds.a_draft(ask)
    assert writing.previews(letter, now=cast.NOW)[0].letter.text.startswith("Dear Prime Minister,")
    languages.change(letter, language="de", keeps_text=False, now=cast.NOW)
    first, second, _ = writing.previews(letter, now=cast.NOW)
    assert first.letter.text.startswith("Sehr geehrte Frau Ministerpräsidentin,")
    assert second.letter.text.startswith("Sehr geehrte Damen und Herren,")
    anna.refresh_from_db()
    assert anna.version is not None
    assert anna.version.values["salutation:de"] == "Sehr geehrte Frau Ministerpräsidentin"


@pytest.mark.parametrize("typed", ["Monsieur", "french!: Monsieur", "fr:"])
def test_a_salutation_that_does_not_say_its_language_is_refused(ask: Ask, typed: str) -> None:
    with pytest.raises(lists.TargetRefused) as refused:
        lists.save_target(target_list=ask.target_list, values={**cast.TARGETS[1], lists.SALUTATIONS: typed})
    assert lists.SALUTATIONS in refused.value.errors

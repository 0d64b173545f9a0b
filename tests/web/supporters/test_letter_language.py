"""The letter's language on the pages: suggested, changed, and never at the price of a word."""

import re

import pytest
from django.utils.translation import gettext, override

from campaigns.models import Ask
from letters import tokens
from targets.models import Target
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page, values
from web.presentation import language_name

TYPED = "I have changed this letter into something that is wholly mine, from the first word on."


def _change(dana: Dana, address: str, language: str, **fields: str) -> str:
    """Press the button of a language below what is typed on the page; return where that leads."""
    filled = {name: text for name, text in values(dana.get(address)).items() if name != "news"}  # which is not ticked
    answer = dana.post(address, {**filled, **fields, "letter_language": language})
    assert answer.status_code == 303, page(answer)
    return answer["Location"]


def test_a_letter_to_offices_that_read_german_is_suggested_in_german_with_a_reading_aid(dana: Dana) -> None:
    Target.objects.filter(lists__kind="performers").update(language="de")
    html = page(dana.get(dana.begin(2)))
    assert "Letter language: German" in html
    assert "Your letter will be sent in another language: German. What it says in yours:" in html
    aid = re.search(r'<details class="aid">.*?<div class="letter" lang="en" dir="ltr">(.*?)</div>', html, re.DOTALL)
    assert aid is not None
    assert "Natalia Sokolova" in aid[1]  # whichever variants were drawn
    assert re.search(r'<textarea id="body"[^>]* spellcheck="true"[^>]* lang="de"', html)
    assert '<p class="letter fixed" lang="de" dir="ltr">Sehr geehrter Sir Paul,</p>' in html
    assert '<span lang="de" dir="auto">Ihre Musik begleitet mich seit …</span>' in html


def test_where_nobody_wrote_the_letter_in_the_pages_language_the_aid_is_in_one_that_may_be_read(dana: Dana) -> None:
    Target.objects.filter(lists__kind="performers").update(language="de")
    dana.home = f"/ar/{dana.campaign.slug}/"
    html = page(dana.get(dana.begin(2)))
    aid = re.search(r'<details class="aid"><summary>(.*?)</summary>\s*<div class="letter" lang="en" dir="ltr">', html)
    assert aid is not None
    assert "الألمانية" in aid[1]  # German, which it is sent in
    assert "الإنجليزية" in aid[1]


def test_the_aid_is_in_the_language_that_the_browser_asks_for_next(dana: Dana) -> None:
    dana.home = f"/kk/{dana.campaign.slug}/"
    write = dana.begin()
    html = page(dana.browser.get(write, headers={"accept-language": "kk, ru;q=0.8, en;q=0.5"}))
    aid = re.search(r'<div class="letter" lang="ru" dir="ltr">(.*?)</div>', html, re.DOTALL)
    assert aid is not None
    assert "Казахстан" in aid[1]


@pytest.mark.parametrize("language", ["kk", "ar"])
def test_that_a_letter_is_in_another_language_is_said_also_where_there_is_no_aid(dana: Dana, language: str) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    html = page(dana.get(dana.begin()))
    assert 'class="aid"><summary>Your letter' not in html
    with override(language):
        said = gettext("Your letter will be sent in another language: %(language)s.")
        assert f'<p class="hint">{said % {"language": language_name("en")}}</p>' in html
    dana.home = f"/en/{dana.campaign.slug}/"
    assert "another language" not in page(dana.get(dana.begin()))


def test_an_untouched_letter_changes_its_language_at_once_and_keeps_what_was_typed(dana: Dana) -> None:
    write = dana.begin()
    assert _change(dana, write, "fr", name="Dana Writer", email="dana@") == write
    shown = values(dana.get(write))
    assert shown["body"].startswith(f"{SENTENCE}\n\n")
    assert "Kazakhstan" in shown["body"]
    assert shown["subject"] != ""
    assert (shown["sentence"], shown["name"], shown["email"]) == (SENTENCE, "Dana Writer", "dana@")
    assert 'lang="fr" dir="ltr">Monsieur le Chancelier,' in page(dana.get(write))
    check = dana.post(write, {**DANA})["Location"]
    assert "Je vous prie d'agréer, Monsieur le Président," in page(dana.get(check))


def test_a_changed_text_is_not_replaced_before_its_writer_says_so(dana: Dana) -> None:
    write = dana.begin()
    asked = _change(dana, write, "ru", body=TYPED)
    answer = dana.get(asked)
    html = page(answer)
    assert one_h1(answer) == "You have changed your letter. Keep your text?"
    assert TYPED in html
    assert values(dana.get(write))["body"] == TYPED  # looking at the question changed nothing
    fields = {"letter_language": "ru"}
    assert dana.post(write, {**fields, "text": "keep"})["Location"] == write
    assert values(dana.get(write))["body"] == TYPED
    assert dana.letter().template.language == "ru"
    assert "Letter language: Russian" in page(dana.get(write))


def test_the_text_in_the_other_language_can_be_loaded_with_the_own_sentence_before_it(dana: Dana) -> None:
    write = dana.begin()
    _change(dana, write, "es", body=f"{SENTENCE}\n\n{TYPED}")
    dana.post(write, {"letter_language": "es", "text": "load"})
    body = values(dana.get(write))["body"]
    assert body.startswith(SENTENCE)
    assert TYPED not in body
    assert "Kazajistán" in body


@pytest.mark.parametrize("language", ["", "kk", "en", "../..", "x" * 500])
def test_a_language_that_cannot_be_chosen_changes_nothing(dana: Dana, language: str) -> None:
    write = dana.begin()
    before = values(dana.get(write))
    assert _change(dana, write, language) == write
    assert values(dana.get(write)) == before
    assert dana.letter().template.language == "en"


def test_enter_in_a_field_checks_the_letter_and_changes_no_language(dana: Dana) -> None:
    html = page(dana.get(dana.begin()))
    assert 'id="writing"' in html
    first = re.search(r"<button[^>]*>", html)  # of those outside the form too
    assert first is not None
    assert 'form="writing"' in first[0]
    assert "name=" not in first[0]


def test_a_sent_letter_keeps_its_language(dana: Dana) -> None:
    dana.confirm()
    write = f"{dana.home}draft/{tokens.make(tokens.DRAFT, bytes(dana.letter().key))}/write/"
    dana.post(write, {"letter_language": "de", "text": "load"})
    assert dana.letter().template.language == "en"


def test_a_discourteous_phrase_is_named_on_both_pages_and_stops_nobody(dana: Dana) -> None:
    write = dana.begin()
    said = "“liar” may get your letter thrown away. Keep it, or say what they did instead."
    assert said not in page(dana.get(write))
    check = dana.post(write, {**DANA, "sentence": "You are a liar."})["Location"]
    assert said in page(dana.get(check))
    assert said in page(dana.get(write))
    assert "/confirm/" in dana.post(check)["Location"]


def test_every_ask_can_be_written_in_five_languages(dana: Dana) -> None:
    for position, ask in enumerate(Ask.objects.all()):
        html = page(dana.get(dana.begin(position)))
        offered = set(re.findall(r'name="letter_language" value="(..)"', html))
        assert offered == {"de", "es", "fr", "ru"}, ask

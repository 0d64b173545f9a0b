"""Catalogues: gathered, kept in step, checked and compiled; the committed ones are complete and fit the source."""

from functools import cache
from pathlib import Path

import pytest
from babel import Locale
from babel.messages import Catalog
from django.utils.translation import to_locale

from config import catalogues

pytestmark = pytest.mark.xdist_group("catalogues")  # one process gathers the texts, for all of them
LANGUAGES = catalogues.languages()
gathered = cache(catalogues.gathered)  # reading the whole source once is enough


def of(*texts: str | tuple[str, str]) -> Catalog:
    """Return what would have been gathered, were these the texts in the source."""
    made = Catalog(charset="utf-8")
    for text in texts:
        made.add(text, None, [("web/page.py", 1)])
    return made


def translate(folder: Path, language: str, text: str, translation: str | tuple[str, ...]) -> None:
    """Write a translation into a catalogue as a translator would, and compile it."""
    catalogue = catalogues.read(language, folder=folder)
    found = catalogue[text]
    assert found is not None
    found.string = translation
    catalogues.source(language, folder=folder).write_bytes(catalogues.written(catalogue))
    catalogues.compile_(language, folder=folder)


def test_supporters_texts_are_gathered_and_organisers_are_not() -> None:
    texts = gathered()
    for path, text in {
        "templates/pages/supporters/campaign.html": "Write my letter",
        "templates/pages/forms.html": "There is a problem",
        "templates/mail/confirmation/body.txt": "Your code: %(code)s",
        "web/errors.py": "Your own words",
        "letters/fields.py": "Write a subject: it is what the office sees first.",
        "letters/page_words.py": "Being handed over",
        "targets/addresses.py": "The name is empty. Write a name.",
    }.items():
        assert texts[text] is not None, text
        assert path in [place for place, _line in texts[text].locations], text
    places = {place for text in texts for place, _line in text.locations}
    assert not [place for place in places if "organisers" in place or place.startswith("tests/")]


def test_a_new_text_comes_in_empty_and_a_changed_one_in_doubt(tmp_path: Path) -> None:
    catalogues.update("de", of("Write my letter", "One tap is missing"), folder=tmp_path)
    translate(tmp_path, "de", "Write my letter", "Meinen Brief schreiben")
    translate(tmp_path, "de", "One tap is missing", "Es fehlt ein Tipp")
    catalogues.update("de", of("Write my letter now", "One tap is missing", "Thank you"), folder=tmp_path)
    now = catalogues.read("de", folder=tmp_path)
    assert now["One tap is missing"].string == "Es fehlt ein Tipp"
    assert now["Thank you"].string == ""
    assert now["Write my letter now"].fuzzy
    assert now["Write my letter"] is None


def test_updating_twice_changes_nothing(tmp_path: Path) -> None:
    for language in ("de", "ar", "kk"):
        catalogues.update(language, of(("%(num)s letter", "%(num)s letters")), folder=tmp_path)
        first = catalogues.source(language, folder=tmp_path).read_bytes()
        catalogues.update(language, of(("%(num)s letter", "%(num)s letters")), folder=tmp_path)
        assert catalogues.source(language, folder=tmp_path).read_bytes() == first


@pytest.mark.parametrize(
    ("text", "translation", "fault"),
    [
        ("Your letter", "", "Not translated"),
        ("To %(name)s", "An %(nome)s", "Without ['%(name)s'], with ['%(nome)s']"),
        ("To %(name)s", "An alle", "Without ['%(name)s']"),
        ("In <b>bold</b>", "In fett", "Without ['</b>', '<b>']"),
        ("In bold", "In <script>", "with ['<script>']"),
        ("Error: ", "Fehler:", "Other blanks"),
        (("%(num)s letter", "%(num)s letters"), ("%(num)s Brief",), "Not translated"),
        (("%(num)s letter", "%(num)s letters"), ("%(num)s Brief", "Briefe"), "Without ['%(num)s']"),
        (("%(num)s letter", "%(num)s letters"), ("%(num)s Brief", ""), "Not translated"),
        (("%(num)s for %(who)s", "%(num)s for %(who)s"), ("Einer", "%(num)s für %(who)s"), "Without ['%(who)s']"),
    ],
)
def test_a_translation_that_does_not_fit_its_text_is_named(
    tmp_path: Path, text: str | tuple[str, str], translation: str | tuple[str, ...], fault: str
) -> None:
    texts = of(text)
    catalogues.update("de", texts, folder=tmp_path)
    translate(tmp_path, "de", text if isinstance(text, str) else text[0], translation)
    (found,) = catalogues.standing("de", texts, folder=tmp_path).faults
    assert fault in found


def test_a_form_for_one_number_alone_may_say_it_in_words(tmp_path: Path) -> None:
    texts = of(("%(num)s letter", "%(num)s letters"))
    catalogues.update("de", texts, folder=tmp_path)
    translate(tmp_path, "de", "%(num)s letter", ("ein Brief", "%(num)s Briefe"))
    assert catalogues.standing("de", texts, folder=tmp_path).faults == []


def test_a_russian_form_for_one_stands_for_21_too_and_says_the_number(tmp_path: Path) -> None:
    texts = of(("%(num)s letter", "%(num)s letters"))
    catalogues.update("ru", texts, folder=tmp_path)
    translate(tmp_path, "ru", "%(num)s letter", ("одно письмо", "%(num)s письма", "%(num)s писем"))
    assert len(catalogues.standing("ru", texts, folder=tmp_path).faults) == 1


def test_what_was_not_compiled_is_named(tmp_path: Path) -> None:
    texts = of("Your letter")
    catalogues.update("de", texts, folder=tmp_path)
    translate(tmp_path, "de", "Your letter", "Ihr Brief")
    catalogues.compiled("de", folder=tmp_path).write_bytes(b"of yesterday")
    (found,) = catalogues.standing("de", texts, folder=tmp_path).faults
    assert "compile" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_part_the_whole_numbers_as_cldr_does(language: str) -> None:
    """Two numbers share a form exactly where CLDR gives them the same category."""
    catalogue = catalogues.read(language)
    rule = Locale.parse(to_locale(language)).plural_form
    pairs = {(rule(number), catalogues.form_of(catalogue.plural_expr, number)) for number in range(1000)}
    assert len({category for category, _form in pairs}) == len({form for _category, form in pairs}) == len(pairs)
    assert len(pairs) == catalogue.num_plurals


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_fits(language: str) -> None:
    """If not: `manage.py translations update`, translate what `status` names, and `update` again."""
    assert catalogues.standing(language, gathered()).faults == []

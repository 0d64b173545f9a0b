"""Words for moments, lists, numbers and states; Markdown that can do no harm; the confirmation mail."""

import re
from datetime import UTC, date, datetime

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from letters.page_words import Word
from web import presentation

MOMENT = datetime(2011, 11, 23, 16, 3, tzinfo=UTC)


def test_moments_are_british_and_name_their_zone() -> None:
    assert presentation.moment_words(MOMENT) == "23 November 2011 at 16:03 UTC"
    assert presentation.date_words(date(2011, 12, 16)) == "16 December 2011"
    assert presentation.time_words(MOMENT) == "16:03 UTC"


@pytest.mark.parametrize(
    ("language", "moment", "listed", "number"),
    [
        ("de", "23. November 2011 um 16:03 UTC", "Ada, Bo und Cy", "12.408"),
        ("fr", "23 novembre 2011 à 16:03 UTC", "Ada, Bo et Cy", "12 408"),
        ("es", "23 de noviembre de 2011, 16:03 UTC", "Ada, Bo y Cy", "12.408"),
        ("ru", "23 ноября 2011 г. в 16:03 UTC", "Ada, Bo и Cy", "12 408"),
        ("kk", "2011 ж. 23 қараша, 16:03 UTC", "Ada, Bo, Cy", "12 408"),
        ("ar", "23 نوفمبر 2011، الساعة 4:03 م UTC", "Ada وBo وCy", "12,408"),
    ],
)
def test_moments_lists_and_numbers_are_those_of_the_language(
    language: str, moment: str, listed: str, number: str
) -> None:
    with override(language):
        said = (presentation.moment_words(MOMENT), presentation.listed(["Ada", "Bo", "Cy"]), presentation.number(12408))
    # Which of the blanks may not break is CLDR's business and changes from release to release.
    assert tuple(re.sub(r"\s", " ", words) for words in said) == (moment, listed, number)


def test_names_keep_their_direction_and_bring_no_markup() -> None:
    with override("ar"):
        assert presentation.names(["Ada", "<b>"]) == "<bdi>Ada</bdi> و<bdi>&lt;b&gt;</bdi>"
        assert presentation.quoted("Speak <up>", "en") == '<bdi lang="en" dir="ltr">Speak &lt;up&gt;</bdi>'
        assert presentation.marks("ar") == ""


def test_lists_and_numbers_read_as_in_a_sentence() -> None:
    assert presentation.listed([]) == ""
    assert presentation.listed(["Ada"]) == "Ada"
    assert presentation.listed(["Ada", "Bo", "Cy"]) == "Ada, Bo and Cy"
    assert presentation.number(12408) == "12,408"


@pytest.mark.parametrize("word", list(Word))
def test_every_page_word_has_a_stamp_in_the_style_sheet(word: Word) -> None:
    stamp = presentation.stamp_class(word).split()[1]
    assert f".{stamp}" in presentation.styles()
    assert presentation.word_label(word)
    assert presentation.word_explained(word).endswith(".")


def test_markdown_keeps_emphasis_and_links_and_loses_everything_else() -> None:
    html = presentation.markdown(
        "# Big\n\n**Bold** [link](https://a.example) [bad](javascript:alert(1)) ![p](https://b.example/x.png)\n\n"
        "<script>alert(1)</script>"
    )
    assert "<h3>Big</h3>" in html
    assert "<strong>Bold</strong>" in html
    assert 'href="https://a.example"' in html
    assert "noopener" in html
    for gone in ('href="javascript', "<img", "<script", "<h1"):
        assert gone not in html


def test_the_confirmation_mail_has_its_code_first_and_nothing_that_was_typed() -> None:
    context = {
        "code": "012345", "link": "http://localhost:8000/en/x/confirm/t/",
        "to_words": "Prime Minister Holm", "organisation": "Oil & Aid",
        "campaign_title": "Speak up", "expires_on": MOMENT, "test": True,
        "closes_at": None, "time_zone": "UTC",
    }  # fmt: skip
    subject = render_to_string("confirmation/subject.txt", context, using="jinja2")
    text = render_to_string("confirmation/body.txt", context, using="jinja2")
    lines = text.strip().splitlines()
    assert subject.strip() == "One tap left: your letter to Prime Minister Holm"
    assert lines[0] == "Your code: 012345"
    assert "http://localhost:8000/en/x/confirm/t/" in lines
    assert "deleted on 23 November 2011" in text
    assert "test" in text
    assert "(This is a test" not in render_to_string(
        "confirmation/body.txt", {**context, "test": False}, using="jinja2"
    )

"""The courtesy check of a supporter's own text: it names a phrase, and never what was given or may be said."""

import time

import pytest

from campaigns.demonstration import loading
from campaigns.wording import Manner, manners, remarks_on


@pytest.mark.parametrize(
    ("language", "text", "phrase"),
    [
        ("en", "You are a liar, Mr President.", "liar"),
        ("en", "Shame\non you.", "Shame\non you"),
        ("de", "Sie sind ein Lügner und ein Feigling.", "Lügner"),
        ("fr", "Vous êtes des menteurs.", "menteurs"),
        ("es", "Es usted un cobarde.", "cobarde"),
        ("ru", "Вы предатель.", "предатель"),
        ("de-at", "So ein Trottel.", "Trottel"),
    ],
)
def test_an_insult_is_named_as_it_was_typed(language: str, text: str, phrase: str) -> None:
    first = remarks_on(text, languages=[language])[0]
    assert (first.phrase, first.manner) == (phrase, Manner.INSULT)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Do it, or else."), ("de", "Das werden Sie bereuen."), ("fr", "Vous le regretterez."),
     ("es", "Lo pagará."), ("ru", "Вы об этом пожалеете.")],
)  # fmt: skip
def test_a_threat_is_named(language: str, text: str) -> None:
    assert [one.manner for one in remarks_on(text, languages=[language])] == [Manner.THREAT]


def test_shouting_and_rows_of_marks_are_named() -> None:
    found = remarks_on("FREE ALL OF THEM now. Do you hear me?! Please answer!!!", languages=["en"])
    assert [one.manner for one in found] == [Manner.SHOUTING, Manner.MARKS, Manner.MARKS]
    assert remarks_on("I ask the EU and NATO. Please answer!", languages=["en"]) == []


def test_a_text_may_mix_the_languages_of_letter_and_writer() -> None:
    found = remarks_on("You liars! So ein Lügner.", languages={"en", "de"})
    assert [one.phrase for one in found] == ["liars", "Lügner"]
    assert [one.phrase for one in remarks_on("You liars! So ein Lügner.", languages={"de", "kk"})] == ["Lügner"]


def test_parts_of_words_are_no_insults() -> None:
    text = "The pigsty, a scumbled wall and a foolscap page; Corruption is a crime. Familiar faces."
    assert remarks_on(text, languages=["en"]) == []


def test_a_text_without_an_end_is_read_in_bounded_time() -> None:
    began_at = time.process_time()
    for text in ("x" * 20_000, "!" * 20_000, "A " * 10_000, "lia" * 6_000):
        remarks_on(text, languages=["kk"])
    assert time.process_time() - began_at < 5


def test_what_was_given_is_not_the_writers_fault_and_nothing_is_said_twice() -> None:
    given = "Some call the strikers criminals."
    assert remarks_on(given, languages=["en"], given=given) == []
    assert len(remarks_on("Liar. A liar, a LIAR.", languages=["en"], given=given)) == 1
    many = "Liar, idiot, coward, crook, traitor, moron."
    assert len(remarks_on(many, languages=["en"])) == manners.MOST_NAMED


def test_a_letter_in_another_language_is_read_with_all_that_is_known() -> None:
    assert remarks_on("Вы предатель, ein Lügner.", languages=["kk"])
    assert set(manners.known_languages()) >= {"en", "de", "fr", "es", "ru"}


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ru"])
def test_the_demonstrations_own_letters_are_courteous(language: str) -> None:
    said = loading.said_in(language)
    for ask in said["asks"].values():
        for passage in ("subject", "body", "closing"):
            assert remarks_on(ask[passage], languages=[language]) == []

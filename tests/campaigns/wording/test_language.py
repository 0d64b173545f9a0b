"""What the letter language lets through, and what it refuses with which words."""

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.wording import VOCABULARY, Wording, WordingError, parse
from tests.campaigns.wording.hostile import HOSTILE

FRAGMENTS = [
    "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", " ", "\n", "\r", "\x00", "if", "elif", "else", "endif",
    "variant", "or", "endvariant", "and", "not", "raw", "endraw", "for", "in", "is", "target", ".", "name",
    "target.name", "supporter.town", "|", "upper", "default", "(", ")", "'", '"', "'x'", "==", "!=", ",", "[",
    "]", "{", "}", "\\", "1", "1e9", "+", "-", "*", "~", "ä", "²", "\ud800", "Dear ", "{{ target.name }}",
    "{% if target.name %}", "{% endif %}", "{% variant %}", "{% or %}", "{% endvariant %}",
]  # fmt: skip


OFFERED = {f"{group}.{key}" for group, keys in VOCABULARY.items() for key in keys}


def outcome(text: str) -> Wording | WordingError:
    """What parse makes of a text; any other exception fails the test."""
    try:
        return parse(text)
    except WordingError as error:
        return error


def refusal(text: str) -> WordingError:
    with pytest.raises(WordingError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(("text", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_wordings_are_refused_with_a_place_and_at_once(text: str, code: str) -> None:
    seconds = []
    for _ in range(3):
        began_at = time.perf_counter()
        error = refusal(text)
        seconds.append(time.perf_counter() - began_at)
    assert error.code == code
    assert error.line >= 1
    assert error.column >= 1
    assert error.sentence == f"Line {error.line}: {error.why} {error.cure}"
    assert len(error.sentence) < 600
    # The promise is 50 ms; the guard leaves room for a busy machine.
    assert min(seconds) < 0.5


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{{ target.titel }}", 1, 4),
        ("Dear friend,\n\nI am {{ supporter.nme }}", 3, 9),
        ("a\r\nb\r\n {{ x }}", 3, 5),
        ("{# two\nlines #}\n{% if target.name %}\n  {{ target.name|safe }}\n{% endif %}", 4, 18),
        ("ä{{ target.name + 'x' }}", 1, 17),
        ("x\n   {%- if target.name %}{% endif %}", 2, 4),
        ("x\n{% if target.name %}\n{% for %}", 3, 4),
        ("x\n{{ target.name\n}}", 2, 1),
    ],
)
def test_a_refusal_names_line_and_column(text: str, line: int, column: int) -> None:
    error = refusal(text)
    assert (error.line, error.column) == (line, column)


def test_a_misspelt_value_gets_the_nearest_one() -> None:
    error = refusal("\n" * 11 + "{{ target.titel }}")
    assert error.sentence == "Line 12: `target.titel` does not exist. Did you mean `target.title`?"


def test_a_name_without_its_group_gets_the_whole_name() -> None:
    assert refusal("{{ salutation }}").cure == "Did you mean `target.salutation`?"


def test_a_value_of_another_passage_is_refused_by_name() -> None:
    with pytest.raises(WordingError, match=r"`target\.name` is not offered here") as caught:
        parse("{{ target.name }}", allowed=("supporter", "campaign"))
    assert caught.value.code == "not_offered_here"
    parse("{{ supporter.name }}", allowed=("supporter", "campaign"))


def test_everything_in_the_vocabulary_can_be_written() -> None:
    wording = parse(" ".join(f"{{{{ {name} }}}}" for name in sorted(OFFERED)))
    assert wording.names() == OFFERED


def test_nothing_in_the_vocabulary_says_how_to_reach_a_supporter() -> None:
    assert set(VOCABULARY["supporter"]) == {"name", "town", "country"}


def test_names_count_in_conditions_and_in_every_branch() -> None:
    wording = parse(
        "{% if target.title == 'Dr' %}{{ target.name|trim }}{% elif ask.title %}"
        "{% variant %}{{ supporter.town }}{% or %}x{% endvariant %}{% else %}{{ campaign.title }}{% endif %}"
    )
    assert wording.names() == {"target.title", "target.name", "ask.title", "supporter.town", "campaign.title"}


def test_variants_are_counted_in_reading_order() -> None:
    pair, three = (
        "{% variant %}a{% or %}b{% endvariant %}",
        "{% variant %}a{% or %}b{% or %}c{% endvariant %}",
    )
    assert parse(pair + "{% if ask.title %}" + three + "{% endif %}" + pair).variants() == [2, 3, 2]


def test_thirty_parentheses_and_twenty_ifs_are_still_read() -> None:
    parse("{% if " + "(" * 30 + "target.name" + ")" * 30 + " %}x{% endif %}")
    parse("{% if target.name %}" * 20 + "x" + "{% endif %}" * 20)


def test_a_caller_who_is_deep_already_gets_a_refusal_and_no_recursion_error() -> None:
    text = "{% if " + "(" * 30 + "target.name" + ")" * 30 + " %}x{% endif %}"

    def refused_below(frames: int) -> str:
        return refused_below(frames - 1) if frames else refusal(text).code

    above, frame = 0, sys._getframe()
    while frame.f_back is not None:
        above, frame = above + 1, frame.f_back
    # Room for parse itself, but not for thirty parentheses.
    assert refused_below(sys.getrecursionlimit() - above - 100) == "too_deep"


def test_comments_vanish_with_whatever_they_hold() -> None:
    wording = parse("{# {{ lipsum() }} #}Dear {# {% for %} #}friend")
    assert wording.names() == frozenset()


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
def test_parse_answers_fragments_with_a_wording_or_a_refusal_that_has_a_place(text: str) -> None:
    answer = outcome(text)
    if isinstance(answer, WordingError):
        assert 1 <= answer.line <= text.count("\n") + text.count("\r") + 1
        assert 1 <= answer.column <= len(text) + 1


@given(st.text())
def test_parse_answers_any_text_with_a_wording_or_a_refusal(text: str) -> None:
    assert outcome(text)


@given(st.text(alphabet=st.characters(), max_size=60))
def test_whatever_stands_in_a_tag_only_the_vocabulary_gets_through(inside: str) -> None:
    for text in ("{{ " + inside + " }}", "{% if " + inside + " %}x{% endif %}", "{% " + inside + " %}"):
        answer = outcome(text)
        assert isinstance(answer, WordingError) or answer.names() <= OFFERED

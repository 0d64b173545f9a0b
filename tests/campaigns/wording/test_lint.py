"""What the lint finds in a letter template."""

import time
from collections.abc import Mapping, Sequence

import pytest

from campaigns.wording import Finding, lint

GOOD = {
    "subject": "Before you congratulate: {{ ask.title }}",
    "salutation": "{{ target.salutation|default('Dear friend') }},",
    "body": "I am writing from {{ supporter.town|default('home') }}.\n\n"
    "{% variant %}Please speak up.{% or %}Please say a word.{% endvariant %}",
    "closing": "Yours,\n{{ supporter.name }}",
}
TARGETS = [
    {"name": "Anna Ode", "title": "Dr", "salutation": "Dear Dr Ode"},
    {"name": "Bo Low", "title": ""},
    {"name": "Cem Kar", "title": "Prof"},
    {"name": "Di Ray"},
]


def found(
    passages: Mapping[str, str], targets: Sequence[Mapping[str, str]] = TARGETS
) -> dict[tuple[str, str], Finding]:
    """The findings of a good letter with some passages replaced, by passage and code."""
    return {(one.passage, one.code): one for one in lint({**GOOD, **passages}, targets=targets)}


def test_a_good_letter_has_no_findings() -> None:
    assert lint(GOOD, targets=TARGETS) == []
    assert lint(GOOD) == []


@pytest.mark.parametrize(
    ("passage", "text", "severity", "code", "place"),
    [
        ("body", "{% variant %}a{% or %}b{% endvariant %}\n{{ target.name", "error", "unclosed", (2, 1)),
        ("closing", "Yours\n{{ supporter.name|safe }}", "error", "outside_language", (2, 19)),
        ("closing", "{{ supporter.nme }}", "error", "unknown_value", (1, 4)),
        ("subject", "To {{ target.name }}", "error", "target_value_in_editable", (1, 7)),
        ("body", "{% if target.title %}x{% endif %}y", "error", "target_value_in_editable", (1, 7)),
        ("body", "a\n{% variant %}only{% endvariant %}", "error", "single_variant", (2, 4)),
        ("body", "{% variant %}a{% or %} {% endvariant %}", "error", "empty_variant", (1, 4)),
        ("salutation", "Hello,\n{{ target.title }}", "error", "value_missing", (2, 4)),
        ("closing", " \n", "error", "empty_passage", (1, 1)),
        ("closing", "{# later #}", "error", "empty_passage", (1, 1)),
        ("subject", "Two\nlines", "error", "subject_line_break", (1, 4)),
        (
            "subject",
            "One {% variant %}a{% or %}b\u2028{% endvariant %}",
            "error",
            "subject_line_break",
            (1, 28),
        ),
        ("salutation", "Dear {{ target.title }},", "warning", "blank_before_comma", (1, 5)),
        ("salutation", "Hello ,", "warning", "blank_before_comma", (1, 6)),
        ("closing", "With  regards", "warning", "doubled_space", (1, 5)),
        ("salutation", "Dear {{ target.title }} friend", "warning", "doubled_space", (1, 5)),
        ("closing", "Yours,\n[YOUR NAME]", "warning", "placeholder", (2, 1)),
        ("subject", "x" * 71, "warning", "subject_long", (1, 1)),
        ("body", "word " * 401, "warning", "more_than_a_page", (1, 1)),
        ("body", "https://a.example\nwww.b.example http://c.example", "warning", "links", (2, 15)),
        ("body", "Please.\nSTOP THIS NOW", "warning", "capitals", (2, 1)),
        ("body", "Please!\nPlease!", "warning", "exclamation_marks", (2, 7)),
        ("body", "One wording for all.", "warning", "no_variant", (1, 1)),
    ],
)
def test_each_slip_is_found_where_it_stands(
    passage: str, text: str, severity: str, code: str, place: tuple[int, int]
) -> None:
    finding = found({passage: text})[passage, code]
    assert finding.severity == severity
    assert (finding.line, finding.column) == place
    assert finding.why.endswith(".")
    assert finding.cure


@pytest.mark.parametrize(
    ("passage", "text", "code"),
    [
        ("salutation", "Dear {{ target.title|default('friend') }},", "value_missing"),
        (
            "salutation",
            "Dear {% if target.title %}{{ target.title }}{% else %}friend{% endif %},",
            "value_missing",
        ),
        (
            "salutation",
            "{% if not target.title %}Hello{% else %}{{ target.title }}{% endif %}",
            "value_missing",
        ),
        ("salutation", "Dear {{ target.name }},", "blank_before_comma"),
        ("subject", "x" * 70, "subject_long"),
        ("subject", "One line", "subject_line_break"),
        ("body", "word " * 400, "more_than_a_page"),
        ("body", "https://a.example https://b.example", "links"),
        ("body", "Please!", "exclamation_marks"),
        ("body", "The EU and the UN can help.", "capitals"),
        ("body", "I, A. B., AM here", "capitals"),
        ("body", "See [1] and [the report].", "placeholder"),
        ("body", "  indented\n\n  text", "doubled_space"),
        ("body", "{% variant %}a{% or %}b{% endvariant %}", "no_variant"),
        ("body", "{% variant %}a{% or %}{{ ask.title }}{% endvariant %}", "empty_variant"),
    ],
)
def test_what_is_right_is_not_found(passage: str, text: str, code: str) -> None:
    assert (passage, code) not in found({passage: text})


def test_a_missing_value_names_the_targets() -> None:
    finding = found({"salutation": "Dear {{ target.title }},"})["salutation", "value_missing"]
    assert finding.why == "`target.title` is empty for 2 of 4 targets: Bo Low, Di Ray."


def test_of_many_targets_the_first_three_are_named() -> None:
    many = [{"name": f"N{number}"} for number in range(9)] + [{"title": "Dr"}]
    finding = found({"salutation": "Dear {{ target.title }}"}, many)["salutation", "value_missing"]
    assert finding.why == "`target.title` is empty for 9 of 10 targets: N0, N1, N2 and 6 more."


def test_a_missing_value_is_found_in_whichever_wording_it_stands() -> None:
    text = "{% variant %}Hello{% or %}Dear {{ target.title }}{% endvariant %}"
    finding = found({"salutation": text})["salutation", "value_missing"]
    assert (finding.line, finding.column) == (1, 35)


def test_a_passage_empty_for_some_targets_names_them() -> None:
    finding = found({"salutation": "{% if target.title %}Dear {{ target.title }}{% endif %}"})
    assert finding["salutation", "empty_passage"].why == (
        "The salutation is empty for 2 of 4 targets: Bo Low, Di Ray."
    )


def test_a_gap_for_some_targets_names_them() -> None:
    finding = found({"salutation": "Dear {{ target.title }},"})["salutation", "blank_before_comma"]
    assert finding.why == "“Dear ,” has a gap before the comma. So it reads for Bo Low, Di Ray."


def test_a_misspelt_value_says_for_how_many_the_right_one_is_empty() -> None:
    finding = found({"salutation": "Dear {{ target.titel }},"})["salutation", "unknown_value"]
    assert finding.why == "`target.titel` does not exist."
    assert finding.cure == "Did you mean `target.title`? It is empty for 2 of 4 targets."


def test_links_and_exclamation_marks_count_over_the_whole_letter() -> None:
    findings = found({"subject": "Please!", "closing": "Thanks!"})
    assert findings["closing", "exclamation_marks"].why == "The letter has 2 exclamation marks."
    assert ("subject", "exclamation_marks") not in findings


def test_of_two_wordings_the_one_with_more_links_counts() -> None:
    text = "{% variant %}none{% or %}" + "https://a.example " * 3 + "{% endvariant %}"
    assert found({"body": text})["body", "links"].why == "The letter has 3 links."


def test_which_passages_are_editable_is_for_the_caller_to_say() -> None:
    passages = {**GOOD, "body": GOOD["body"] + " {{ target.name }}"}
    assert [one.code for one in lint(passages, targets=TARGETS)] == ["target_value_in_editable"]
    assert lint(passages, editable=("subject",), targets=TARGETS) == []


def test_findings_of_all_passages_come_together_in_reading_order() -> None:
    findings = lint({"subject": "a\nb", "salutation": "{{ x }}", "body": "Oh!  Oh!", "closing": ""})
    assert [(one.passage, one.code) for one in findings] == [
        ("subject", "subject_line_break"),
        ("salutation", "unknown_value"),
        ("body", "no_variant"),
        ("body", "doubled_space"),
        ("body", "exclamation_marks"),
        ("closing", "empty_passage"),
    ]


def test_values_that_look_like_tags_or_break_the_size_do_no_harm() -> None:
    targets = [{"name": "{{ x }}{% for %}"}, {"name": "a" * 200_000}]
    findings = lint({"salutation": "Dear {{ target.name }}"}, targets=targets)
    assert [one.code for one in findings] == ["rendered_too_long"]
    assert lint({"salutation": "Dear {{ target.name }}"}, targets=targets[:1]) == []


@pytest.mark.slow
def test_thousands_of_targets_and_wordings_are_read_in_bounded_time() -> None:
    targets = [{"name": f"N{number}"} for number in range(5000)]
    text = "{{ target.name }}" + " a" * 10_000 + "{% variant %}" + "x{% or %}" * 1000 + "x{% endvariant %}"
    began_at = time.process_time()
    lint({"closing": text}, targets=targets)
    assert time.process_time() - began_at < 10  # read in full: five million letters of 20 kB

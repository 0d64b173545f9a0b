"""What a checked wording writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.wording import Draw, WordingError, parse
from campaigns.wording.draw import FixedDraw

TARGET = {"name": "ada o'neil", "title": "Dr", "role": "", "country": "France"}


def render(text: str, *, branch: int = 0, **target: str) -> str:
    return parse(text).render({"target": {**TARGET, **target}}, draw=FixedDraw(branch))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ target.name }}", "ada o'neil"),
        ("{{ target.name|upper }}", "ADA O'NEIL"),
        ("{{ target.title|lower }}", "dr"),
        ("{{ target.name|title }}", "Ada O'neil"),
        ("{{ target.name|capitalize }}", "Ada o'neil"),
        ("[{{ target.salutation|trim }}]", "[hello]"),
        ("{{ target.role|default('friend') }}", "friend"),
        ("{{ target.role | default('dear friend') | title }}", "Dear Friend"),
        ('{{ target.family_name|default("it\'s missing") }}', "it's missing"),
        ("{{ target.title|default('friend') }}", "Dr"),
        ("{{ (target.title) }}", "Dr"),
        ("[{{ target.role }}]", "[]"),
        ("[{{ campaign.title }}]", "[]"),
    ],
)
def test_values_and_filters(text: str, expected: str) -> None:
    assert render(text, salutation="  hello ") == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("target.title", True),
        ("target.role", False),
        ("target.given_name", False),
        ("not target.title", False),
        ("not not target.title", True),
        ("target.title and target.role", False),
        ("target.title or target.role", True),
        ("not (target.title and target.role)", True),
        ("target.country == 'France'", True),
        ("'France' == target.country", True),
        ("target.country != 'France'", False),
        ("target.country == 'france'", False),
        ("target.country|lower == 'france'", True),
        ("target.role == ''", True),
        ("not target.title == 'Dr'", False),
        ("target.role or target.title and target.country == 'Spain'", False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert render(f"{{% if {condition} %}}yes{{% else %}}no{{% endif %}}") == ("yes" if expected else "no")


def test_a_blank_value_counts_as_empty() -> None:
    text = "{% if target.role %}{{ target.role }}{% else %}no{% endif %} {{ target.role|default('none') }}"
    assert render(text, role=" \t") == "no none"


@pytest.mark.parametrize(("country", "expected"), [("France", "fr"), ("Spain", "es"), ("Italy", "other")])
def test_the_first_true_branch_stands(country: str, expected: str) -> None:
    text = (
        "{% if target.country == 'France' %}fr{% elif target.country == 'Spain' %}es"
        "{% elif target.country == 'Spain' %}never{% else %}other{% endif %}"
    )
    assert render(text, country=country) == expected


@pytest.mark.parametrize(
    "hostile",
    ["{{ 7*7 }}", "{% if target.name %}", "${7*7}", "{# x #}", "<script>", "%s {0}", "{{ target.title }}"],
)
def test_a_value_is_data_and_stays_as_typed(hostile: str) -> None:
    assert render("{{ target.name }}!{{ target.name|default('x') }}", name=hostile) == f"{hostile}!{hostile}"


def test_a_value_that_is_no_plain_string_is_the_callers_mistake() -> None:
    wording = parse("{{ target.name }}")
    with pytest.raises(TypeError, match=r"target\.name must be a plain string"):
        wording.render({"target": {"name": 7}}, draw=Draw(1))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\n{% if target.title %}\nB\n{% else %}\nC\n{% endif %}\nD", "A\nB\nD"),
        ("A\n  {% if target.role %}  \nB\n\t{% endif %}\nD\n", "A\nD\n"),
        ("{% variant %}\nHello\n{% or %}\nHi\n{% endvariant %}\nX", "Hello\nX"),
        ("{% if target.title %}{% if target.name %}\nQ\n{% endif %}{% endif %}", "Q\n"),
        ("{# a note\nover two lines #}\nX", "X"),
        ("Dear {% if target.title %}Dr{% endif %}\nX", "Dear Dr\nX"),
        ("{% variant %}Hello{% or %}Hi{% endvariant %}\nX", "Hello\nX"),
        ("  {{ target.title }}\nX", "  Dr\nX"),
        ("{{ target.role }}\nX", "\nX"),
    ],
)
def test_lines_of_block_tags_alone_leave_no_trace(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  \nb\t\n", "a\nb\n"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\n \n\t\nb", "a\n\nb"),
        ("a\n\n{{ target.role }}\n\nb", "a\n\nb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("  a  b", "  a  b"),
        ("a\u00a0\nb\u2028c", "a\u00a0\nb\u2028c"),
    ],
)
def test_white_space_is_tidied_and_nothing_else(text: str, expected: str) -> None:
    assert render(text) == expected


@given(st.text(alphabet=st.characters(exclude_characters="{")))
def test_text_without_braces_renders_to_itself_but_for_white_space(text: str) -> None:
    lines = re.split(r"\r\n|\r|\n", text)
    expected = re.sub(r"\n\n\n+", "\n\n", "\n".join(line.rstrip(" \t") for line in lines))
    assert parse(text).render({}, draw=Draw(0)) == expected


@given(st.text())
def test_any_value_renders_to_itself_but_for_white_space(value: str) -> None:
    rendered = parse("<{{ supporter.name }}>").render({"supporter": {"name": value}}, draw=Draw(0))
    expected = re.sub(r"\n\n\n+", "\n\n", "\n".join(line.rstrip(" \t") for line in f"<{value}>".split("\n")))
    assert rendered == expected


def test_a_passage_beyond_100_kb_is_refused_at_the_value_that_broke_it() -> None:
    wording = parse("x\n{{ target.name }}\n{{ target.title }}")
    assert len(wording.render({"target": {"name": "ä" * 49_900}}, draw=Draw(1))) > 49_900
    with pytest.raises(WordingError) as caught:
        wording.render({"target": {"name": "ä" * 49_900, "title": "b" * 300}}, draw=Draw(1))
    assert (caught.value.code, caught.value.line) == ("rendered_too_long", 3)


def test_a_long_run_of_spaces_costs_no_time() -> None:
    # Quadratic tidying would take minutes here.
    text = " " * 39_000 + "x"
    assert parse(text).render({}, draw=Draw(1)) == text


def test_a_variant_writes_the_branch_drawn() -> None:
    text = "{% variant %}a{% or %}{{ target.title }}{% or %}c{% endvariant %}"
    assert [render(text, branch=branch) for branch in range(3)] == ["a", "Dr", "c"]

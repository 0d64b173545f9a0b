"""Rows are checked before anything is written: what is put right is shown, the rest is to be decided."""

import pytest

from targets.imports import Row, Table, check_rows, guess_columns, read
from targets.imports.places import country_code, language_code


def check(header: str, *lines: str) -> list[Row]:
    columns = header.split("|")
    table = Table("", tuple(columns), tuple(tuple(line.split("|")) for line in lines), 2, ())
    return check_rows(table, columns)


def codes(row: Row, severity: str = "error") -> list[str]:
    return [problem.code for problem in row.problems if problem.severity == severity]


def test_given_and_family_name_make_the_name() -> None:
    row = check("given_name|family_name|email", "Anna|Lund|a@x.example")[0]
    assert row.ok
    assert row.values["name"] == "Anna Lund"


def test_a_surname_in_front_is_turned_round_and_said_so() -> None:
    row = check("name|email", "Dr Müller, Anna|a@x.example")[0]
    assert (row.values["name"], row.values["family_name"], row.values["title"]) == (
        "Anna Müller",
        "Müller",
        "Dr",
    )
    assert codes(row, "warning") == ["name_turned"]


@pytest.mark.parametrize(
    "name", ["Embassy of Steppe, Berlin", "Jane Doe, MEP", "Department 3, Unit 4", "Doe, Jane, Dr"]
)
def test_other_commas_in_names_are_left_alone(name: str) -> None:
    assert check("name|email", f"{name}|a@x.example")[0].values["name"] == name


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("Anna Lund <a@x.example>", "a@x.example"),
        ("mailto:a@x.example?subject=Hello", "a@x.example"),
        ("a [at] x (dot) example", "a@x.example"),
        ("a(at)x.example", "a@x.example"),
        ("a at x dot example", "a@x.example"),
        ("<a@x.example>", "a@x.example"),
        ("a@x.example;", "a@x.example"),
        ("a@x.example, A@x.example", "a@x.example"),
    ],
)
def test_roundabout_addresses_are_straightened_visibly(cell: str, address: str) -> None:
    row = check("name|email", f"Anna|{cell}")[0]
    assert row.values["email"] == address
    assert row.ok
    assert [(p.code, p.found) for p in row.problems] == [("rewritten", cell)]


def test_a_name_beside_the_address_names_the_row() -> None:
    assert check("email", "Anna Lund <a@x.example>")[0].values["name"] == "Anna Lund"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("a@x.example; b@y.example", "several_addresses"),
        ("in fo@x.example", "blank_inside"),
        ("a@localhost", "no_dot"),
        ("noreply@x.example", "role_address"),
        ("ask me", "no_at"),
    ],
)
def test_an_address_that_cannot_be_used_needs_a_decision(cell: str, code: str) -> None:
    row = check("name|email", f"Anna|{cell}")[0]
    assert not row.ok
    problem = next(problem for problem in row.problems if problem.code == code)
    assert (problem.line, problem.column, problem.found) == (2, "email", cell)
    assert problem.sentence
    assert problem.cure


def test_later_rows_of_the_same_mailbox_are_duplicates() -> None:
    rows = check("name|email", "A|a@bü.example", "B|A@xn--b-eha.example", "C|c@x.example")
    assert [codes(row) for row in rows] == [[], ["duplicate"], []]
    assert "Row 2" in rows[1].problems[0].sentence


def test_a_row_that_is_wrong_itself_does_not_make_the_next_one_a_duplicate() -> None:
    assert [row.ok for row in check("name|email", "|a@x.example", "B|a@x.example")] == [False, True]


def test_formulas_stay_text_and_are_pointed_out() -> None:
    row = check("name|role|email", '=HYPERLINK("http://x.example")|@SUM(A1)|a@x.example')[0]
    assert row.values["name"] == '=HYPERLINK("http://x.example")'
    assert codes(row, "warning") == ["formula", "formula"]


def test_an_exported_formula_comes_back_without_its_apostrophe() -> None:
    assert check("name|role|email", "A|'=x|a@x.example")[0].values["role"] == "=x"


def test_who_can_be_reached_how() -> None:
    paper, nothing, nobody = check("name|email|postal_address", "A||1 High St", "B|-|", "|b@x.example|")
    assert paper.ok
    assert codes(paper, "warning") == ["paper_only"]
    assert codes(nothing) == ["unreachable"]
    assert codes(nobody) == ["no_name"]


def test_parts_of_a_postal_address_are_joined() -> None:
    row = check("name|postal_address|postal_address", "A|1  High St\n\nFloor 2|Leeds")[0]
    assert row.values["postal_address"] == "1 High St\nFloor 2\nLeeds"


def test_cells_that_hide_something_are_refused() -> None:
    rows = check("name|email", "A\0|a@x.example", "B\u202e|b@x.example", "C" * 10_001 + "|c@x.example")
    assert [codes(row)[0] for row in rows] == ["nul", "direction_mark", "cell_too_long"]


def test_a_row_with_more_cells_than_columns_is_not_guessed_at() -> None:
    assert codes(check("name|email", "Doe|Jane|a@x.example")[0])[0] == "extra_cells"
    assert check("name|email|role", "Doe|a@x.example")[0].ok


def test_unknown_countries_and_languages_are_only_warnings() -> None:
    row = check("name|email|country|language", "A|a@x.example|Narnia|Elvish")[0]
    assert row.ok
    assert codes(row, "warning") == ["unknown_country", "unknown_language"]
    assert (row.values["country"], row.values["language"]) == ("", "")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("DE", "DE"), ("deu", "DE"), ("Germany", "DE"), ("Allemagne", "DE"), ("Alemania", "DE"),
        ("Германия", "DE"),
        ("Deutschland", "DE"), ("Қазақстан", "KZ"), ("Republic of Kazakhstan", "KZ"), ("Suomi", "FI"),
        ("España", "ES"),
        ("espana", "ES"), ("UK", "GB"), ("USA", "US"), ("Czech Republic", "CZ"), ("Türkiye", "TR"),
        ("日本", "JP"),
        ("ZZ", ""), ("Atlantis", ""), ("", ""),
    ],
)  # fmt: skip
def test_countries_are_known_by_code_and_by_name(written: str, code: str) -> None:
    assert country_code(written) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [("de", "de"), ("DE", "de"), ("pt-BR", "pt-br"), ("ger", "de"), ("German", "de"), ("Deutsch", "de"),
     ("français", "fr"), ("Русский", "ru"), ("қазақ тілі", "kk"), ("Klingonese", "")],
)  # fmt: skip
def test_languages_are_known_by_code_and_by_name(written: str, code: str) -> None:
    assert language_code(written) == code


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("First name;Surname;E-mail;Country", ["given_name", "family_name", "email", "country"]),
        (
            "Vorname;Nachname;Amt;E-Mail;Anschrift",
            ["given_name", "family_name", "role", "email", "postal_address"],
        ),
        ("Nom;Fonction;Courriel;Pays", ["name", "role", "email", "country"]),
        ("Nombre;Apellidos;Cargo;Correo electrónico", ["given_name", "family_name", "role", "email"]),
        ("ФИО;Должность;Электронная почта;Страна", ["name", "role", "email", "country"]),
        (
            "Name;Telefon;Straße;PLZ;Ort;E-Mail",
            ["name", "ignore", "postal_address", "postal_address", "postal_address", "email"],
        ),
    ],
)
def test_columns_are_guessed_by_their_names(header: str, fields: list[str]) -> None:
    width = len(fields)
    guesses = guess_columns(read(f"{header}\n{';'.join('x' * width)}\n".encode())[0])
    assert [guess.field for guess in guesses] == fields


def test_what_stands_in_a_column_tells_more_than_its_name() -> None:
    table = read(b'Who;Reach;Where;Post\nAnna Lund;a@x.example;Norway;"1 High St, 0150 Oslo"\n')[0]
    guesses = [(guess.field, guess.confidence) for guess in guess_columns(table)]
    assert guesses == [
        ("name", "maybe"),
        ("email", "sure"),
        ("country", "maybe"),
        ("postal_address", "maybe"),
    ]


def test_only_one_column_is_taken_for_the_address() -> None:
    table = read(b"Name;E-mail;E-mail 2\nAnna;a@x.example;b@x.example\n")[0]
    assert [guess.field for guess in guess_columns(table)] == ["name", "email", "ignore"]

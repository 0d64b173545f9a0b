"""Files and pastes of every kind become tables, or are refused with a cure."""

import io
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets import imports
from targets.imports import ImportRefused, Table, check_rows, guess_columns, read

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"


def only(content: bytes | str) -> Table:
    tables = read(content.encode() if isinstance(content, str) else content)
    assert len(tables) == 1
    return tables[0]


def refusal(content: bytes, filename: str = "") -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        read(content, filename=filename)
    return refused.value


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-8-sig", "UTF-8"),
        ("utf-8", "UTF-8"),
        ("latin-1", "Windows-1252 (Latin-1)"),
    ],
)
@pytest.mark.parametrize(("separator", "named"), [(";", "semicolons"), ("\t", "tabs"), (",", "commas")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_in_any_usual_form(
    encoding: str, said: str, separator: str, named: str, end: str
) -> None:
    lines = [["Name", "E-Mail"], ["Jörg Müßig", "j@b.example"], ["Anna Lund", "a@b.example"]]
    table = only(end.join(separator.join(line) for line in lines).encode(encoding))
    assert table.header == ("Name", "E-Mail")
    assert table.rows == (("Jörg Müßig", "j@b.example"), ("Anna Lund", "a@b.example"))
    assert table.notes[0] == f"read as {said}, separated by {named}"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Hélène Lefèvre"),
        ("cp1250", "Jiří Dvořák"),
        ("cp1251", "Иван"),
        ("cp1252", "Müller Peña"),
        ("koi8-r", "Иван Петров"),
    ],
)
def test_old_encodings_are_told_by_the_letters_they_spell(encoding: str, name: str) -> None:
    assert only(f"Name;Email\n{name};i@x.example\n".encode(encoding)).rows[0][0] == name


def test_commas_in_addresses_do_not_hide_the_semicolons() -> None:
    table = only(
        "Name;Address;Email\nA;1 High St, Leeds, UK;a@x.example\nB;2 High St, Leeds, UK;b@x.example\n"
    )
    assert table.header == ("Name", "Address", "Email")
    assert table.rows[0][1] == "1 High St, Leeds, UK"


def test_rows_know_their_line_although_cells_hold_line_breaks() -> None:
    table = only('Name;Address;Email\n\nA;"1 High St\r\nLeeds";a@x.example\nB;;b@x.example\n')
    assert table.rows[0][1] == "1 High St\nLeeds"
    assert (table.first_line, table.lines) == (3, (3, 5))


def test_a_title_and_two_lines_of_column_names_are_told_from_the_rows() -> None:
    table = only("Embassies in Europe;;\nName;E-Mail;Land\nИмя;Почта;Страна\nAnna Lund;a@x.example;DE\n")
    assert (table.title, table.header) == ("Embassies in Europe", ("Name", "E-Mail", "Land"))
    assert table.rows == (("Anna Lund", "a@x.example", "DE"),)


def test_a_list_without_column_names_gets_some() -> None:
    table = only("Anna Lund;a@x.example\nBo Lind;b@x.example\n")
    assert table.header == ("Column 1", "Column 2")
    assert len(table.rows) == 2
    assert [guess.field for guess in guess_columns(table)] == ["name", "email"]


def test_addresses_pasted_on_one_line_become_one_row_each() -> None:
    assert only("Jane <j@x.example>; b@x.example").rows == (("Jane <j@x.example>",), ("b@x.example",))


def test_one_column_with_a_name_over_it_is_a_table() -> None:
    table = only("E-mail\na@x.example\nb@x.example\n")
    assert (table.header, table.rows) == (("E-mail",), (("a@x.example",), ("b@x.example",)))


def test_a_lost_quotation_mark_costs_only_its_own_row() -> None:
    table = only('Name;Email\nA;a@x.example\n"B;b@x.example\nC;c@x.example\nD;d@x.example\n')
    rows = check_rows(table, ["name", "email"])
    assert [(row.line, row.ok) for row in rows] == [(2, True), (3, False), (4, True), (5, True)]
    assert rows[1].problems[0].code == "unclosed_quote"


def test_five_thousand_rows_are_read_and_one_more_is_refused() -> None:
    lines = [b"Name,Email", *(b"A,a%d@x.example" % number for number in range(5001))]
    assert len(only(b"\n".join(lines[:-1])).rows) == 5000
    refused = refusal(b"\n".join(lines))
    assert refused.code == "too_many_rows"
    assert "5,000" in refused.sentence
    cells = b"".join(b"<tr><td>A<td>a%d@x.example" % number for number in range(5001))
    assert refusal(b"<table>" + cells).code == "too_many_rows"


def _zipped(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"Name;Email\n", "no_rows"),
        (b"<p>Nobody here</p>", "no_rows"),
        (b"a" * 2_000_001, "too_large"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image"),
        (_zipped("xl/workbook.xml"), "xlsx"),
        (_zipped("holiday.txt"), "archive"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "ods"),
        (bytes(range(1, 32)) * 40, "binary"),
    ],
)
def test_what_is_no_table_is_refused_by_its_content(content: bytes, code: str) -> None:
    refused = refusal(content, filename="targets.csv")
    assert refused.code == code
    assert refused.sentence.endswith(".")


@pytest.mark.parametrize("code_of", [b"\xd0\xcf\x11\xe0", b"%PDF-1.4", b"\x89PNG\r\n"])
def test_refusals_of_other_formats_name_the_cure(code_of: bytes) -> None:
    assert "CSV" in refusal(code_of + b"x" * 50).sentence


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>/=\"'&#;@ \ntabledivrm[]().,x0\0", max_size=300).map(str.encode)
)
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        tables = read(content)
    except ImportRefused:
        return
    for table in tables:
        guesses = guess_columns(table)
        assert len(guesses) == len(table.header)
        assert table.rows
        assert len(imports.check_rows(table, [guess.field for guess in guesses])) == len(table.rows)


@pytest.mark.parametrize(
    "unit",
    [b"<", b"<!--", b"<td>", b'<a ="', b"&#", b'a"b,"\n', b'"', b"a@", b"( at )", b"<meta ", b"<script>"],
    ids=repr,
)
@pytest.mark.slow
def test_two_hostile_megabytes_are_done_with_in_seconds(unit: bytes) -> None:
    began = time.monotonic()
    try:
        read((b"<p>" + unit * 2_000_000)[:2_000_000])
        read((unit * 2_000_000)[:2_000_000])
    except ImportRefused:
        pass
    assert time.monotonic() - began < 60  # what grows with the square takes hours


def test_the_sample_of_embassies_has_two_rows_to_put_right() -> None:
    table = only((SAMPLES / "embassies.csv").read_bytes())
    guesses = guess_columns(table)
    assert {guess.confidence for guess in guesses} == {"sure"}
    rows = check_rows(table, [guess.field for guess in guesses])
    assert len(rows) == 40
    assert [[p.code for p in row.problems if p.severity == "error"] for row in rows if not row.ok] == [
        ["blank_inside"],
        ["duplicate"],
    ]
    assert all(row.values["country"] and row.values["postal_address"].count("\n") == 1 for row in rows)


def test_the_sample_of_a_parliament_is_ready_as_it_is() -> None:
    table = read((SAMPLES / "parliament.html").read_bytes(), filename="parliament.html")[0]
    rows = check_rows(table, [guess.field for guess in guess_columns(table)])
    assert len(rows) == 40
    assert all(row.ok and not row.problems for row in rows)
    assert rows[0].values["name"] == "Amélie Arden"
    assert rows[0].values["email"] == "amelie.arden@parliament.example"
    assert rows[0].values["country"] == "DE"

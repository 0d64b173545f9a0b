"""Exported tables: no spreadsheet calculates anything in them, and they come back unchanged."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.exports import restored_cell, safe_cell, write_csv


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49", "-1", "@SUM(A1)", "\tx", "\rx", "\0x", "  =1", '"=1', "'=1", "＝1", "＋1", "－1", "＠x"],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Jane", "a=b", "O'Neil", "'quoted'", "10 - 3", "  x"])
def test_other_text_is_left_alone(text: str) -> None:
    assert safe_cell(text) == text


@given(st.text(alphabet="=+-@'\" \t\rab＝\0"))
def test_an_exported_cell_comes_back_as_it_was(text: str) -> None:
    assert restored_cell(safe_cell(text)) == text


def test_a_table_is_written_with_commas_quotes_where_needed_and_crlf() -> None:
    lines = list(write_csv(["Name", "Note"], [['Doe, "Jane"', "two\nlines"], ["=cmd|x", "a;b"]]))
    assert lines == ["Name,Note\r\n", '"Doe, ""Jane""","two\nlines"\r\n', "'=cmd|x,a;b\r\n"]
    assert list(csv.reader("".join(lines).splitlines(keepends=True)))[1] == ['Doe, "Jane"', "two\nlines"]

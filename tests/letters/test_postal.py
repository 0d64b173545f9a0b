"""Postal addresses as they stand on an envelope."""

import pytest

from letters import postal
from targets.models import Address, Target


def target(post: str, **more: str) -> Target:
    address = Address(kind=Address.Kind.POSTAL, value=post) if post else None
    values = {"name": "Anna Lund", "institution": "Government of Northland", "country": "DE", **more}
    return Target(**values, post=address)


def test_the_country_stands_last_in_capitals() -> None:
    lines = postal.lines(target("Anna Lund\nSchlossplatz 1\n10115 Berlin"), language="en")
    assert lines == ["Anna Lund", "Schlossplatz 1", "10115 Berlin", "GERMANY"]


@pytest.mark.parametrize(
    ("language", "name"),
    [("de", "DEUTSCHLAND"), ("fr", "ALLEMAGNE"), ("ru", "GERMANY"), ("ar", "GERMANY"), ("xx", "GERMANY")],
)
def test_the_country_is_named_so_that_the_post_reads_it(language: str, name: str) -> None:
    assert postal.lines(target("Anna Lund\nSchlossplatz 1"), language=language)[-1] == name


@pytest.mark.parametrize(
    ("country", "last"), [("DE", "Germany"), ("DE", "DEUTSCHLAND"), ("CZ", "CZECH REPUBLIC"), ("NL", "The Netherlands")]
)
def test_a_country_that_the_address_names_is_not_named_twice(country: str, last: str) -> None:
    lines = postal.lines(target(f"Anna Lund\nSchlossplatz 1\n{last}", country=country), language="en")
    assert lines == ["Anna Lund", "Schlossplatz 1", last.upper()]


def test_a_town_in_capitals_is_not_taken_for_the_country() -> None:
    assert postal.lines(target("Anna Lund\nStreet 1\nLONDON", country="GB"), language="en")[-2:] == [
        "LONDON", "UNITED KINGDOM",
    ]  # fmt: skip


def test_an_address_that_begins_with_a_street_gets_its_addressee() -> None:
    lines = postal.lines(target("Schlossplatz 1\n10115 Berlin"), language="en")
    assert lines[:3] == ["Anna Lund", "Government of Northland", "Schlossplatz 1"]
    alone = postal.lines(target("١ شارع", institution="", role=""), language="en")
    assert alone[:2] == ["Anna Lund", "١ شارع"]


def test_without_a_country_nothing_is_added_and_without_an_address_nothing_is_there() -> None:
    assert postal.lines(target("Anna Lund\nSchlossplatz 1", country=""), language="en")[-1] == "Schlossplatz 1"
    assert postal.lines(target("Anna Lund\nSchlossplatz 1", country="XX"), language="en")[-1] == "Schlossplatz 1"
    assert postal.lines(target(""), language="en") == []

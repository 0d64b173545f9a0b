"""Addresses that are a slip away from a well-known host: asked about, changed by a button alone."""

import re

import pytest

from tests.web.supporters.conftest import Dana, page
from web.supporters import misspelt


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("GMIAL.com", "gmail.com"),
        ("hotmial.fr", "hotmail.fr"),
        ("wbe.de", "web.de"),
        ("webb.de", "web.de"),
        ("gxm.de", "gmx.de"),
        ("ornge.fr", "orange.fr"),
        ("mal.ru", "mail.ru"),
        ("yandx.ru", "yandex.ru"),
        ("t-onlne.de", "t-online.de"),
    ],
)
def test_one_slip_is_asked_about(typed: str, meant: str) -> None:
    assert misspelt.meant(f"dana.o'hara@{typed}") == f"dana.o'hara@{meant}"


@pytest.mark.parametrize(
    "typed",
    [
        *sorted(misspelt.HOSTS),
        "mail.com", "email.com", "mail.de",  # real, and next to another
        "yahoo.it", "orange.es", "mail.rs", "gmx.fr",  # the same house elsewhere
        "wab.de", "gmc.de", "bl.ru",  # short names mostly belong to somebody
        "hotmail.e",  # .de or .es
        "gmil.cm",  # two slips
        "parliament.example", "gmail.example.org", "xn--gmil-0na.example",
    ],
)  # fmt: skip
def test_what_may_well_be_right_is_not(typed: str) -> None:
    assert misspelt.meant(f"dana@{typed}") == ""
    assert misspelt.meant(typed) == ""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let mail.example be the only well-known host."""
    monkeypatch.setattr(misspelt, "HOSTS", frozenset({"mail.example"}))


@pytest.mark.usefixtures("known")
def test_the_page_asks_and_changes_the_address_only_when_its_button_is_pressed(dana: Dana) -> None:
    check = dana.write(email="dana@mial.example", news="yes")
    assert "?news=yes" in check
    html = page(dana.get(check))
    asked = re.search(r"<form [^>]*>((?:(?!</form>).)*)Did you mean <bdi>dana@mail\.example</bdi>\?", html, re.DOTALL)
    assert asked is not None
    assert 'name="news" value="yes"' in asked[1]
    assert dana.content().email == "dana@mial.example"
    answer = dana.post(check.partition("?")[0], {"deed": "mend", "news": "yes"})
    assert (answer.status_code, answer["Location"]) == (303, check)
    assert dana.content().email == "dana@mail.example"
    assert "Did you mean" not in page(dana.get(check))


@pytest.mark.usefixtures("known")
def test_an_address_that_was_not_asked_about_stays(dana: Dana) -> None:
    check = dana.write(email="dana@elsewhere.example")
    assert "Did you mean" not in page(dana.get(check))
    dana.post(check, {"deed": "mend", "email": "eve@evil.example"})
    assert dana.content().email == "dana@elsewhere.example"


@pytest.mark.usefixtures("known")
def test_an_address_whose_slip_nobody_minds_is_sent_to_as_it_is(dana: Dana) -> None:
    assert "/confirm/" in dana.post(dana.write(email="dana@mial.example"))["Location"]
    assert dana.content().email == "dana@mial.example"

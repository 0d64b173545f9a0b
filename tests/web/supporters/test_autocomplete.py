"""Fields about the supporter say to browsers what they ask for (WCAG 1.3.5), so that nobody has to type it again."""

import re

from accounts.models import User
from tests import parliament
from tests.web.supporters.conftest import Dana, page
from tests.web.supporters.test_paper import steps

ASKS_FOR = {
    "name": "name",
    "email": "email",
    "town": "address-level2",
    "country": "country",
    "address": "street-address",
    "code": "one-time-code",
}


def said(html: str) -> dict[str, str]:
    """Return what the page's fields about the supporter say that they ask for, by name."""
    tags = re.findall(r"<(?:input|select|textarea) [^>]*>", html)
    named = {found[1]: tag for tag in tags if (found := re.search(r'name="([^"]*)"', tag))}
    return {
        name: found[1] if (found := re.search(r'autocomplete="([^"]*)"', tag)) else ""
        for name, tag in named.items()
        if name in ASKS_FOR
    }


def test_every_field_about_the_supporter_names_what_it_asks_for(dana: Dana, alice: User) -> None:
    found = said(page(dana.get(dana.begin())))
    check = dana.write()
    found |= said(page(dana.get(steps(check)[0])))
    found |= said(page(dana.get(dana.post(check)["Location"])))
    seats = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 3, "FR": 3}))
    found |= said(page(seats.get(f"{seats.home}by-country/")))
    assert found == ASKS_FOR

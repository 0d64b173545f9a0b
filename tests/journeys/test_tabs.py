"""The finished letters on the page to check: side by side by name where there is room, else one below another."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.test_pseudo import show
from tests.web.supporters.conftest import Dana, campaign, dana

__all__ = ["campaign", "dana"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

TOPS = "names => names.map(name => Math.round(name.getBoundingClientRect().top))"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_where_there_is_room_a_name_opens_its_letter_below_all_names_without_scripts(
    chromium: Browser, dana: Dana, language: str
) -> None:
    dana.home = f"/{language}/{dana.campaign.slug}/"
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    show(page, dana.get(dana.write()))
    names, letters = page.locator(".stack > details > summary"), page.locator(".stack > details > .letter")
    assert len(set(names.evaluate_all(TOPS))) == 1
    places = []
    for n in (0, 1, 2):
        if n:
            names.nth(n).press("Enter")
        assert [letter.is_visible() for letter in letters.all()] == [n == each for each in (0, 1, 2)]
        box = letters.nth(n).bounding_box()
        assert box is not None
        places.append((round(box["x"]), round(box["y"])))
    assert len(set(places)) == 1, "each takes the place of the one before"
    lefts = names.evaluate_all("names => names.map(name => name.getBoundingClientRect().left)")
    assert lefts == sorted(lefts, reverse=language == "ar")
    names.nth(3).press("Enter")  # all others
    assert page.locator(".rest details summary").first.is_visible()
    assert letters.nth(2).is_visible()
    page.close()


def test_on_a_phone_the_letters_stand_one_below_another(chromium: Browser, dana: Dana) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 800})
    show(page, dana.get(dana.write()))
    tops = page.locator(".stack > details > summary").evaluate_all(TOPS)
    assert tops == sorted(set(tops))
    page.close()


def test_a_letter_to_one_person_has_no_row_of_names(chromium: Browser, dana: Dana) -> None:
    for target in dana.ask().target_list.targets.all()[1:]:
        target.lists.clear()
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    show(page, dana.get(dana.write()))
    assert page.locator(".stack > details").count() == 1
    assert page.locator(".tabs").count() == 0
    page.close()

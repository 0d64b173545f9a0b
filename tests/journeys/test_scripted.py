"""What the supporters' script adds: pages that look again by themselves, kept text, counts and sharing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_supporter import SENTENCE, write

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]


def test_a_tap_on_the_phone_moves_the_laptop_on_with_focus_on_the_heading(
    open_page: OpenPage, mailbox: Mailbox
) -> None:
    laptop, phone = open_page(width=1280), open_page(width=360, scripts=False)
    write(laptop, name="Ada Tap", email="ada.tap@mail.example")
    phone.goto(mailbox.wait_for("ada.tap@mail.example").link)
    phone.get_by_role("button", name="Send my letter").click()
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.", timeout=20_000)
    expect(laptop.locator("h1")).to_be_focused()
    assert "no second mail is needed" not in laptop.content(), "who sits there has proved nothing"
    assert laptop.evaluate("sessionStorage.length") == 0, "what was typed is cleared once it is sent"


def test_the_status_page_moves_by_itself_to_accepted(open_page: OpenPage, mailbox: Mailbox) -> None:
    page = open_page()
    write(page, name="Ada Live", email="ada.live@mail.example")
    page.goto(mailbox.wait_for("ada.live@mail.example").link)
    page.get_by_role("button", name="Send my letter").click()
    page.get_by_role("link", name="See where it is").click()
    page.evaluate("window.loadedOnce = true")
    expect(page.locator("#live .fates .stamp-accepted")).to_have_count(30, timeout=60_000)
    assert page.evaluate("window.loadedOnce") is True, "without loading the page anew"


def test_typed_text_survives_the_tab_and_is_brought_back_by_a_button(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    given = page.locator("[name=body]").input_value()
    expect(page.locator("[data-count]")).to_have_text(re.compile(r"^Words in the letter: \d+$"))
    page.locator("[name=body]").fill("My own letter, typed on a train.")
    expect(page.locator("#kept")).to_contain_text("Saved in this tab at")
    expect(page.locator("[data-count]")).to_have_text("Words in the letter: 7")
    page.reload()
    expect(page.locator("[name=body]")).to_have_value(given)
    page.get_by_role("button", name="Bring my text back").click()
    expect(page.locator("[name=body]")).to_have_value("My own letter, typed on a train.")
    expect(page.locator("[name=body]")).to_be_focused()


def test_the_links_to_share_by_follow_what_is_typed(open_page: OpenPage, mailbox: Mailbox) -> None:
    page = open_page()
    write(page, name="Ada Share", email="ada.share@mail.example")
    page.goto(mailbox.wait_for("ada.share@mail.example").link)
    page.get_by_role("button", name="Send my letter").click()
    whatsapp = page.get_by_role("link", name="WhatsApp")
    page.get_by_label(re.compile("Begin with my own sentence: “My father worked on a rig.*")).last.check()
    expect(page.locator("#share-text")).to_have_value(re.compile(f"^“{re.escape(SENTENCE)}”"))
    expect(whatsapp).to_have_attribute("href", re.compile("My%20father.*via%3Dwhatsapp"))
    page.locator("#share-text").fill("Read this (it's short)!")
    expect(whatsapp).to_have_attribute("href", re.compile(r"text=Read%20this%20%28it%27s%20short%29%21%20http.*via%3D"))


def test_what_is_typed_is_there_in_the_other_language_too_and_is_not_called_lost_once_it_arrived(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    page.locator("[name=body]").fill("My own letter, typed on a train.")
    expect(page.locator("#kept")).to_contain_text("Saved in this tab at")
    page.goto(page.url.replace("/en/", "/de/"))
    back = page.locator("#bring-back button")
    back.click()
    expect(page.locator("[name=body]")).to_have_value("My own letter, typed on a train.")
    page.locator("[name=sentence]").fill("A sentence that the letter then begins with. ")
    speak(page, "Français")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("[name=body]")).to_have_value(re.compile("^A sentence that the letter then begins with.\n"))
    expect(back).to_be_hidden()


def test_a_form_that_did_not_arrive_is_still_kept(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    page.locator("[name=body]").fill("My own letter, typed on a train.")
    address = page.url
    page.route("**/write/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Check my letter").click(no_wait_after=True)
    page.wait_for_timeout(300)
    page.unroute("**/write/")
    page.goto(address)
    page.get_by_role("button", name="Bring my text back").click()
    expect(page.locator("[name=body]")).to_have_value("My own letter, typed on a train.")


def test_a_sentence_typed_on_the_campaigns_page_is_brought_back_in_any_language(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/en/kazakhstan-2011/")
    page.locator("[name=sentence]").fill("I keep bees, and I read about the strikers.")
    page.goto("/de/kazakhstan-2011/")
    expect(page.locator("[name=sentence]")).to_have_value("")
    page.locator("#bring-back button").click()
    expect(page.locator("[name=sentence]")).to_have_value("I keep bees, and I read about the strikers.")
    expect(page.locator("[name=sentence]")).to_be_focused()
    expect(page.locator("#bring-back")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_language_switch_loses_no_word_and_enter_still_checks_the_letter(
    open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    page.goto("/en/kazakhstan-2011/")
    page.locator("[name=sentence]").fill("I keep bees, and")
    speak(page, "Deutsch")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("[name=sentence]")).to_have_value("I keep bees, and")
    page.locator("#write .button:not(.quiet)").click()
    page.locator("[name=name]").fill("Ada Half")
    page.locator("[name=email]").fill("ada@")
    speak(page, "العربية")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("[name=name]")).to_have_value("Ada Half")
    expect(page.locator("[name=email]")).to_have_value("ada@")
    page.locator("[name=email]").fill("ada.half@mail.example")
    page.locator("[name=email]").press("Enter")
    page.wait_for_url("**/ar/**/check/")


def test_a_beginning_comes_in_where_the_cursor_stands_and_replaces_nothing(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    field = page.locator("[name=sentence]")
    page.get_by_role("button", name="I live in … and …").click()
    expect(field).to_be_focused()
    expect(field).to_have_value("I live in … and ")
    page.keyboard.type("I read about it.")
    field.evaluate("field => field.setSelectionRange(0, 6)")  # what is marked stays as well
    page.get_by_role("button", name=re.compile("^I work as a")).click()
    expect(field).to_have_value("I live I work as a … and I know that  in … and I read about it.")
    page.keyboard.type("here")
    expect(field).to_have_value("I live I work as a … and I know that here in … and I read about it.")
    expect(page.locator("#kept")).to_contain_text("Saved in this tab at")


def test_without_scripts_the_beginnings_are_a_list_to_read(open_page: OpenPage) -> None:
    page = open_page(scripts=False)
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    expect(page.get_by_text("I live in … and …")).to_be_visible()
    expect(page.locator(".starters button")).to_have_count(0)


def speak(page: Page, language: str) -> None:
    """Choose another language in the page's switch."""
    page.locator(".languages summary").click()
    page.locator(".languages").get_by_text(language, exact=True).last.click()

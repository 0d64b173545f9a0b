"""A supporter's way, from the campaign's page to Accepted on the status page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage
from tests.journeys.mailbox import Mailbox

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

SENTENCE = "My father worked on a rig, and I know what it means to lose one's wages."


def write(page: Page, *, name: str, email: str, sentence: str = SENTENCE) -> None:
    """Go from the campaign's page to "Check your e-mail"."""
    page.goto("/en/kazakhstan-2011/")
    page.get_by_label("Why does this matter to you").fill(sentence)
    page.get_by_role("button", name="Write my letter").click()
    expect(page.locator("[name=body]")).to_have_value(re.compile(f"^{re.escape(sentence)}"))
    page.locator("[name=name]").fill(name)
    page.locator("[name=email]").fill(email)
    page.get_by_role("button", name="Check my letter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this your letter?")
    page.get_by_role("button", name="Send my letter").click()
    expect(page.get_by_text(email)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_letter_confirmed_by_link_is_accepted(
    open_page: OpenPage, mailbox: Mailbox, width: int, *, scripts: bool
) -> None:
    page = open_page(width=width, scripts=scripts)
    email = f"ada.{width}.{scripts}@mail.example".lower()
    write(page, name="Ada Bell", email=email)
    page.goto(mailbox.wait_for(email).link)
    assert "Ada" not in page.url
    page.get_by_role("button", name="Send my letter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.")
    assert page.context.cookies() == []
    page.get_by_role("link", name="See where it is").click()
    for _ in range(40):
        if page.get_by_text("Accepted", exact=True).count() >= 30:
            break
        page.wait_for_timeout(500)
        page.reload()
    assert page.get_by_text("Accepted", exact=True).count() >= 30
    letter = mailbox.letters_by("Ada Bell", to="yves.leterme@chancellery.belgium.example")[-1]
    assert letter.startswith("Dear Prime Minister,")
    assert SENTENCE in letter


def test_a_letter_confirmed_by_code_leads_to_the_next_ask_without_another_mail(
    open_page: OpenPage, mailbox: Mailbox
) -> None:
    page = open_page(scripts=False)
    write(page, name="Zoë Žižek", email="zoe@mail.example")
    code = mailbox.wait_for("zoe@mail.example").code
    page.locator("[name=code]").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Confirm with the code").click()
    page.get_by_role("button", name="Write the next letter").click()
    expect(page.locator("[name=name]")).to_have_value("Zoë Žižek")
    expect(page.locator("[name=email]")).to_have_value("zoe@mail.example")
    page.get_by_role("button", name="Check my letter").click()
    page.get_by_role("button", name=re.compile("Send (my letter|as it is)")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.")
    assert mailbox.confirmations("zoe@mail.example") == 1


def test_a_link_that_a_mail_scanner_opens_twenty_times_confirms_nothing(open_page: OpenPage, mailbox: Mailbox) -> None:
    page = open_page(scripts=False)
    write(page, name="Dana Doe", email="dana.scanned@mail.example")
    link = mailbox.wait_for("dana.scanned@mail.example").link
    for _ in range(20):
        assert page.context.request.get(link).ok
    page.goto(link)
    expect(page.get_by_role("button", name="Send my letter")).to_be_visible()
    assert mailbox.letters_by("Dana Doe") == []


def test_what_is_wrong_is_said_at_the_field_and_on_top_and_nothing_is_lost(open_page: OpenPage) -> None:
    page = open_page(scripts=False)
    page.goto("/en/kazakhstan-2011/")
    page.get_by_role("button", name="Write my letter").click()
    page.locator("[name=body]").fill("A letter of my own, long enough to be kept: {{ 7*7 }} stays as it is.")
    page.locator("[name=name]").fill("")
    page.locator("[name=email]").fill("ada@localhost")
    page.get_by_role("button", name="Check my letter").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("[name=body]")).to_have_value(re.compile(r"\{\{ 7\*7 \}\} stays as it is\.$"))
    expect(page.locator("[name=email]")).to_have_value("ada@localhost")
    summary = page.get_by_role("heading", name="There is a problem")
    expect(summary).to_be_visible()
    for field in ("name", "email"):
        box = page.locator(f"[name={field}]")
        expect(box).to_have_attribute("aria-invalid", "true")
        described = (box.get_attribute("aria-describedby") or "").split()
        assert any("error" in one for one in described), described
    page.locator("a[href='#email']").first.click()
    expect(page.locator("[name=email]")).to_be_focused()


def test_the_whole_way_goes_by_keyboard_alone(open_page: OpenPage, mailbox: Mailbox) -> None:
    page = open_page(width=1280)
    page.goto("/en/kazakhstan-2011/")
    press_until(page, "Write my letter", typed={"sentence": "I keep bees, and I read about the strikers."})
    page.keyboard.press("Enter")
    page.wait_for_url("**/write/")
    press_until(page, "Check my letter", typed={"name": "Key Board", "email": "keys@mail.example"})
    page.keyboard.press("Enter")
    page.wait_for_url("**/check/")
    press_until(page, "Send my letter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/confirm/")
    code = mailbox.wait_for("keys@mail.example").code
    press_until(page, "Confirm with the code", typed={"code": code})
    page.keyboard.press("Enter")
    page.wait_for_url("**/sent/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.")


def press_until(page: Page, button: str, typed: dict[str, str] | None = None, presses: int = 80) -> None:
    """Tab forward, typing into the fields named, until the button has focus."""
    for _ in range(presses):
        page.keyboard.press("Tab")
        tag, name, text = page.evaluate(
            "() => { const e = document.activeElement; return [e.tagName, e.name || '', e.innerText || ''] }"
        )
        if typed and name in typed:
            page.keyboard.type(typed[name])
        if tag == "BUTTON" and text.strip() == button:
            return
    raise AssertionError(f"the keyboard does not reach “{button}”")

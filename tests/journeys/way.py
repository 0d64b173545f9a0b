"""The way of a letter by mouse, in any language, for what looks at its pages from outside."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.journeys.mailbox import Mailbox

SENTENCE = {
    "en": "My grandfather worked on the oil fields, and I know what a strike in winter means.",
    "ar": "عمل جدي في حقول النفط، وأعرف ما يعنيه الإضراب في الشتاء.",
}


def of_a_letter(page: Page, mailbox: Mailbox, *, language: str, email: str) -> Iterator[str]:
    """Write a letter of the demonstration and confirm it; yield the name of each page as soon as it is there."""
    page.goto(f"/{language}/kazakhstan-2011/")
    yield "campaign"
    page.locator("#write [name=sentence]").fill(SENTENCE[language])
    page.locator("#write .button").click()
    yield "write"
    page.locator("[name=name]").fill("Dana Writer")
    page.locator("[name=email]").fill(email)
    page.locator("form[data-keep] .button:not(.second, .quiet)").last.click()
    yield "check"
    page.locator("#send").click()
    yield "confirm"
    page.goto(mailbox.wait_for(email).link)
    yield "the mail's link"
    page.locator("main form .button").first.click()
    yield "sent"
    page.locator("main .panel a.line").first.click()
    yield "status"

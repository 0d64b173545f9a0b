"""`python -m tests.journeys.pictures`: the README's pictures of supporters' pages, taken of the running product."""

import sys

from playwright.sync_api import Browser

from tests.journeys import way
from tests.journeys.installation import ROOT, Postbag, visited

PICTURES = ROOT / "docs" / "pictures"
PHONE, DESK = (360, 740), (1280, 800)


def take(
    browser: Browser, postbag: Postbag, *, page: str, name: str, language: str, dark: bool, size: tuple[int, int]
) -> None:
    """Take one picture of one page, in this language, by day or night, on a screen of this size."""
    context = browser.new_context(
        base_url=postbag.url, viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    shown = context.new_page()
    for reached in way.of_a_letter(shown, postbag.mailbox, language=language, email=f"{name}@mail.example"):
        if reached == page:
            shown.screenshot(path=PICTURES / f"{name}.png")
            break
    context.close()


def main() -> int:
    """Take them all."""
    with visited() as (postbag, browser):
        for name, page, language, dark, size in (
            ("campaign", "campaign", "en", False, PHONE),
            ("campaign-wide", "campaign", "en", False, DESK),
            ("write-dark", "write", "en", True, PHONE),
            ("sent-arabic", "sent", "ar", False, PHONE),
            ("sent-arabic-dark-wide", "sent", "ar", True, DESK),
        ):
            take(browser, postbag, page=page, name=name, language=language, dark=dark, size=size)
    return 0


if __name__ == "__main__":
    sys.exit(main())

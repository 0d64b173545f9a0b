"""`python -m tests.journeys.trees`: what a screen reader is told by five pages, written down to be compared with.

Numbers, times and the letters themselves differ from visit to visit; each stands as one sign. Lists are cut short.
"""

import calendar
import re
import sys
from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.journeys import way
from tests.journeys.installation import ROOT, visited
from tests.journeys.mailbox import Mailbox

KEPT = ROOT / "tests" / "journeys" / "trees"
PAGES = ("campaign", "write", "check", "confirm", "status")
EMAIL = "trees@mail.example"
DELIVERIES = 30  # of a letter of the demonstration's first ask
_LESS = """() => {
    document.querySelectorAll(".letter, .mail-subject").forEach(part => { part.textContent = "…"; });
    document.querySelectorAll("[name=subject], [name=body]").forEach(field => { field.value = "…"; });
    const further = document.querySelectorAll(".count, .fates > li:nth-child(n+3), option:nth-child(n+3)");
    further.forEach(part => part.remove());
}"""
_DATE = re.compile(rf"\d+ (?:{'|'.join(calendar.month_name[1:])})(?: \d+)?")
_SUBJECT = re.compile(r"(- term: Subject\n\s+- definition:\n\s+- text: ).*")


def walked(page: Page, mailbox: Mailbox) -> Iterator[tuple[str, str]]:
    """Walk a letter's way; yield the names of the five pages, and their trees as YAML."""
    for name in way.of_a_letter(page, mailbox, language="en", email=EMAIL):
        if name == "status":  # which moves by itself until then
            expect(page.locator("#live .fates .stamp-accepted")).to_have_count(DELIVERIES, timeout=60_000)
        if name in PAGES:
            address = page.url
            page.evaluate(_LESS)
            yield name, _steady(page.locator("body").aria_snapshot())
            page.goto(address)  # with what was taken out


def _steady(tree: str) -> str:
    """Return a tree without what differs from visit to visit."""
    tree = _SUBJECT.sub(r"\1…", re.sub(r"/url: .*", "/url: …", tree))
    tree = re.sub(r"(?<!level=)\b\d+(?:[.,:]\d+)*", "0", _DATE.sub("DATE", tree))
    return re.sub(r"“[^”]*”", "“…”", tree) + "\n"


def main() -> int:
    """Write them all anew."""
    KEPT.mkdir(exist_ok=True)
    with visited() as (postbag, browser):
        page = browser.new_context(base_url=postbag.url, viewport={"width": 360, "height": 740}).new_page()
        for name, tree in walked(page, postbag.mailbox):
            (KEPT / f"{name}.yaml").write_text(tree, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

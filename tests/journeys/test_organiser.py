"""An organiser's way: lists from a file and from a web page, a letter with variants, publish, pause, resume."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_supporter import SENTENCE

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "samples"
BODY = """{% variant %}I write because a library is to be closed.{% or %}Our library may go in spring.{% endvariant %}

{% variant %}Children learn to read there.{% or %}It is the only warm room for many.{% endvariant %}

Please keep it open after 1 March."""


def sign_in(page: Page, postbag: Postbag) -> None:
    """Sign in as the first organiser."""
    page.goto("/organise/")
    page.locator("[name=login]").fill(postbag.email)
    page.locator("[name=password]").fill(postbag.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/organise/")


def import_list(page: Page, name: str, *, file: Path | None = None, pasted: str = "") -> int:
    """Make a list and import a table into it; return how many rows were offered."""
    page.goto("/organise/targets/new/")
    page.locator("[name=name]").fill(name)
    page.locator("[name=kind]").select_option("other")
    page.get_by_role("button", name="Make the list").click()
    page.wait_for_url(lambda url: "/new/" not in url)
    if "/import/" not in page.url:
        page.goto(page.url.rstrip("/") + "/import/")
    if file is not None:
        page.locator("[name=file]").set_input_files(file)
    else:
        page.locator("[name=pasted]").fill(pasted)
    page.get_by_role("button", name="Read the table").click()
    page.get_by_role("button", name="Check the rows").click()
    accept = page.get_by_role("button", name=re.compile(r"Import \d+ rows?"))
    said = re.search(r"\d+", accept.inner_text())
    assert said
    accept.click()
    page.wait_for_url("**/done/")
    return int(said[0])


def make_campaign(page: Page, slug: str, list_name: str) -> None:
    """Make a draft campaign with one letter to the list; its wording has an error first, which costs nothing."""
    page.goto("/organise/campaigns/new/")
    page.locator("[name=title]").fill(f"Keep the library open ({slug})")
    page.locator("[name=summary]").fill("The library is to be closed in March. Members of parliament can stop it.")
    page.locator("[name=slug]").fill(slug)
    page.get_by_role("button", name="Make the draft").click()
    page.goto(f"/organise/campaigns/{slug}/new-letter/")
    chosen = page.locator("[name=target_list] option", has_text=list_name)
    page.locator("[name=target_list]").select_option(value=chosen.get_attribute("value"))
    page.locator("[name=title]").fill("A letter to parliament")
    page.get_by_role("button", name="Add the letter").click()

    page.goto(f"/organise/campaigns/{slug}/a-letter-to-parliament/wording/")
    page.locator("[name=subject]").fill("{% variant %}Please keep our library{% or %}Our library{% endvariant %}")
    page.locator("[name=salutation]").fill("Dear {{ target.titel }},")
    page.locator("[name=body]").fill(BODY)
    page.locator("[name=closing]").fill("Yours sincerely,\n{{ supporter.name }}")
    page.get_by_role("button", name="Save the wording").click()
    expect(page.get_by_text("target.titel").first).to_be_visible()
    expect(page.locator("[name=body]")).to_have_value(BODY)
    page.locator("[name=salutation]").fill("Dear {{ target.name }},")
    page.get_by_role("button", name="Show the letter").click()
    expect(page.get_by_text(re.compile("^Dear (?!{)")).first).to_be_visible()
    page.get_by_role("button", name="Save the wording").click()


def write_and_confirm(page: Page, mailbox: Mailbox, slug: str, name: str, email: str) -> None:
    """Write the campaign's letter and confirm it by the link."""
    page.goto(f"/en/{slug}/")
    page.get_by_label("Why does this matter to you").fill(SENTENCE)
    page.get_by_role("button", name="Write my letter").click()
    page.locator("[name=name]").fill(name)
    page.locator("[name=email]").fill(email)
    page.get_by_role("button", name="Check my letter").click()
    page.get_by_role("button", name="Send my letter").click()
    page.goto(mailbox.wait_for(email).link)
    page.get_by_role("button", name="Send my letter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.")


def ledger_comes_to(page: Page, slug: str, words: str, *, seconds: int = 75) -> None:
    """Look at the ledger until it says `words`."""
    said = ""
    for _ in range(seconds):
        page.goto(f"/organise/campaigns/{slug}/delivery/")
        said = page.locator("main").inner_text()
        if re.search(words, said):
            break
        page.wait_for_timeout(1000)
    assert re.search(words, said), said[:400]
    expect(page.get_by_text("adds up")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_two_lists_a_letter_with_variants_published_paused_and_resumed(
    open_page: OpenPage, postbag: Postbag, mailbox: Mailbox, *, scripts: bool
) -> None:
    page = open_page(width=1280, scripts=scripts)
    sign_in(page, postbag)
    mark = "with" if scripts else "without"
    slug, name = f"library-{mark}", f"Reader {mark}"
    web_page = (SAMPLES / "parliament.html").read_text(encoding="utf-8")
    two_rows_have_problems = import_list(page, f"Embassies {mark}", file=SAMPLES / "embassies.csv")
    assert two_rows_have_problems == 38
    assert import_list(page, f"Parliament {mark}", pasted=web_page) == 40
    make_campaign(page, slug, f"Parliament {mark}")
    page.goto(f"/organise/campaigns/{slug}/publish/")
    page.get_by_role("button", name="Launch the campaign").click()
    page.goto(f"/organise/campaigns/{slug}/delivery/")
    page.get_by_role("button", name="Pause sending").click()
    expect(page.get_by_role("link", name="Resume sending")).to_be_visible()

    write_and_confirm(open_page(scripts=scripts), mailbox, slug, name, f"reader.{mark}@mail.example")
    ledger_comes_to(page, slug, r"40 deliveries\s*=\s*Waiting 40\b")
    assert mailbox.letters_by(name) == [], "a paused campaign sends nothing"
    page.get_by_role("link", name="Resume sending").click()
    page.locator("main form").get_by_role("button").first.click()
    ledger_comes_to(page, slug, r"40 deliveries\s*=.*Accepted 40\b")

    letters = mailbox.letters_by(name)
    assert len(letters) == 40
    assert all(SENTENCE in letter and "variant" not in letter for letter in letters)
    assert len({letter.splitlines()[0] for letter in letters}) == 40, "each is greeted by name"
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV")).first.click()
    assert "Accepted" in download.value.path().read_text(encoding="utf-8-sig")

"""The form in a partner's page of another origin, in a real browser: with the script, without it, and not listed."""

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_organiser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]
HOST = Path(__file__).resolve().parents[2] / "docs" / "embed" / "host.html"
QUESTION = "Why does this matter to you"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[str]:
    """Serve a directory from an origin of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=directory)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def pages(postbag: Postbag, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a partner's two pages: one with the script, one with a frame of fixed height."""
    directory = tmp_path_factory.mktemp("host")
    grows = HOST.read_text().replace("{{postbag}}", postbag.url).replace("{{partner}}", "ports")
    (directory / "grows.html").write_text(grows)
    frame = f"{postbag.url}/embed/kazakhstan-2011/?partner=ports"
    (directory / "fixed.html").write_text(f'<iframe src="{frame}" title="x" width="400" height="900"></iframe>')
    return directory


@pytest.fixture(scope="module")
def host(pages: Path, postbag: Postbag, chromium: Browser) -> Iterator[str]:
    """Return the partner's site, which the demonstration campaign lists."""
    with _served(pages) as origin:
        desk = chromium.new_page(base_url=postbag.url)
        sign_in(desk, postbag)
        desk.goto("/organise/campaigns/kazakhstan-2011/partners/new/")
        desk.get_by_label("Whose pages").fill("Ports")
        desk.get_by_label("Their sites").fill(origin)
        desk.get_by_role("button", name="Add the partner").click()
        expect(desk.get_by_role("heading", name="What they paste")).to_be_visible()
        desk.close()
        yield origin


@contextlib.contextmanager
def _page(chromium: Browser, *, scripts: bool = True) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 800, "height": 900}, java_script_enabled=scripts)
    context.set_default_timeout(15_000)
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def test_a_letter_is_written_in_a_frame_that_is_as_high_as_what_it_shows(
    host: str, chromium: Browser, mailbox: Mailbox
) -> None:
    with _page(chromium) as page:
        asked: set[str] = set()
        page.on("request", lambda sent: asked.add(sent.url.split("/")[2].split(":")[0]))
        page.goto(f"{host}/grows.html")
        frame = page.frame_locator("iframe")
        frame.get_by_label(QUESTION).fill("My father worked on a rig.")
        outer, inner = page.locator("iframe"), frame.locator("body")
        height = outer.evaluate("it => it.clientHeight")
        assert abs(inner.evaluate("it => it.getBoundingClientRect().height") - height) <= 2, "nothing to scroll"
        frame.get_by_role("button", name="Write my letter").click()
        frame.locator("[name=name]").fill("Dana Writer")
        frame.locator("[name=email]").fill("dana.framed@mail.example")
        assert outer.evaluate("it => it.clientHeight") > height, "the next page is longer"
        frame.get_by_role("button", name="Check my letter").click()
        frame.get_by_role("button", name="Send my letter").click()
        frame.locator("[name=code]").fill(mailbox.wait_for("dana.framed@mail.example").code)
        frame.locator("form:has([name=code]) button").first.click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Your letter is on its way.")
        assert asked <= {"127.0.0.1", "localhost"}
        assert page.url == f"{host}/grows.html"


def test_without_scripts_a_frame_of_fixed_height_works_and_the_link_leads_to_the_page(
    host: str, chromium: Browser, postbag: Postbag
) -> None:
    with _page(chromium, scripts=False) as page:
        page.goto(f"{host}/fixed.html")
        frame = page.frame_locator("iframe")
        frame.get_by_label(QUESTION).fill("My father worked on a rig.")
        frame.get_by_role("button", name="Write my letter").click()
        expect(frame.locator("[name=name]")).to_be_visible()
        page.goto(f"{host}/grows.html")
        expect(page.locator("iframe")).to_have_count(0)
        page.get_by_role("link", name="Write a letter for the oil workers").click()
        expect(page).to_have_url(f"{postbag.url}/en/kazakhstan-2011/")


def test_a_site_that_is_not_listed_shows_a_card(host: str, pages: Path, chromium: Browser) -> None:
    with _served(pages) as other, _page(chromium) as page:
        page.goto(f"{other}/fixed.html")
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("link", name="Write a letter")).to_be_visible()
        expect(frame.get_by_role("button", name="Write my letter")).to_have_count(0)

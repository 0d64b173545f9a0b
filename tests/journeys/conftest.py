"""The whole product, and a real browser in front of it."""

import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys import installation
from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox


@pytest.fixture(scope="session")
def postbag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postbag]:
    """Start everything on free ports with a data directory of its own; end it afterwards."""
    with installation.running(tmp_path_factory.mktemp("postbag")) as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Debian's chromium."""
    with installation.chromium() as browser:
        yield browser


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, postbag: Postbag) -> Iterator[OpenPage]:
    """Return what opens a page: `open_page(width=360, scripts=False, dark=False)`; foreign requests fail the test."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []

    def open_one(*, width: int = 360, scripts: bool = True, dark: bool = False) -> Page:
        context = chromium.new_context(
            base_url=postbag.url, viewport={"width": width, "height": 800}, java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )  # fmt: skip
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda sent: foreign.append(sent.url) if not sent.url.startswith(
            (postbag.url, "data:", "blob:", "about:")) else None)  # fmt: skip
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert foreign == []


def healthy(url: str) -> bool:
    """Say whether the pages answer."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)


@pytest.fixture
def mailbox(postbag: Postbag) -> Mailbox:
    """Return what arrived in the built-in mail server."""
    return postbag.mailbox

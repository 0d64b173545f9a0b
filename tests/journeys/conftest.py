"""The whole product, started as `./run` starts it, and a real browser in front of it."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.supervisor import ports
from tests.gate import OUTSIDE
from tests.journeys.mailbox import Mailbox

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
READY_WITHIN = 90.0


@dataclass(frozen=True)
class Postbag:
    """A running installation: where it is, and how its first organiser signs in."""

    url: str
    email: str
    password: str
    data: Path
    process: int


@pytest.fixture(scope="session")
def postbag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postbag]:
    """Start everything on free ports with a data directory of its own; end it afterwards."""
    data = tmp_path_factory.mktemp("postbag")
    port = ports.free_port()
    settings = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    settings |= {"POSTBAG_DATA": str(data), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "config.settings"}
    log = data / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=settings, stdout=output,
                                   stderr=subprocess.STDOUT)  # fmt: skip
    try:
        said = _wait(log, process)
        sign_in = re.search(r"First sign-in\s+(\S+)\s+Password\s+(\S+)", said)
        assert sign_in, said
        yield Postbag(f"http://localhost:{port}", sign_in[1], sign_in[2], data, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait(log: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        said = log.read_text()
        if "is ready" in said and "Ctrl-C" in said:
            return said
        assert process.poll() is None, f"it ended by itself:\n{said}"
        time.sleep(0.2)
    raise AssertionError(f"not ready within {READY_WITHIN:g} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Debian's chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


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
    return Mailbox(postbag.data / "postbox.sqlite3")

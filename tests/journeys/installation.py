"""The whole product, started as `./run` starts it, on free ports and in a directory of its own; and a browser."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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

    @property
    def mailbox(self) -> Mailbox:
        """Return what arrived in the built-in mail server."""
        return Mailbox(self.data / "postbox.sqlite3")


@contextlib.contextmanager
def running(data: Path) -> Iterator[Postbag]:
    """Start everything with its files in `data`; end it afterwards. Raises AssertionError where it does not start."""
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


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's chromium."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET) as browser,
    ):
        yield browser


@contextlib.contextmanager
def visited() -> Iterator[tuple[Postbag, Browser]]:
    """Start everything for once, and a browser that can visit it."""
    with (
        tempfile.TemporaryDirectory(prefix="postbag-visited-") as data,
        running(Path(data)) as postbag,
        chromium() as browser,
    ):
        yield postbag, browser


def _wait(log: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        said = log.read_text()
        if "is ready" in said and "Ctrl-C" in said:
            return said
        assert process.poll() is None, f"it ended by itself:\n{said}"
        time.sleep(0.2)
    raise AssertionError(f"not ready within {READY_WITHIN:g} s:\n{log.read_text()}")

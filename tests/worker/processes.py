"""Worker processes of their own, on a data directory of their own, for tests that kill."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process whose files are in `data`."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return {
        **kept, "POSTBAG_DATA": str(data), "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "a key for tests alone, long enough to be accepted", **more,
    }  # fmt: skip


def manage(*arguments: str, env: Mapping[str, str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one management command to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments], cwd=ROOT, env=dict(env), capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip


def python(code: str, *, env: Mapping[str, str]) -> str:
    """Run a few lines with Django set up; return what they print."""
    lead = "import django; django.setup()\n"
    done = subprocess.run(
        [sys.executable, "-c", lead + code], cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def started(*arguments: str, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a management command beside the test; at the end it is asked to stop, then killed."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), *arguments], cwd=ROOT, env=dict(env), stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(5)


def wait_until(holds: Callable[[], object], *, seconds: float) -> float:
    """Wait until something holds; return how long it took. Fails when it does not."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, f"it did not come true within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - begun

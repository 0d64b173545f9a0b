"""What the settings say to the world: which hosts are ours, what is for this user alone, what is counted."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches

from config import env

ROOT = Path(__file__).resolve().parents[2]
OURS = {"localhost", "127.0.0.1", "[::1]"}


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("https://letters.example.org", {"letters.example.org"}),
        ("https://localhost.example.org:8443", {"localhost.example.org"}),
        ("http://[2001:db8::1]:8000", {"[2001:db8::1]"}),
        ("http://localhost:8000", OURS),
        ("http://127.0.0.1:8000", OURS),
        ("http://[::1]:8000", OURS),
    ],
)
def test_the_names_of_this_machine_count_only_where_it_is_reached_by_them(address: str, hosts: set[str]) -> None:
    assert set(env.hosts_of(address)) == hosts


def test_what_is_counted_is_counted_for_both_web_processes_and_kept_to_this_user() -> None:
    told: dict[str, Any] = settings.CACHES["default"]
    assert told["BACKEND"].endswith("FileBasedCache")
    caches["default"].set("tries", 3)
    assert caches["default"].get("tries") == 3
    assert stat.S_IMODE(Path(told["LOCATION"]).stat().st_mode) == 0o700


@pytest.mark.slow  # it starts Python anew
@pytest.mark.parametrize(
    "start", ["import config.wsgi", "import sys, manage\nsys.argv = ['manage.py', 'version']\nmanage.main()"]
)
def test_files_that_a_program_makes_are_for_its_user_alone(start: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    program = f"import os\nos.umask(0o022)\n{start}\nopen({str(made)!r}, 'w').close()"
    outside = {**os.environ, "POSTBAG_DATA": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=outside, check=True, capture_output=True)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600

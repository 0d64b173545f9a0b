"""`.env.example` lists every setting that is read, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"env\.[a-z_]+\(\s*[\"']([A-Z_]+)[\"']")
OF_THE_SUPERVISOR = {"HOST"}
SET_BY_US = {"REHEARSAL"}  # by `manage.py rehearse`, for what it starts


def test_every_setting_is_listed_and_every_listed_one_is_read() -> None:
    read = set(READ.findall((ROOT / "config" / "settings.py").read_text(encoding="utf-8")))
    listed = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(read) > 15
    assert listed == (read | OF_THE_SUPERVISOR) - SET_BY_US

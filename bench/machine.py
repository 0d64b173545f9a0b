"""What it was measured on."""

import os
import platform
import re
import sqlite3
import subprocess
from pathlib import Path

import django

from bench import programs
from bench.stage import CLUSTER, disk_of

BUSY = 0.5  # programs that already run while nothing is measured


def described(directory: Path) -> str:
    """Return cores, memory, disk and versions in one line; `directory` is where the databases are."""
    parts = [
        f"{os.cpu_count()} cores ({_processor()})",
        f"{_memory_gib():.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"databases on {disk_of(directory) or 'an unknown file system'}",
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        f"PostgreSQL {_version('postgres')} (fsync on, {', '.join(f'{k} {v}' for k, v in CLUSTER.items())})",
        f"SQLite {sqlite3.sqlite_version}",
        f"Redis {_version('redis-server')}",
        f"Postfix {_postfix()}",
    ]
    return ", ".join(parts)


def peers() -> str:
    """Return the peers' versions as they are pinned."""
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", programs.REQUIREMENTS.read_text("utf-8"), re.MULTILINE))
    named = ("django-post_office", "django-mailer", "celery", "django-rq", "rq")
    return ", ".join(f"{name} {pinned[name]}" for name in named)


def load() -> float:
    """Return how many programs wanted to run at once in the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _version(program: str) -> str:
    found = programs.find(program)
    return _first_number([found, "--version"]) if found else "missing"


def _postfix() -> str:
    postconf = programs.find("postconf")
    return _first_number([postconf, "-d", "mail_version"]) if postconf else "unknown"


def _first_number(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found else "unknown"

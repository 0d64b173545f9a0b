"""Programs that the benchmark needs and the product does not: Debian's Postfix, PostgreSQL and Redis, and the peers."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.processes import ROOT, Failed
from tests import servers

KEPT = ROOT / ".bench"  # what is made once: the peers' virtual environment, the last figures
PEERS = KEPT / "peers"
REQUIREMENTS = Path(__file__).resolve().parent / "peers" / "requirements.txt"
PACKAGES = {
    "smtp-sink": "postfix",
    "smtp-source": "postfix",
    "postgres": "postgresql",
    "redis-server": "redis-server",
}
_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/postbag-bench.conf")


def find(name: str) -> str | None:
    """Return where a program is, also where only root has it on PATH; None where it is not installed."""
    if name == "postgres":
        found = servers.postgresql_program(name)
        return str(found) if found else None
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def path_of(name: str) -> str:
    """Return where a program is. Raises Failed, naming the package."""
    found = find(name)
    if found is None:
        raise Failed(f"{name} is missing. As root: apt-get update && apt-get install {PACKAGES[name]}")
    return found


def install() -> None:
    """Install Debian's packages that are missing, as root; nothing of them is started. Raises Failed."""
    missing = sorted({package for name, package in PACKAGES.items() if find(name) is None})
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise Failed(f"These packages are missing. As root: apt-get update && apt-get install {' '.join(missing)}")
    print(f"Installing what is missing: {' '.join(missing)}", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Without this the package's first question would be answered with a mail server that sends.
    answer = "postfix postfix/main_mailer_type select No configuration\n"
    subprocess.run(["debconf-set-selections"], input=answer, text=True, env=env, check=False)
    with _nothing_starts():
        subprocess.run([apt, "update", "-qq"], env=env, check=False)
        subprocess.run([apt, "install", "-y", "-qq", "--no-install-recommends", *missing], env=env, check=False)
    for name in PACKAGES:
        path_of(name)


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Keep packages from starting daemons (policy-rc.d) and from making a cluster; leave both as they were."""
    kept: list[Path] = []
    wanted: Mapping[Path, tuple[str, int]] = {
        _POLICY: ("#!/bin/sh\nexit 101\n", 0o755),
        _NO_CLUSTER: ("create_main_cluster = false\n", 0o644),
    }
    for path, (text, mode) in wanted.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
            path.chmod(mode)
            kept.append(path)
    try:
        yield
    finally:
        for path in kept:
            path.unlink(missing_ok=True)


def peers_python() -> str:
    """Return the Python of the peers' virtual environment, which is made where it is missing or out of date."""
    python, stamp = PEERS / "bin" / "python", PEERS / "made-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if not (python.exists() and stamp.exists() and stamp.read_text("ascii") == wanted):
        print("Setting up the peers (django-post_office, django-mailer, Celery, RQ) …", flush=True)
        shutil.rmtree(PEERS, ignore_errors=True)
        KEPT.mkdir(exist_ok=True)
        _run([sys.executable, "-m", "venv", str(PEERS)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--no-input", "--progress-bar", "off", "--no-deps",
              "-r", str(REQUIREMENTS)])  # fmt: skip
        stamp.write_text(wanted, encoding="ascii")
    return str(python)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout)[-2000:]}")

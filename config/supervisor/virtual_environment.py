"""Makes `.venv` with the hash-locked requirements. Needs nothing but Python's own library, and not all of it.

Run by path before anything is installed: `python3 -I config/supervisor/virtual_environment.py [--dev]`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".venv"
PYTHON = PLACE / "bin" / "python"
STAMP = PLACE / "made-from.json"
UNFINISHED = PLACE / "unfinished"
_SAY_EVERY = 5.0  # seconds
_PIP_PACKAGE = "python3-pip-whl"  # Debian's and Ubuntu's; holds pip as one file that runs as it is


class CannotSetUp(Exception):
    """The environment cannot be made; the sentence names what to install."""


def say(text: str) -> None:
    """Print one line of progress."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Make or update the environment; returns the exit status."""
    names = ["requirements.txt", "requirements-dev.txt"] if "--dev" in arguments else ["requirements.txt"]
    try:
        with _alone():
            if needs_making(names):
                make(names)
    except CannotSetUp as error:
        say(f"Postbag cannot be set up: {error}")
        return 1
    except OSError as error:
        say(f"Postbag cannot be set up: {error}")
        return 1
    except KeyboardInterrupt:
        say("Stopped; the next start begins again.")
        return 130
    return 0


def needs_making(names: list[str]) -> bool:
    """Say whether the stamp in `.venv` differs from what it should be made from."""
    made = _read_stamp()
    if UNFINISHED.exists() or not (PLACE / "bin" / "pip").exists() or not PYTHON.exists():
        return True
    wanted = made_from(names)
    return any(made.get(key) != value for key, value in wanted.items())


def made_from(names: list[str]) -> dict[str, str]:
    """Return what the environment depends on: its place, which Python, and each requirements file's hash."""
    wanted = {"place": str(PLACE), "python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    return wanted | {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names}


def make(names: list[str]) -> None:
    """Make the environment, or bring an existing one up to date. Raises CannotSetUp."""
    began_at = time.monotonic()
    wanted, made = made_from(names), _read_stamp()
    moved = any(made.get(key, wanted[key]) != wanted[key] for key in ("place", "python"))
    if UNFINISHED.exists() or moved or not (PLACE / "bin" / "pip").exists() or not PYTHON.exists():
        if PLACE.exists() or PLACE.is_symlink():
            say("Removing a .venv that is unfinished or was made elsewhere.")
            shutil.rmtree(PLACE)
        _make_empty()
    UNFINISHED.touch()
    _install(names)
    UNFINISHED.unlink()
    STAMP.write_text(json.dumps(made | wanted, indent=1) + "\n", encoding="ascii")
    say(f"Set up in {time.monotonic() - began_at:.0f} seconds.")


def _make_empty() -> None:
    say(f"Making {PLACE} with Python {sys.version.split()[0]}.")
    if _has_ensurepip() or (os.geteuid() == 0 and _install_venv_package()):
        _run([sys.executable, "-m", "venv", str(PLACE)])
        return
    # Debian keeps ensurepip in a package of its own; its pip can be had without root and without that.
    _run([sys.executable, "-m", "venv", "--without-pip", str(PLACE)])
    UNFINISHED.touch()
    if _own_pip_installs_pip():
        return
    with tempfile.TemporaryDirectory(prefix="postbag-pip-") as directory:
        wheel = _pip_from_archive(Path(directory))
        if wheel is not None:
            _run([str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)])
            return
    shutil.rmtree(PLACE)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise CannotSetUp(
        f"this Python has no pip of its own. Install the package python3-venv (or python{version}-venv), "
        "as root: apt-get update && apt-get install python3-venv"
    )


def _has_ensurepip() -> bool:
    return subprocess.run(
        [sys.executable, "-I", "-c", "import ensurepip, venv"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


def _install_venv_package() -> bool:
    if shutil.which("apt-get") is None:
        return False
    say("Installing Debian's package python3-venv (this Python cannot make environments without it).")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "python3-venv"]):
        done = subprocess.run(
            ["apt-get", *command], env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode != 0 and command[0] == "install":
            say(f"It could not be installed: {_last_line(done.stderr)}")
            return False
    return _has_ensurepip()


def _own_pip_installs_pip() -> bool:
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "pip"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _pip_from_archive(directory: Path) -> Path | None:
    """Download Debian's own pip, its signature checked by apt, into `directory`; needs no root."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    say(f"Fetching pip from the distribution's package {_PIP_PACKAGE} (nothing is installed on the system).")
    lists, cache = directory / "lists", directory / "cache"
    for place in (lists / "partial", cache / "archives" / "partial"):
        place.mkdir(parents=True)
    private = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=1"]
    for command in (
        ["apt-get", "download", "-qq", _PIP_PACKAGE],
        ["apt-get", "update", "-qq", *private],
        ["apt-get", "download", "-qq", *private, _PIP_PACKAGE],
    ):
        subprocess.run(command, cwd=directory, capture_output=True, check=False)
        package = next(directory.glob("*.deb"), None)
        if package is not None:
            _run(["dpkg-deb", "-x", str(package), str(directory / "unpacked")])
            return next((directory / "unpacked").rglob("pip-*.whl"), None)
    return None


def _install(names: list[str]) -> None:
    total = sum(
        line[:1].isalnum() and "==" in line
        for name in names
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    )
    say(f"Installing {total} packages, each checked against its hash.")
    # --no-deps: the lists are complete, and pip need not work that out again.
    command = [
        str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--progress-bar", "off",
    ]  # fmt: skip
    for name in names:
        command += ["-r", str(ROOT / name)]
    lines: list[str] = []
    said_at, fetched = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            lines.append(line.rstrip())
            fetched += line.startswith(("Collecting", "Processing"))
            if line.startswith("Installing collected"):
                say("  all fetched; unpacking them")
            elif fetched < total and time.monotonic() - said_at > _SAY_EVERY:
                said_at = time.monotonic()
                say(f"  {fetched} of {total} fetched")
    if pip.returncode != 0:
        telling = [line for line in lines if line.startswith(("ERROR", "Could not fetch"))]
        reason = "\n  ".join(telling or lines[-5:])
        raise CannotSetUp(
            f"packages could not be installed:\n  {reason}\nCheck the connection to the package index, "
            "then start again."
        )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotSetUp(f"“{' '.join(command)}” failed: {_last_line(done.stderr or done.stdout)}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _read_stamp() -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(STAMP.read_text(encoding="ascii"))
        if isinstance(kept, dict):
            return {str(key): str(value) for key, value in kept.items()}
    return {}


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is setting up; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a worker host remembers outside the database: which installation it works for, and how far that had come.

`instance.json` in the data directory is written whole or not at all, and reaches the disk before anything is sent under
what it says. It holds the moment at which its own file was made, as the file system keeps it. A copy put back by cp,
tar or rsync has another: a data directory restored from a backup is not taken for the one that was left.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import secrets
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "instance.json"
IDENTITY = re.compile(r"[0-9a-f]{32}")
_LOCK = "instance.lock"
_TRY_EVERY = 0.01  # seconds
_MACHINE_ID = Path("/etc/machine-id")  # machine-id(5); containers and macOS may have none


@dataclass(frozen=True, slots=True)
class Memory:
    """The installation's id (32 hex digits) and the highest epoch this host has seen.

    `is_copy`: this program did not write it where it stands; `is_from_here`: but in this directory of this machine.
    """

    identity: str
    epoch: int
    is_copy: bool = False
    is_from_here: bool = True


class Unreadable(Exception):
    """The file is there and says nothing that can be understood."""

    code = "state_file_unreadable"


def read(directory: Path) -> Memory | None:
    """Return what this host remembers; None where it remembers nothing. Raises Unreadable, OSError."""
    try:
        with (directory / NAME).open("rb") as file:
            born = _born(file.fileno())
            text = file.read(10_000)
    except FileNotFoundError:
        return None
    try:
        said = json.loads(text)
        identity, epoch, made, place = str(said["id"]), int(said["epoch"]), said["made"], said.get("place")
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"{directory / NAME} cannot be understood.") from error
    if not IDENTITY.fullmatch(identity):
        raise Unreadable(f"{directory / NAME} holds no id.")
    is_copy = made is not None and born is not None and made != born
    is_from_here = not is_copy or (place is not None and place == _place(directory))
    return Memory(identity, epoch, is_copy=is_copy, is_from_here=is_from_here)


def write(directory: Path, identity: str, epoch: int) -> None:
    """Remember this, whatever was remembered before. Raises OSError where it cannot reach the disk."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = directory / f"{NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            made = _born(file.fileno())
            json.dump({"id": identity, "epoch": epoch, "made": made, "place": _place(directory)}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(directory / NAME)
    finally:
        fresh.unlink(missing_ok=True)
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def raise_to(directory: Path, identity: str, epoch: int) -> None:
    """Remember this unless as much or more is remembered of the same installation. Raises OSError."""
    try:
        kept = read(directory)
    except Unreadable:
        kept = None
    if kept is None or kept.is_copy or kept.identity != identity or kept.epoch < epoch:
        write(directory, identity, epoch)


@contextlib.contextmanager
def alone(directory: Path, *, seconds: float) -> Iterator[None]:
    """Keep this host's other processes from changing the file meanwhile, but wait for them `seconds` at most.

    A process that was stopped while it held the lock must not stop all others; without it, the worst is an epoch that
    goes back until the next look, a second later.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    until = time.monotonic() + seconds
    lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(lock) and time.monotonic() < until:
            time.sleep(_TRY_EVERY)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _place(directory: Path) -> str | None:
    """Return a mark of this directory of this machine; None where machines have no id."""
    try:
        machine = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return hashlib.sha256(f"{machine}\0{directory.resolve()}".encode()).hexdigest()[:32] if machine else None


# statx(2): Python has no name for it on Linux before 3.15. The buffer's layout is part of the kernel's interface.
_AT_EMPTY_PATH, _STATX_BTIME, _BUFFER = 0x1000, 0x800, 256
_BTIME_AT = 80


def _born(descriptor: int) -> int | None:
    """Return when the file's inode was made, in nanoseconds; None where the file system does not keep that.

    No tool can set it, and a change of owner, mode or name leaves it alone.
    """
    known = getattr(os.fstat(descriptor), "st_birthtime_ns", None) or getattr(
        os.fstat(descriptor), "st_birthtime", None
    )
    if known is not None:
        return int(known if isinstance(known, int) else known * 1_000_000_000)
    statx = getattr(ctypes.CDLL(None), "statx", None) if sys.platform == "linux" else None
    if statx is None:
        return None
    buffer = ctypes.create_string_buffer(_BUFFER)
    if statx(descriptor, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer) != 0:
        return None
    (mask,) = struct.unpack_from("=I", buffer, 0)
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, _BTIME_AT)
    return int(seconds * 1_000_000_000 + nanoseconds) if mask & _STATX_BTIME else None

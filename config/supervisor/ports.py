"""TCP ports of this machine: which are free, and which one was used last time."""

import contextlib
import errno
import socket
from pathlib import Path

USUAL_MAIL_PORT = 8025
_NOT_OURS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class PortTaken(Exception):
    """Another program listens where ours should."""

    code = "port_taken"

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} is in use by another program. End that program, or choose another port: "
            f"{setting}={port + 1 if port < 65535 else 8000} ./run"
        )
        self.port = port


class AddressUnusable(Exception):
    """The host or port cannot be listened on at all."""

    code = "address_unusable"


def listening_host(given: str) -> str:
    """Return the address to listen on: `given`, or 127.0.0.1.

    Some shells export HOST as this machine's name: that is nobody's wish to open the pages to others.
    """
    if not given or given.partition(".")[0] == socket.gethostname().partition(".")[0]:
        return "127.0.0.1"
    return given


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether a program could listen on `port`; a connection that is still closing does not count.

    Raises AddressUnusable where the reason is not another program.
    """
    if port == 0:
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
            trial.listen(1)
    except PermissionError as error:
        raise AddressUnusable(f"Port {port} is for root only. Set PORT to a number above 1023.") from error
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno in _NOT_OURS:
            sentence = f"HOST={host} is not an address of this machine. Use 127.0.0.1 or 0.0.0.0."
            raise AddressUnusable(sentence) from error
        return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that was free a moment ago."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.bind((host, 0))
        return int(trial.getsockname()[1])


def require_free(port: int, setting: str, host: str = "127.0.0.1") -> None:
    """Raise PortTaken, naming the `setting` that chooses another, unless `port` is free."""
    if not is_free(port, host):
        raise PortTaken(port, setting)


def kept_mail_port(directory: Path) -> int:
    """Return the mail server's port of last time if it is free, else the usual one, else any; and keep it."""
    kept = directory / "postbox-port"
    last = 0
    with contextlib.suppress(OSError, ValueError):
        last = int(kept.read_text(encoding="ascii"))
    for port in (last, USUAL_MAIL_PORT):
        if 0 < port <= 65535 and is_free(port):
            break
    else:
        port = free_port()
    if port != last:
        kept.write_text(f"{port}\n", encoding="ascii")
    return port

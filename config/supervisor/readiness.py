"""Whether a program does its work yet, asked the way its users would."""

import http.client
import socket

_PATIENCE = 2.0  # seconds for one question
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  read, not bound


def reachable(host: str) -> str:
    """Return where a program that listens on `host` can be asked from this machine."""
    return _EVERYWHERE.get(host, host)


def healthy(host: str, port: int) -> bool:
    """Say whether the pages answer 200 at /healthz."""
    line = http.client.HTTPConnection(reachable(host), port, timeout=_PATIENCE)
    try:
        line.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return line.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def greets(port: int) -> bool:
    """Say whether a mail server on this machine greets with 220 (RFC 5321 §3.1)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as line:
            greeting = line.recv(512)
            line.sendall(b"QUIT\r\n")
    except OSError:
        return False
    return greeting.startswith(b"220")

"""Connections to a provider's API: opened, watched, and one that takes one letter at a time."""

import base64
import contextlib
import http.client
import ipaddress
import select
import socket
import ssl
import time
from urllib.parse import unquote, urlsplit

import requests
from django.core.exceptions import ImproperlyConfigured

from letters.composing import Message
from letters.endings import Ending
from worker.transports import Allow, AsksForDot, Ended, LineDown, Said
from worker.transports.provider.api import Account, Api
from worker.transports.provider.dialogue import ApiDialogue
from worker.transports.smtp import PIECE, Wire

CONNECT_SECONDS = 20.0


class ApiWire(Wire):
    """One open connection that does not block, and the dialogue on it."""

    def __init__(self, sock: socket.socket, dialogue: ApiDialogue) -> None:
        super().__init__(sock, dialogue)  # type: ignore[arg-type]  # the same to whoever drives it
        self._dialogue = dialogue

    def read(self) -> list[Said]:
        """Take what has arrived, without waiting. What ends the line ends the letter on it."""
        said: list[Said] = []
        while self._dialogue.is_usable:
            try:
                piece = self._sock.recv(PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return said  # also where TLS had something of its own to say, as after its handshake
            except OSError as error:
                return said + self._dialogue.break_off(_words(error))
            said += self._dialogue.hear(piece) if piece else self._dialogue.hear_end()
        return said

    def write(self) -> list[Said]:
        """Send what waits, as much as the provider takes now. Where it takes no more, an early no may have come."""
        outgoing = self._dialogue.outgoing
        while outgoing:
            try:
                del outgoing[: self._sock.send(outgoing[:PIECE])]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return []
            except OSError as error:
                said = self.read()
                return said + self._dialogue.break_off(_words(error))
        return self._dialogue.has_left()

    def close(self, *, politely: bool = False) -> None:  # noqa: ARG002  HTTP has no word for it
        """End the connection."""
        self._dialogue.break_off("closed")
        self._sock.close()


def connected(api: Api, *, patience: float = 1.0) -> ApiWire:
    """Connect to a provider, through a proxy where the environment names one, and secure the line; blocks.

    Certificates are checked against those of the machine. Raises LineDown.
    """
    parts = urlsplit(api.url)
    proxy = _proxy_to(api.url)
    secure = parts.scheme == "https"
    at = urlsplit(proxy) if proxy else parts
    try:
        host, port = at.hostname or "", at.port or (443 if at.scheme == "https" else 80)
        line: http.client.HTTPConnection
        if secure:
            context = ssl.create_default_context()
            line = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS * patience, context=context)
        else:
            line = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS * patience)
        if proxy and secure:
            line.set_tunnel(parts.hostname or "", parts.port or 443, _proxy_headers(proxy))
        line.connect()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise LineDown(api.words(_words(error))) from error
    sock: socket.socket = line.sock
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ApiWire(sock, ApiDialogue(api, through_proxy=bool(proxy) and not secure, patience=patience))


class ProviderLine:
    """A connection that takes one letter at a time; opened at the first, and anew after anything unclean."""

    def __init__(self, account: Account, *, patience: float = 1.0) -> None:
        self._account = account
        self._patience = patience
        self._api: Api | None = None
        self._wire: ApiWire | None = None

    def open(self) -> None:
        """Connect and secure, unless the line is open and quiet. Raises LineDown."""
        if self._wire is not None:
            self._wire.read()
            if not self._wire.dialogue.is_usable:
                self._drop()  # an idle connection that the provider ended, or spoke on unasked
        if self._wire is None:
            self._wire = connected(self._ready_api(), patience=self._patience)

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Hand one letter over with one request; see RELIABILITY §3 for the endings.

        `allow` is asked when the connection stands, right before the request is written. Raises LineDown where no
        connection could be had.
        """
        time.sleep(self._ready_api().quiet_for)
        self.open()
        wire = self._wire
        assert wire is not None  # noqa: S101  `open` made it or raised
        said = wire.dialogue.begin(message)
        while True:
            for one in said:
                if isinstance(one, Ended):
                    if not wire.dialogue.is_usable:
                        self._drop()
                    return one.ending
            if any(isinstance(one, AsksForDot) for one in said):
                if not allow():
                    said = wire.dialogue.refuse_dot()
                    continue
                said = wire.read()  # a yes said too early must not pass for the answer to the request
                if not said:
                    wire.dialogue.write_dot()
                    said = wire.write()
                continue
            said = wire.write() if wire.wants_to_write else []
            said = said or _heard(wire)

    def close(self) -> None:
        """End the connection."""
        self._drop()

    def _ready_api(self) -> Api:
        if self._api is None:
            self._api = api_of(self._account)
        return self._api

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def api_of(account: Account) -> Api:
    """Return what composes and judges for an account. Raises LineDown where Anymail cannot be told of it."""
    try:
        return Api(account)
    except (ImproperlyConfigured, ImportError, ValueError) as error:
        raise LineDown(f"{account.esp} is not set up: {type(error).__name__}") from error


def _heard(wire: ApiWire) -> list[Said]:
    """Wait for the provider, within its time; silence ends the dialogue."""
    left = wire.dialogue.seconds_left()
    if left is None or left <= 0:
        return wire.dialogue.break_off("no answer in time")
    poll = select.poll()
    poll.register(wire, select.POLLIN | (select.POLLOUT if wire.wants_to_write else 0))
    happened = poll.poll(left * 1000)
    return wire.read() if any(event & ~select.POLLOUT for _, event in happened) else []


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _proxy_to(url: str) -> str | None:
    """Return the proxy that the environment names for an address; what is on this machine is reached without one."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return None
    return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url, None))


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    told = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(told).decode()}"}

"""The mailbox that bounces and answers come to: a server for SMTP and LMTP, which takes mail to our addresses alone.

It answers nothing, passes nothing on to others, and says yes to a mail only when what it told is written down.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from letters import arrivals, incoming, tracking
from letters.arrivals import What
from worker import defects

log = logging.getLogger(__name__)
IDLE_LIMIT = 300.0  # seconds, RFC 5321 §4.5.3.2.7
MOST_CONVERSATIONS = 50
MOST_AT_WORK = 2  # mails read and written down at once
MOST_REFUSED = 10  # addresses that do not exist, in one conversation
ADDRESSES_LIMIT = 100  # RFC 5321 §4.5.3.1.8
NOT_NOW = "451 4.3.0 This cannot be written down at the moment"


@dataclass(frozen=True)
class Listener:
    """Where to listen. With port 0 a free one is taken."""

    host: str
    port: int
    is_lmtp: bool = False


class Mailbox:
    """Serves until stopped: `mailbox = Mailbox(…)`, `asyncio.run(mailbox.serve())`; `ports` once `opened` is set."""

    def __init__(self, listeners: Sequence[Listener], *, name: str, tls: ssl.SSLContext | None = None) -> None:
        self.ports: list[int] = []
        self.opened = threading.Event()
        self._listeners = listeners
        self._name = name
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._open: set[SMTP] = set()

    async def serve(self) -> None:
        """Listen until `stop`. Raises OSError where a port is taken."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        at_work = asyncio.Semaphore(MOST_AT_WORK)
        servers = []
        try:
            for listener in self._listeners:
                kind = _Lmtp if listener.is_lmtp else _Smtp
                servers.append(
                    await self._loop.create_server(
                        lambda kind=kind: self._conversation(kind, at_work), listener.host, listener.port  # type: ignore[misc]
                    )
                )  # fmt: skip
            self.ports = [server.sockets[0].getsockname()[1] for server in servers]
            self.opened.set()
            await self._stopping.wait()
        finally:
            for server in servers:
                server.close()
            async with asyncio.timeout(10):
                for _ in range(MOST_AT_WORK):  # what was handed over is written down and answered
                    await at_work.acquire()
            await asyncio.sleep(0.05)  # the last answers leave before the lines close
            for conversation in list(self._open):
                if conversation.transport is not None:
                    conversation.transport.close()

    def stop(self) -> None:
        """Finish what is being written down, then close. Safe from any thread."""
        if self._loop is not None and self._stopping is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    def _conversation(self, kind: "type[_Smtp]", at_work: asyncio.Semaphore) -> SMTP:
        made = kind(
            _Doorkeeper(at_work, is_lmtp=kind is _Lmtp), data_size_limit=incoming.MOST_BYTES, enable_SMTPUTF8=True,
            hostname=self._name, ident="ESMTP", timeout=IDLE_LIMIT, tls_context=self._tls, loop=self._loop,
        )  # fmt: skip
        made.others = self._open
        return made


class _Smtp(SMTP):
    """A conversation by RFC 5321, one of so many at once."""

    line_length_limit = 100_000  # some write lines longer than RFC 5322 allows; that is no reason not to hear them
    others: set[SMTP]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, also anew under TLS; or say that there are too many."""
        if self not in self.others and len(self.others) >= MOST_CONVERSATIONS:
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.3.2 Too many conversations at once, please come again\r\n")
            transport.close()
            return
        self.others.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        if self in self.others:
            self.others.discard(self)
            super().connection_lost(error)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The standard library's parser fails on some broken addresses, which would be answered as our fault.
        try:
            return super()._getaddr(arg)
        except (IndexError, ValueError, AttributeError, TypeError):
            return None, None


class _Lmtp(_Smtp, LMTP):
    """One by RFC 2033: like SMTP, but each address gets an answer of its own."""


class _Doorkeeper:
    """What aiosmtpd asks on each command; the names and arguments of the methods are its own."""

    def __init__(self, at_work: asyncio.Semaphore, *, is_lmtp: bool) -> None:
        self._at_work = at_work
        self._is_lmtp = is_lmtp
        self._refused = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= ADDRESSES_LIMIT:
            return "452 4.5.3 Too many addresses for one mail"
        try:
            why = await asyncio.to_thread(_refusal, address, _sender(envelope))
        except (DatabaseError, InterfaceError):
            return NOT_NOW
        if not why:
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 OK"
        self._refused += 1
        if self._refused > MOST_REFUSED and server.transport is not None:
            await server.push("421 4.7.0 Too many addresses that do not exist")
            server.transport.close()
            return "421 4.7.0 Too many addresses that do not exist"
        return f"550 5.1.1 {why}"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        data = envelope.original_content or b""
        async with self._at_work:
            answers = [
                await asyncio.to_thread(_take, incoming.Mail(address, _sender(envelope), data))
                for address in envelope.rcpt_tos
            ]
        if self._is_lmtp:
            return "\r\n".join(answers)
        return next((answer for answer in answers if not answer.startswith("2")), answers[0])

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, UnicodeError | ValueError):  # bytes that are no command
            return "500 5.5.2 This cannot be read"
        log.error("A conversation failed: %s", type(error).__name__)
        return "451 4.3.0 This could not be done"


def _sender(envelope: Envelope) -> str:
    return "" if envelope.mail_from in {None, "<>"} else str(envelope.mail_from)


def _refusal(address: str, sender: str) -> str:
    """Return why mail to an address is not taken, "" where it is; count it where it is not."""
    close_old_connections()
    why = incoming.refusal(address, sender=sender, now=timezone.now())
    if why:
        incoming.count_refusal(address)
    return why


def _take(mail: incoming.Mail) -> str:
    """Take a mail in and return the answer. What cannot be read is taken too: it would come again and again."""
    close_old_connections()
    try:
        incoming.take(mail, now=timezone.now())
    except (DatabaseError, InterfaceError, tracking.Busy):
        return NOT_NOW
    except Exception as error:  # noqa: BLE001  mail of strangers: a defect of ours must not make their servers insist
        defects.tell(log, "a mail could not be taken in", error)
        arrivals.count(mail.source, What.MALFORMED)
    return "250 2.0.0 OK"

"""The mail server behind the postbox: takes every mail from this machine and keeps it before saying so."""

import asyncio
import ipaddress
import logging
import queue
import re
import threading
import weakref
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session

from postbox.store import Arrival, Store

SIZE_LIMIT = 25 * 1024 * 1024
ADDRESSES_LIMIT = 100  # RFC 5321 §4.5.3.1.8: at least so many for one mail
IDLE_LIMIT = 300.0  # seconds; RFC 5321 §4.5.3.2.7: at least five minutes
_START_LIMIT = 10.0
_STOP_LIMIT = 20.0

_PLAIN = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)>(?: +(.*))?")

log = logging.getLogger("postbox")


class NotLoopback(ValueError):
    """The address to listen on can be reached from other machines."""

    code = "postbox_not_loopback"

    def __init__(self, host: str) -> None:
        super().__init__(f"The postbox is for this machine only: “{host}” can be reached from others.")


class MailServer:
    """An SMTP server in a thread of its own. With port 0 it takes a free one; see `port`."""

    def __init__(self, store: Store, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises NotLoopback (a ValueError) for a host that other machines could reach."""
        self.store = store
        self.host = _loopback(host)
        self.port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._opened: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Return once it listens.

        Raises OSError (port taken), sqlite3.Error (file unusable), TimeoutError (after 10 s).
        """
        if self._thread is not None:
            raise RuntimeError("The postbox is already open.")
        self._thread = threading.Thread(target=self._run, name="postbox", daemon=True)
        self._thread.start()
        try:
            failure = self._opened.get(timeout=_START_LIMIT)
        except queue.Empty:
            raise TimeoutError("The postbox did not open in time.") from None
        if failure is not None:
            self._thread.join()
            self._thread = None
            raise failure

    def stop(self) -> None:
        """Finish what was handed over, answer it, close. Does nothing when it is not open."""
        if self._thread is None:
            return
        if self._loop is not None and self._stopping is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._stopping.set)
            except RuntimeError:
                log.debug("The postbox had closed by itself.")
        self._thread.join(_STOP_LIMIT)
        self._thread = None
        self.store.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:  # noqa: BLE001 – whoever called start has to learn it, whatever it is
            self._opened.put(failure)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self.store.add_many([])  # makes the file, so that an unusable place is found now
        writer = _GroupWriter(self.store)
        writing = asyncio.create_task(writer.run())
        conversations: weakref.WeakSet[SMTP] = weakref.WeakSet()

        def converse() -> SMTP:
            conversation = _Conversation(
                _Trap(writer),
                data_size_limit=SIZE_LIMIT,
                enable_SMTPUTF8=True,
                hostname="localhost",
                ident="postbox",
                timeout=IDLE_LIMIT,
                loop=self._loop,
            )
            conversations.add(conversation)
            return conversation

        listener = await self._loop.create_server(converse, self.host, self.port, backlog=512)
        try:
            self.port = listener.sockets[0].getsockname()[1]
            self._opened.put(None)
            await self._stopping.wait()
        finally:
            listener.close()
            writer.close()
            await writing
            await asyncio.sleep(0.05)  # the last answers leave before the connections close
            for conversation in list(conversations):
                if conversation.transport is not None:
                    conversation.transport.close()


class _Conversation(SMTP):
    # The parser of the standard library takes 27 µs for a plain address and fails with IndexError on some
    # broken ones, which would be answered as our fault (451) instead of theirs (553).
    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        plain = _PLAIN.fullmatch(arg)
        if plain is not None:
            return plain[1], plain[2] or ""
        try:
            return super()._getaddr(arg)
        except (IndexError, ValueError, AttributeError, TypeError):
            return None, None


class _Trap:
    """What aiosmtpd asks on each command; the names and arguments of the methods are its own."""

    def __init__(self, writer: "_GroupWriter") -> None:
        self._writer = writer

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # Commands are read one at a time from one buffer, each answered before the next (RFC 2920 §3.2).
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= ADDRESSES_LIMIT:
            return "452 4.5.3 Too many addresses for one mail"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content or b""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        now = datetime.now(UTC)
        return await self._writer.keep([Arrival(sender, address, raw, now) for address in envelope.rcpt_tos])

    async def handle_exception(self, error: Exception) -> str:
        log.error("A conversation failed: %s", type(error).__name__)
        return "451 4.3.0 The postbox could not do that"


class _GroupWriter:
    """Commits everything that is waiting in one transaction, at once and again: no artificial wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[list[Arrival], asyncio.Future[str]]] = []
        self._something = asyncio.Event()
        self._closed = False

    async def keep(self, arrivals: list[Arrival]) -> str:
        """Answer 250 after the commit, 451 when it failed, 421 when the postbox is closing."""
        if self._closed:
            return "421 4.3.2 The postbox is closing"
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrivals, answer))
        self._something.set()
        return await answer

    def close(self) -> None:
        """Take nothing more; `run` ends when all that waits is committed."""
        self._closed = True
        self._something.set()

    async def run(self) -> None:
        """Commit until closed."""
        while True:
            await self._something.wait()
            self._something.clear()
            group, self._waiting = self._waiting, []
            if not group:
                if self._closed:
                    return
                continue
            status = await asyncio.to_thread(self._commit, [one for arrivals, _ in group for one in arrivals])
            for _, answer in group:
                if not answer.done():  # the other side may have hung up meanwhile
                    answer.set_result(status)
            if self._closed:
                self._something.set()

    def _commit(self, arrivals: list[Arrival]) -> str:
        try:
            self._store.add_many(arrivals)
        except Exception:  # an error that got past here would leave everybody waiting for ever
            log.exception("The postbox could not keep %d mails", len(arrivals))
            return "451 4.3.0 The postbox could not keep that"
        return "250 2.0.0 OK, kept"


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise NotLoopback(host)

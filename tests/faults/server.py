"""The faulty mail server, in a process of its own: `python -m tests.faults.server LOG [PORT]`.

Its conduct is the first line of its standard input, a later line changes it; it answers each with its port, and ends
with its input. What it writes into the log it writes before it answers.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import socket
import ssl
import struct
import sys
from pathlib import Path

from tests.faults import conduct
from tests.faults.conduct import Conduct, Draw, Rule
from tests.faults.oracle import Pen

HOST = "127.0.0.1"
LONGEST_SILENCE = 3600.0  # seconds
_RETURN = re.compile(rb"FROM:<return-([^@>]+)@", re.IGNORECASE)
_TO = re.compile(rb"TO:<([^>]*)>", re.IGNORECASE)
_SIZE = re.compile(rb" SIZE=(\d+)", re.IGNORECASE)
_PID = re.compile(rb"\.pid(\d+)\.", re.IGNORECASE)
_HEADER = re.compile(rb"^(X-Postbag-Delivery|Message-ID): *<?([^\s>]+)", re.MULTILINE | re.IGNORECASE)
_CLOSED = (ConnectionError, ssl.SSLError, EOFError)


class _Over(Exception):
    """This connection has ended, by whomever."""


class Server:
    """All connections of one server."""

    def __init__(self, log: Path) -> None:
        self.pen = Pen(log)
        self.visits: set[Visit] = set()
        self.connections = 0
        self.obey(Conduct())

    def obey(self, new: Conduct) -> None:
        """Behave like this from now on, on open connections too."""
        self.conduct, self.draw = new, Draw(new)
        self.held: dict[tuple[str, int], list[asyncio.Event]] = {}
        self.tls: ssl.SSLContext | None = None
        if new.certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(new.certificate)

    async def serve(self, port: int) -> asyncio.Server:
        """Listen; on any port where it is nought."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.conduct.window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.conduct.window)
        sock.bind((HOST, port))
        return await asyncio.start_server(self._visited, sock=sock, limit=self.conduct.window or 1 << 20, backlog=500)

    async def hold(self, point: str, pid: int, rule: Rule) -> None:
        """Wait until so many connections of this worker have come to this point."""
        place = self.held.setdefault((point, pid), [])
        mine = asyncio.Event()
        place.append(mine)
        if len(place) >= rule.holds:
            for event in place:
                event.set()
            place.clear()
        try:
            await asyncio.wait_for(mine.wait(), rule.after or None)
        except TimeoutError:
            place.remove(mine)

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        visit = Visit(self, reader, writer, self.connections)
        self.visits.add(visit)
        self.pen.write("connected", connection=visit.number)
        try:
            await visit.serve()
        except (_Over, *_CLOSED):
            pass
        finally:
            self.visits.discard(visit)
            visit.cut()
            self.pen.write("closed", connection=visit.number, pid=visit.pid)


class Visit:
    """One connection."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.unread = bytearray()
        self.pid = self.letters = 0
        self.is_secure = False
        self._forget()

    def _forget(self) -> None:
        self.reference = self.to = ""
        self.size = 0
        self.is_refused = False

    # ── the conversation ─────────────────────────────────────────────────────────────────────────────────

    async def serve(self) -> None:
        """Greet, and answer commands one by one, however many arrive at once."""
        await self._act("banner")
        while True:
            line = await self._line()
            verb = line[:4].upper()
            if verb in {b"EHLO", b"HELO"}:
                await self._greeted(line)
            elif verb == b"STAR":
                await self._secure()
            elif verb == b"MAIL":
                await self._mail(line)
            elif verb == b"RCPT":
                found = _TO.search(line)
                self.to = found[1].decode("ascii", "replace") if found else ""
                self._write_down("began")
                if self.is_refused:
                    await self._say(b"503 5.5.1 nobody sends this\r\n")
                else:
                    await self._act("rcpt")
            elif verb == b"DATA":
                await self._data()
            elif verb == b"RSET":
                self._forget()
                await self._say(b"250 ok\r\n")
            elif verb == b"QUIT":
                await self._say(b"221 bye\r\n")
                raise _Over
            else:
                await self._say(b"500 what?\r\n")

    async def _greeted(self, line: bytes) -> None:
        found = _PID.search(line)
        self.pid = int(found[1]) if found else 0
        self._write_down("greeted")
        it = self.server.conduct
        words = ["mx.faults.example", "8BITMIME", f"SIZE {it.size}"]
        words += ["PIPELINING"] * it.pipelines
        words += ["STARTTLS"] * (it.tls in {"offered", "broken"} and not self.is_secure)
        usual = "".join(f"250-{word}\r\n" for word in words[:-1]) + f"250 {words[-1]}\r\n"
        await self._act("ehlo", usual=usual)

    async def _secure(self) -> None:
        if self.server.conduct.tls not in {"offered", "broken"}:
            await self._say(b"502 5.5.1 what?\r\n")
            return
        self._forget()
        self.unread.clear()  # RFC 3207 §4.2: what came before counts for nothing
        await self._act("starttls")
        if self.server.conduct.tls == "broken":
            await self._say(b"\x16\x03\x01 this is no handshake")
            raise _Over
        assert self.server.tls is not None, "a certificate is needed"
        await self.writer.start_tls(self.server.tls)
        self.is_secure = True
        self._write_down("secured")

    async def _mail(self, line: bytes) -> None:
        self._forget()
        self.letters += 1
        if found := _RETURN.search(line):
            self.reference = found[1].decode("ascii", "replace")
        if found := _SIZE.search(line):
            self.size = int(found[1])
        rests_after = self.server.conduct.rests_after
        if rests_after and self.letters > rests_after:
            self._write_down("refused", "421 at MAIL")
            await self._say(b"421 4.7.0 enough for now\r\n")
            raise _Over
        await self._act("mail")

    async def _data(self) -> None:
        if self.is_refused or not self.to:
            await self._say(b"503 5.5.1 nobody to send it to\r\n")
            return
        answer = await self._act("data")
        if not answer.startswith(b"354"):
            return
        if rule := self._rule("text"):
            await self._read_part(*rule)
        await self._dot(await self._text())

    async def _dot(self, data: bytes) -> None:
        found = {name.lower(): value.decode("ascii", "replace") for name, value in _HEADER.findall(data)}
        self.reference = found.get(b"x-postbag-delivery", "")
        facts = {"digest": hashlib.sha256(data).hexdigest(), "message_id": found.get(b"message-id", "")}
        rule, wait = self._rule("dot") or (Rule("dot"), 0.0)
        answer = rule.says or conduct.USUAL["dot"]
        detail = answer if rule.is_clear else f"unclear {rule.does} {rule.says}"
        if rule.is_clear and answer[:1] in "45":
            self._write_down("refused", detail, **facts)
        else:
            self._write_down("accepted" if rule.takes else "dropped", detail, **facts)
        await self._do(rule, wait, usual=conduct.USUAL["dot"])
        self._forget()

    # ── the faults ───────────────────────────────────────────────────────────────────────────────────────

    def _rule(self, point: str) -> tuple[Rule, float] | None:
        subject = self.reference or f"connection {self.number}"
        domain = self.to.rpartition("@")[2] if point in {"rcpt", "data", "text", "dot"} else ""
        return self.server.draw.rule(point, subject=subject, letter=self.letters, domain=domain)

    async def _act(self, point: str, *, usual: str = "") -> bytes:
        """Do what the conduct says at this point; return what was answered."""
        found = self._rule(point)
        usual = usual or conduct.USUAL[point]
        if found is None:
            await self._say(usual.encode() + b"\r\n" * (not usual.endswith("\n")))
            return usual.encode()
        rule, wait = found
        answer = rule.says or usual
        if rule.does == "say" and answer[:1] in "45":
            self.is_refused = True
            self._write_down("refused", f"{answer} at {point.upper()}")
        return await self._do(rule, wait, usual=usual)

    async def _do(self, rule: Rule, wait: float, *, usual: str) -> bytes:
        if rule.holds:
            await self.server.hold(rule.at, self.pid, rule)
        elif rule.does != "drip" and wait:
            await asyncio.sleep(wait)
        answer = (rule.says or usual).encode() + b"\r\n"
        match rule.does:
            case "say":
                await self._say(answer)
            case "drip":
                for byte in answer:
                    await self._say(bytes([byte]))
                    await asyncio.sleep(wait)
            case "garbage":
                await self._say_garbage(conduct.GARBAGE[rule.says].data)
            case "silence":
                await self._wait_for_the_end()
            case "kill":
                self._kill()
        ends = rule.then or {"drop": "drop", "reset": "reset", "kill": "drop"}.get(rule.does, "")
        if ends:
            self.cut(hard=ends == "reset")
            raise _Over
        return answer

    async def _say_garbage(self, data: bytes) -> None:
        if data != conduct.ENDLESS:
            await self._say(data)
            return
        for number in range(1_000_000):
            await self._say(b"250-and another line %d\r\n" % number)

    async def _wait_for_the_end(self) -> None:
        """Say nothing until the other side hangs up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SILENCE):
                while await self.reader.read(65536):
                    pass
        raise _Over

    def _kill(self) -> None:
        if self.pid > 1:
            self._write_down("killed")
            with contextlib.suppress(ProcessLookupError):  # another connection's letter was first
                os.kill(self.pid, signal.SIGKILL)

    async def _read_part(self, rule: Rule, _wait: float) -> None:
        """Take a part of the text, then fail."""
        enough = max(int(self.size * rule.part), 1)
        while len(self.unread) < enough:
            await self._more()
        self._write_down("dropped", f"{rule.does} after {rule.part:.0%} of the text")
        await self._do(rule, 0.0, usual="")

    def cut(self, *, hard: bool = False) -> None:
        """End the connection; hard: with a reset, as a machine does that has lost its memory."""
        sock = self.writer.get_extra_info("socket")
        if hard and sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        self.writer.close()

    # ── bytes ────────────────────────────────────────────────────────────────────────────────────────────

    def _write_down(self, verb: str, detail: str = "", **facts: str) -> None:
        self.server.pen.write(
            verb, reference=self.reference, connection=self.number, pid=self.pid, to=self.to, detail=detail, **facts
        )

    async def _say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def _more(self) -> None:
        piece = await self.reader.read(1 << 16)
        if not piece:
            raise _Over
        self.unread += piece

    async def _line(self) -> bytes:
        while (end := self.unread.find(b"\n")) < 0:
            await self._more()
        line = bytes(self.unread[: end + 1])
        del self.unread[: end + 1]
        return line

    async def _text(self) -> bytes:
        """Return a letter's bytes without the stuffed dots; what follows its final dot is the next command."""
        lines = bytearray(b"\r\n")  # so that the first line is looked at like the others
        searched = 0
        while True:
            lines += self.unread
            self.unread.clear()
            end = lines.find(b"\r\n.\r\n", searched)
            if end >= 0:
                break
            searched = max(len(lines) - 4, 0)
            await self._more()
        self.unread += lines[end + 5 :]
        return bytes(lines[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]


async def _obey(server: Server, port: int) -> None:
    """Take lines from the standard input until it ends."""
    orders = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    listening: asyncio.Server | None = None
    while line := await orders.readline():
        if line.strip() == b"cut":
            for visit in list(server.visits):
                visit.cut(hard=True)
        else:
            server.obey(conduct.read(line.decode()))
        if listening is None:
            listening = await server.serve(port)
        port = listening.sockets[0].getsockname()[1]
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
    os._exit(0)  # connections that are held would be waited for


if __name__ == "__main__":
    asyncio.run(_obey(Server(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 0))

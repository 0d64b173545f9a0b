"""A mail server far away: passes what is said on, each way later by half a round trip.

`python -m bench.delay PORT MILLISECONDS LISTENING`: to PORT on loopback, for those who connect to LISTENING there.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from bench import processes
from bench.processes import Guardian
from bench.stage import wait_until_listening
from config.supervisor.ports import free_port


class _Way:
    """One direction of a connection: pieces leave in their order, each after the delay."""

    def __init__(self, to: asyncio.StreamWriter, delay: float) -> None:
        self._to = to
        self._delay = delay
        self._pieces: deque[bytes] = deque()  # b"": the end
        self._loop = asyncio.get_running_loop()

    def pass_on(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._loop.call_later(self._delay, self._write_next)

    def _write_next(self) -> None:
        # Timers that fall together may fire in any order; the pieces must not change theirs.
        piece = self._pieces.popleft()
        if self._to.is_closing():
            return
        if piece:
            self._to.write(piece)
        else:
            self._to.close()


async def _carry(reader: asyncio.StreamReader, way: _Way) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            way.pass_on(piece)
    way.pass_on(b"")


async def serve(listening: int, port: int, delay: float) -> None:
    """Pass connections to `listening` on to `port`, `delay` seconds later each way; never returns."""

    async def take(near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(near_reader, _Way(far, delay)), _carry(far_reader, _Way(near, delay)))

    server = await asyncio.start_server(take, "127.0.0.1", listening, backlog=256)
    await server.serve_forever()


@contextlib.contextmanager
def far_away(port: int, *, round_trip: float, directory: Path, guardian: Guardian) -> Iterator[int]:
    """Run it in a process of its own in front of `port`; yields the port to connect to. `round_trip` in seconds."""
    listening, log = free_port(), directory / "delay.log"
    command = [sys.executable, "-m", "bench.delay", str(port), str(round_trip * 1000), str(listening)]
    with processes.started(command, env=processes.environment(), log=log, guardian=guardian):
        wait_until_listening(listening, log)
        yield listening


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[3]), int(sys.argv[1]), float(sys.argv[2]) / 2000))

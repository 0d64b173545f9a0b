"""A bare connection to the postbox, to say what no mail library would say."""

import socket


class Wire:
    """Bytes out, answer lines in; every wait is bounded."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=10)
        self._lines = self.socket.makefile("rb")

    def say(self, content: bytes) -> None:
        """Send in one write."""
        self.socket.sendall(content)

    def line(self) -> bytes:
        """The next line, b'' when the other side has hung up."""
        return self._lines.readline()

    def codes(self, count: int) -> list[str]:
        """The codes of the next `count` answers, each of one or more lines."""
        found = []
        for _ in range(count):
            while (line := self.line())[3:4] == b"-":
                pass
            found.append(line[:3].decode())
        return found

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self.socket.close()

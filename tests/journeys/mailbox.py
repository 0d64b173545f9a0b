"""What arrived in the built-in mail server, as the tests read it."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from postbox.store import Store, read


@dataclass(frozen=True)
class Confirmation:
    """The code and the link of a confirmation mail."""

    code: str
    link: str


class Mailbox:
    """The mail server's store, read beside the server that writes it."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)

    def wait_for(self, email: str, *, seconds: float = 20.0) -> Confirmation:
        """Return the newest confirmation mail to an address, waiting for it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for text in self._texts(email):
                code, link = re.search(r"\b(\d{3}) ?(\d{3})\b", text), re.search(r"https?://\S+/confirm/\S+/", text)
                if code and link:
                    return Confirmation(code[1] + code[2], link[0])
            time.sleep(0.1)
        raise AssertionError(f"no confirmation came to {email} within {seconds:g} s")

    def wait_for_link(self, email: str, path: str, *, seconds: float = 20.0) -> str:
        """Return the newest link in mail to an address whose path begins like this, waiting for it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for text in self._texts(email):
                if found := re.search(rf"https?://[^/\s]+{re.escape(path)}\S+", text):
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no link to {path} came to {email} within {seconds:g} s")

    def confirmations(self, email: str) -> int:
        """Return how many of the newest mails to an address ask for its proof."""
        return sum("/confirm/" in text for text in self._texts(email))

    def letters_by(self, name: str, *, to: str = "") -> list[str]:
        """Return the texts of letters from a supporter, to one address or to all, oldest first."""
        return [
            read(entry.raw).text
            for entry in self._store.iter_letters()
            if entry.delivery and name in entry.header_from and to in {"", entry.envelope_to}
        ]

    def _texts(self, email: str) -> list[str]:
        found = (self._store.get(entry.id) for entry in self._store.letters_in(email, limit=10, offset=0))
        return [read(entry.raw).text for entry in found if entry is not None]

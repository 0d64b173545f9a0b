"""The postbox as a process of its own: opens, says where, and ends with whoever started it."""

import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from postbox.server import MailServer
from postbox.store import Store

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY = 0.5  # seconds


def run(store_path: Path, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM, SIGINT or the end of the parent process; `ready` gets the port once it listens.

    For the main thread of a process of its own. Raises what MailServer.start raises.
    """
    parent = os.getppid()
    ending, look = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        ending.set()
        look.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    _ask_for_news_of_the_parent(look)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would log every address
    server = MailServer(Store(store_path), host, port)
    server.start()
    try:
        ready(server.port)
        while not ending.is_set() and os.getppid() == parent:
            look.wait(_LOOK_EVERY)
            look.clear()
    finally:
        server.stop()


def _ask_for_news_of_the_parent(look: threading.Event) -> None:
    # Linux sends this also when only the starting *thread* ends, so it asks for a look, not for the end.
    signal.signal(signal.SIGHUP, lambda *_: look.set())
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)

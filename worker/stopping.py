"""Ending in an orderly way when asked to by a signal, and saying what keeps us from it."""

import faulthandler
import signal
import threading
from collections.abc import Callable


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and Ctrl-C, in a thread of its own.

    A handler runs inside whatever the main thread is doing; setting an event that it is waiting on could deadlock.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=stop, name="stopping").start())


def explain_on_signal() -> None:
    """Print where every thread stands, file and line and no contents, at each SIGUSR1, even where nothing moves."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)

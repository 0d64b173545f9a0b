"""`manage.py deliver`: the worker without a broker."""

import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from worker import loop, schedule, starting, stopping


class Command(BaseCommand):
    """Delivers until SIGTERM or Ctrl-C; with --once until nothing is due."""

    help = "Deliver letters without a broker."
    requires_system_checks = []  # `handle` checks: Django looks at a database only where it is named

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *_args: Any, once: bool = False, **_options: Any) -> None:
        """Run the loop and, beside it, what recurs. Raises SystemCheckError where commits may be forgotten."""
        stopping.explain_on_signal()
        starting.check_database(self)
        running = loop.this_process()
        stopping.on_signals(running.stop)
        if once:
            while running.turn(rung=True):
                pass
            running.end()
            return
        ended = threading.Event()
        beside = schedule.keep(ended)
        try:
            running.run()
        finally:
            ended.set()
            for thread in beside:
                thread.join()

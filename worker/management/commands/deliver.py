"""`manage.py deliver`: the worker without a broker."""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from worker import schedule
from worker.loop import Loop


class Command(BaseCommand):
    """Delivers until SIGTERM or Ctrl-C; with --once until nothing is due."""

    help = "Deliver letters without a broker."
    requires_system_checks = ["database"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *_args: Any, once: bool = False, **_options: Any) -> None:
        """Run the loop and, beside it, what recurs."""
        loop = Loop()
        if once:
            while loop.turn(rung=True):
                pass
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        self._run(loop)

    def _run(self, loop: Loop) -> None:
        import threading  # noqa: PLC0415

        thread = threading.Thread(target=loop.run, name="delivery loop")
        thread.start()
        ran = dict.fromkeys(schedule.RECURRING, float("-inf"))
        while thread.is_alive():
            for job, every in schedule.RECURRING.items():
                if job.__name__ == "expire" and time.monotonic() - ran[job] >= every:
                    job()
                    ran[job] = time.monotonic()
            thread.join(1.0)

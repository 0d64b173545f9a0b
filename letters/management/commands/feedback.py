"""`manage.py feedback`: what came in of late, from whom, and what was made of it."""

from datetime import timedelta
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from letters import arrivals


class Command(BaseCommand):
    """Prints a line per day and source: providers' events, bounces, answers, and what was dropped and why."""

    help = "Show what came in: events of providers, bounces, answers; and what was dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --days."""
        parser.add_argument("--days", type=int, default=14, help="how many days back (14; at most 90)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the counts."""
        rows = arrivals.days(since=timezone.now() - timedelta(days=max(0, min(options["days"], 90)) - 1))
        for (day, source), cells in groupby(rows, key=lambda row: (row.day, row.source)):
            counts = ", ".join(f"{row.what.replace('_', ' ')} {row.count:,}" for row in cells)
            self.stdout.write(f"{day} {source}: {counts}")
        if not rows:
            self.stdout.write("Nothing came in.")

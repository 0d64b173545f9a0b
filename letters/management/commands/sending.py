"""`manage.py sending`: the operator's switch for all letters to targets."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from letters import stops
from letters.operators import operator


class Command(BaseCommand):
    """Says whether letters may leave; stops or resumes only where an option says so."""

    help = "Show whether letters to targets may leave this installation; stop all of them, or let them leave again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the two decisions, and the reason that members read."""
        deeds = parser.add_mutually_exclusive_group()
        deeds.add_argument("--stop", action="store_true", help="no letter leaves, from the next claim and fence on")
        deeds.add_argument("--resume", action="store_true", help="let letters leave again")
        parser.add_argument("--because", default="", metavar="REASON", help="what members read as the reason")

    def handle(
        self, *_args: Any, stop: bool = False, resume: bool = False, because: str = "", **_options: Any
    ) -> None:
        """Show or decide."""
        now = timezone.now()
        if stop:
            done = stops.hold_all(by=operator(), because=because, now=now)
            self.stdout.write("Stopped." if done else "It was stopped already.")
        elif resume:
            done = stops.let_all_go(by=operator(), now=now)
            self.stdout.write("Resumed: each office at its own pace." if done else "Nothing was stopped.")
        current = stops.current()
        self.stdout.write(current.sentence if current else "Nobody has stopped sending.")

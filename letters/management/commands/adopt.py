"""`manage.py adopt`: what a restored or copied database holds back, and what becomes of it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from letters import adopting, standing
from letters.adopting import Decided, NotNow, Report
from letters.operators import operator
from letters.standing import Verdict


class Command(BaseCommand):
    """Shows how the database stands; decides only where an option says so."""

    help = "Show what a restored or copied database holds back; send it, cancel it, or let this host join."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the three decisions; at most one."""
        deeds = parser.add_mutually_exclusive_group()
        deeds.add_argument("--release", action="store_true", help="send what is held, and send from this database")
        deeds.add_argument("--cancel", action="store_true", help="stop what is held, and send from this database")
        deeds.add_argument("--join", action="store_true", help="let this host send from a database that others use")

    def handle(
        self, *_args: Any, release: bool = False, cancel: bool = False, join: bool = False, **_options: Any
    ) -> None:
        """Show or decide."""
        by, now = operator(), timezone.now()
        try:
            if release:
                self._said("released", adopting.release(by=by, now=now))
            elif cancel:
                self._said("cancelled", adopting.cancel(by=by, now=now))
            elif join:
                self.stdout.write(f"This host sends for installation {adopting.join(now=now)} from now on.")
            else:
                self._show(adopting.report(now=now))
        except NotNow as refused:
            raise CommandError(refused.sentence) from refused

    def _said(self, deed: str, decided: Decided) -> None:
        self.stdout.write(f"{decided.moved:,} deliveries {deed}. Sending goes on.")
        if decided.kept:
            self.stdout.write(
                f"{decided.kept:,} stay held: they may have been taken three times already. --cancel stops them."
            )
        self.stdout.write(f"This is installation {decided.identity} (INSTANCE_ID of further hosts).")

    def _show(self, found: Report) -> None:
        row = found.row
        self.stdout.write(f"Installation {row.identity}, epoch {row.epoch:,}.")
        if found.is_on_hold:
            self.stdout.write(standing.sentence_of(row))
        elif found.verdict is Verdict.OURS:
            self.stdout.write("This host sends from it. Nothing is on hold.")
        elif standing.may_be_taken(found.verdict):
            self.stdout.write("Nothing waits in it: a worker that starts on this host takes it as it is.")
        else:
            self.stdout.write(standing.refusal(row, found.verdict))
        if row.advanced_at and (found.is_on_hold or found.verdict is not Verdict.OURS):
            self.stdout.write(
                f"It stands as of {row.advanced_at:%d %B %Y, %H:%M} UTC; what was sent after that, it does not know."
            )
        self.stdout.write(f"Held: {sum(found.held.values()):,} deliveries. Others that wait: {found.waiting:,}.")
        for campaign, n in found.held.items():
            self.stdout.write(f"  {campaign.slug} ({campaign.organisation}): {n:,}")
        if found.held or found.is_on_hold:
            self.stdout.write(
                "--release sends what is held: what left after the backup was made arrives once more.\n"
                "--cancel stops what is held for good: what had not left by then never arrives."
            )

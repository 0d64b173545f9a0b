"""`manage.py recount`: compares the tallies with the rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import Campaign
from letters import statistics


class Command(BaseCommand):
    """Ends with 1 where a tally differs and --repair was not given."""

    help = "Recompute the tallies from the deliveries; they must agree."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --repair."""
        parser.add_argument("--repair", action="store_true", help="correct what differs")

    def handle(self, *_args: Any, repair: bool = False, **_options: Any) -> None:
        """Recount every campaign."""
        differing = 0
        for campaign in Campaign.objects.order_by("pk"):
            found = statistics.recount(campaign, repair=repair)
            differing += found
            self.stdout.write(f"{campaign.slug}: {found} of its tallies differ")
        if differing and not repair:
            raise CommandError("Tallies differ from the deliveries. Run again with --repair and report this.")

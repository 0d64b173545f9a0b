"""`manage.py up`: everything under one supervisor; what `./run` does after its set-up."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.supervisor import starting


class Command(BaseCommand):
    """Runs until Ctrl-C or SIGTERM, then ends everything it started."""

    help = "Bring the database up to date, start everything, and keep it running until Ctrl-C."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Run until told to stop; what keeps it from starting is one sentence."""
        try:
            starting.up()
        except starting.CannotStart as error:
            sys.exit(f"Postbag does not start: {error}")
        except KeyboardInterrupt:
            sys.exit(130)

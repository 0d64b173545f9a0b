"""What a worker asks before its first letter: does this database keep what it commits?"""

import logging
import time

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)
AGAIN_AFTER = 1.0  # seconds
AWAY_FOR = 60.0  # seconds: a restart takes less, a wrong password or name lasts


def check_database(command: BaseCommand) -> None:
    """Check it; one that is away is waited for, as a running worker waits for it, but not for ever.

    Raises SystemCheckError where commits may be forgotten, OperationalError or InterfaceError where it stays away.
    """
    until = time.monotonic() + AWAY_FOR
    while True:
        try:
            return command.check(tags=[Tags.database], databases=["default"])
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() > until:
                raise
            log.warning("the database is away (%s); looking again", str(error).partition("\n")[0])
            time.sleep(AGAIN_AFTER)

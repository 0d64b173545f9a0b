#!/usr/bin/env python3
"""The project's commands: `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Run one management command; a wrong setting is one sentence, not a traceback."""
    os.umask(0o077)  # databases, logs and sockets are for this user alone
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415  settings must be named first
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Postbag does not start: {error}")


if __name__ == "__main__":
    main()

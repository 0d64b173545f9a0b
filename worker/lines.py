"""Lines to the mail servers named in the settings."""

from typing import Any

from django.conf import settings

from worker.transports.smtp import Server, SmtpLine


def to_targets() -> SmtpLine:
    """Return a line to the server that takes letters to targets."""
    return _line(settings.MAIL_SERVER)


def to_supporters() -> SmtpLine:
    """Return a line to the server that takes mail to supporters."""
    return _line(settings.SUPPORTER_MAIL_SERVER)


def _line(where: Any) -> SmtpLine:
    return SmtpLine(
        Server(where.host, where.port, where.security, where.username, where.password, settings.MAIL_DOMAIN)
    )

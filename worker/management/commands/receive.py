"""`manage.py receive`: takes mail to MAIL_DOMAIN, bounces and answers, by SMTP or LMTP. Run one per installation."""

import asyncio
import logging
import ssl
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from letters import arrivals
from worker import starting, stopping
from worker.mailbox import Listener, Mailbox


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; what was handed over is written down first."""

    help = "Take mail: bounces and answers."
    requires_system_checks = []  # `handle` checks: Django looks at a database only where it is named

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Listen where the settings say. Raises CommandError, SystemCheckError."""
        starting.check_database(self)
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would log every address
        listeners = [
            Listener(settings.INBOUND_HOST, port, is_lmtp)
            for port, is_lmtp in ((settings.INBOUND_PORT, False), (settings.INBOUND_LMTP_PORT, True))
            if port
        ]
        if not listeners:
            raise CommandError("No port to listen on. Set INBOUND_PORT (SMTP) or INBOUND_LMTP_PORT (LMTP).")
        arrivals.keep_up()
        mailbox = Mailbox(listeners, name=settings.MAIL_DOMAIN, tls=self._tls())
        stopping.on_signals(mailbox.stop)
        try:
            asyncio.run(mailbox.serve())
        except OSError as error:
            raise CommandError(f"Mail cannot be taken there: {error.strerror or error}. Look at INBOUND_….") from error
        finally:
            arrivals.flush()
            connections.close_all()

    def _tls(self) -> ssl.SSLContext | None:
        if not settings.INBOUND_CERTIFICATE:
            return None
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(settings.INBOUND_CERTIFICATE, settings.INBOUND_KEY or None)
        except (OSError, ssl.SSLError) as error:
            raise CommandError(
                f"INBOUND_CERTIFICATE and INBOUND_KEY cannot be used ({error.strerror or error}). Name files in PEM."
            ) from error
        return context

"""Lines to the mail servers and providers named in the settings."""

from typing import Any

from django.conf import settings

from worker.transports import Carrier, Line
from worker.transports.smtp import Server, SmtpLine, connected
from worker.transports.wires import Wires


def carrier_to_targets() -> Carrier:
    """Return what carries letters to targets, over as many lines as the settings allow."""
    if _is_provider(settings.MAIL_SERVER):
        return _carrier_to_provider(settings.MAIL_SERVER)
    server = _server(settings.MAIL_SERVER)
    return Wires(lambda: connected(server), connections=settings.CONNECTIONS, patience=_patience())


def to_targets() -> Line:
    """Return a line to the server or provider that takes letters to targets."""
    return _line(settings.MAIL_SERVER)


def to_supporters() -> Line:
    """Return a line to the server or provider that takes mail to supporters."""
    return _line(settings.SUPPORTER_MAIL_SERVER)


def _line(where: Any) -> Line:
    return _provider_line(where) if _is_provider(where) else SmtpLine(_server(where))


def _is_provider(where: Any) -> bool:
    return hasattr(where, "esp")


# Imported where they are needed: Anymail and what it needs would take 3 MB of each worker that speaks SMTP.
def _carrier_to_provider(where: Any) -> Carrier:
    from worker.transports import provider  # noqa: PLC0415

    api = provider.api_of(_account(where))
    patience = _patience()
    return Wires(
        lambda: provider.connected(api, patience=patience), connections=settings.CONNECTIONS, patience=patience
    )


def _provider_line(where: Any) -> Line:
    from worker.transports.provider import ProviderLine  # noqa: PLC0415

    return ProviderLine(_account(where), patience=_patience())


def _account(where: Any) -> Any:
    from worker.transports.provider import Account  # noqa: PLC0415

    return Account(where.esp, where.backend, where.options, where.switches, where.secrets)


def _patience() -> float:
    return float(settings.MAIL_PATIENCE_PERCENT / 100)


def _server(where: Any) -> Server:
    return Server(where.host, where.port, where.security, where.username, where.password, settings.MAIL_DOMAIN)

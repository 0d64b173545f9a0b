"""System checks, ids stable: what databases, hooks, lines to mail servers and paper must be like."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from config import env


@register(Tags.database)
def durable_commits(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """postbag.E001: a confirmed letter must survive a crash, so commits must reach the disk."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
                fsync, synchronous_commit = cursor.fetchone() or ("", "")
            durable = fsync == "on" and synchronous_commit not in {"off", "local"}
        else:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous")
                durable = (cursor.fetchone() or (0,))[0] >= 2
        if not durable:
            found.append(
                Error(
                    "The database may forget commits in a crash.",
                    hint="Set fsync=on and synchronous_commit=on (PostgreSQL), synchronous=FULL (SQLite).",
                    id="postbag.E001",
                )
            )
    return found


@register(Tags.security)
def proved_hooks(**_options: Any) -> list[CheckMessage]:
    """postbag.E002, E003: nobody is believed without a secret, and each key is one that signatures fit to."""
    found: list[CheckMessage] = [
        Error(sentence, hint="docs/incoming-mail.md has what each provider needs.", id="postbag.E002")
        for sentence in settings.HOOKS.unproved
    ]
    if settings.HOOKS.open:
        from web.hooks import doors  # noqa: PLC0415  Anymail would take 15 MB of each worker

        found += [
            Error(
                f"The key of {esp} in HOOKS_KEYS is not one that a signature can be checked with.",
                hint="Copy it again from the provider's page of webhooks, without the lines that begin with -----.",
                id="postbag.E003",
            )
            for esp in doors.unusable()
        ]
    return found


@register(Tags.security)
def secrets_under_way(**_options: Any) -> list[CheckMessage]:
    """postbag.W002: what signs us in at a mail server or provider elsewhere must not travel in the clear (ASVS 12)."""
    return [
        Warning(
            f"The password in {name} travels in the clear to {where}.",
            hint="Begin its address with smtp+starttls:// or smtps://, a provider's api_url with https://.",
            id="postbag.W002",
        )
        for name, address in (
            ("EMAIL_URL", settings.MAIL_SERVER), ("SUPPORTER_EMAIL_URL", settings.SUPPORTER_MAIL_SERVER)
        )
        if (where := _shown_to(address))
    ]  # fmt: skip


def _shown_to(address: Any) -> str:
    """Return the host that reads along where a password leaves this machine in the clear; "" where none can."""
    if isinstance(address, env.MailServerAddress):
        is_open = address.security == "plain" and bool(address.password) and not address.is_loopback
        return address.host if is_open else ""
    at = urlsplit(str(address.options.get("api_url", "")))
    return at.hostname or "" if at.scheme == "http" and not env.is_loopback(at.hostname or "") else ""


@register("paper", deploy=True)
def typefaces_for_paper(**_options: Any) -> list[CheckMessage]:
    """postbag.W001: letters on paper are set in typefaces that this machine may lack."""
    from letters import paper  # noqa: PLC0415  the settings come first

    if not paper.lacks_typefaces():
        return []
    return [
        Warning(
            "Letters on paper are set in another typeface, and scripts such as Arabic cannot be printed.",
            hint=f"Install the typefaces: apt-get install {paper.PACKAGES}.",
            id="postbag.W001",
        )
    ]


def refuse_unproved_hooks() -> None:
    """Raise ImproperlyConfigured where a hook would believe anybody: the pages do not start then."""
    for problem in proved_hooks():
        raise ImproperlyConfigured(f"{problem.msg} {problem.hint}")

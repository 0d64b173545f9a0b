"""System checks, ids stable: what the guarantee needs of databases, hooks to be believed, and paper of typefaces."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured
from django.db import connections


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

"""Typed readers of the environment that fail loudly, naming the setting and the cure."""

import ipaddress
import os
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import providers

MAIL_SCHEMES = {"smtp": ("plain", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}


@dataclass(frozen=True)
class MailServerAddress:
    """Where letters are handed over: host, port, how the line is secured, and who signs in."""

    host: str
    port: int
    security: str  # plain | starttls | tls
    username: str = ""
    password: str = ""

    @property
    def is_loopback(self) -> bool:
        """Return whether mail handed over there stays on this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Return whether a host's name or number means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_of(address: str) -> list[str]:
    """Return the hosts that the pages answer to: the address's own, and where that is this machine, all its names."""
    host = urlsplit(address).hostname or ""
    own = f"[{host}]" if ":" in host else host
    return list(dict.fromkeys([own, "localhost", "127.0.0.1", "[::1]"])) if is_loopback(host) else [own]


def text(name: str, default: str = "", *, source: Mapping[str, str] = os.environ) -> str:
    """Return the setting `name`, or what the file named by `NAME_FILE` holds (for secrets), or the default."""
    file_name = source.get(f"{name}_FILE", "")
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            reason = error.strerror or "unreadable"
            raise ImproperlyConfigured(
                f"{name}_FILE names {file_name}, which cannot be read ({reason}). "
                "Correct the path or its permissions."
            ) from error
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {file_name}, which is not text. Correct the path."
            ) from error
    return source.get(name, "").strip() or default


def integer(
    name: str, default: int, *, least: int, most: int, source: Mapping[str, str] = os.environ
) -> int:
    """Return a whole number between `least` and `most`."""
    raw = text(name, str(default), source=source)
    try:
        number = int(raw)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise ImproperlyConfigured(f"{name}={raw} is not a whole number from {least} to {most}. Set it so.")
    return number


def mail_server(
    name: str, default: str = "", *, source: Mapping[str, str] = os.environ
) -> MailServerAddress | providers.ProviderAddress | None:
    """Read an address such as `smtp+starttls://name:password@host:587`, or a provider's; None where nothing is set."""
    raw = text(name, default, source=source)
    if not raw:
        return None
    if raw.startswith(providers.SCHEME):
        return providers.read(name, raw)
    cure = (
        f"Write {name} as smtp://host:25, smtp+starttls://name:password@host:587, smtps://name:password@host:465, "
        f"or with a mail provider as {providers.example('mailgun')}"
    )
    parts = _split(raw)
    if parts.scheme not in MAIL_SCHEMES or not parts.hostname:
        raise ImproperlyConfigured(f"{name} is not the address of a mail server. {cure}")
    security, usual_port = MAIL_SCHEMES[parts.scheme]
    try:
        port = parts.port or usual_port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is not a number from 1 to 65535. {cure}") from error
    return MailServerAddress(
        parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or "")
    )


def base_url(name: str, default: str, *, source: Mapping[str, str] = os.environ) -> str:
    """Return the address people reach the pages under, without a trailing slash."""
    raw = text(name, default, source=source).rstrip("/")
    parts = _split(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"{name}={raw} is not the start of an address. Write it as https://letters.example.org."
        )
    return raw


def chosen(name: str, default: str, *, among: Collection[str], source: Mapping[str, str] = os.environ) -> str:
    """Return one of the values in `among`; upper and lower case are the same."""
    raw = text(name, default, source=source).upper()
    if raw not in among:
        raise ImproperlyConfigured(f"{name}={raw} is not known. Set it to one of {', '.join(among)}.")
    return raw


def secret(name: str, default: str, *, source: Mapping[str, str] = os.environ) -> str:
    """Return a secret from the environment that nobody can guess by trying, or the default."""
    given = text(name, source=source)
    if given and len(given) < 32:
        raise ImproperlyConfigured(
            f"{name} has fewer than 32 characters. Make one with: python3 -c "
            "'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return given or default


def identity(name: str, *, source: Mapping[str, str] = os.environ) -> str:
    """Return an installation's id, 32 hex digits in lower case; "" where none is set."""
    raw = text(name, source=source).lower().replace("-", "")
    if raw and not re.fullmatch("[0-9a-f]{32}", raw):
        raise ImproperlyConfigured(
            f"{name} is not an installation's id of 32 hex digits. `manage.py adopt` prints the one of your database; "
            "for a new installation make one with: python3 -c 'import secrets; print(secrets.token_hex(16))'"
        )
    return raw


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # a bracket of an IPv6 address that is never closed
        return SplitResult("", "", "", "", "")


def kept_secret(name: str, directory: Path, *, required: bool, source: Mapping[str, str] = os.environ) -> str:
    """Return a secret from the environment, else the one kept in `directory`, made on first use.

    With `required` (a database of one's own) nothing is made up: several hosts must share the same secret.
    """
    given = secret(name, "", source=source)
    if given:
        return given
    if required:
        raise ImproperlyConfigured(
            f"{name} is missing. With DATABASE_URL set, give all hosts the same {name}, made with: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    kept = directory / name.lower().replace("_", "-")
    if not kept.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, kept)  # two processes starting at once agree on the first one's
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return kept.read_text(encoding="utf-8").strip()

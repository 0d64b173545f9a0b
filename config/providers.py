"""Mail providers that are spoken to by their API: how their addresses are written, and what Anymail must be told."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEME = "anymail+"
OPTION = re.compile(r"[!-~]{1,500}\Z")  # what keys, identifiers and addresses are made of: no blank, ASCII only
YES_OR_NO = {"yes": True, "no": False}
MAILTRAP_SANDBOX = "https://sandbox.api.mailtrap.io/api/"


@dataclass(frozen=True)
class Provider:
    """What the address of one provider holds. `password` and `username` name the options that stand before the @.

    `options` may stand behind the question mark; `switches` are yes or no and are ours, not Anymail's. `api_url` is
    where Anymail reaches it unless told otherwise, "" where it must be told.
    """

    backend: str
    prefix: str  # of its settings in Anymail
    password: str
    username: str = ""
    api_url: str = ""
    options: Mapping[str, str | None] = field(default_factory=dict)  # with what Anymail takes where they are missing
    switches: frozenset[str] = frozenset()
    needs: str = ""  # a package that is not among the requirements
    keyless: bool = False  # credentials may come from elsewhere: a machine's own role
    is_told_not_to_track: bool = False  # per mail; else only in the account's own settings

    @property
    def known_options(self) -> list[str]:
        """Return the names of what may stand behind the question mark."""
        return sorted({"api_url", *self.options, *self.switches})


PROVIDERS: Mapping[str, Provider] = {
    "amazon-ses": Provider(
        "anymail.backends.amazon_ses.EmailBackend", "AMAZON_SES", "secret_access_key", "access_key_id",
        options={"region": None, "configuration_set_name": None}, switches=frozenset({"envelope_sender"}),
        needs="boto3", keyless=True,
    ),
    "brevo": Provider(
        "anymail.backends.brevo.EmailBackend", "BREVO", "api_key", api_url="https://api.brevo.com/v3/"
    ),
    "mailersend": Provider(
        "anymail.backends.mailersend.EmailBackend", "MAILERSEND", "api_token",
        api_url="https://api.mailersend.com/v1/", switches=frozenset({"custom_headers"}), is_told_not_to_track=True,
    ),
    "mailgun": Provider(
        "anymail.backends.mailgun.EmailBackend", "MAILGUN", "api_key",
        api_url="https://api.mailgun.net/v3/", options={"sender_domain": None}, is_told_not_to_track=True,
    ),
    "mailjet": Provider(
        "anymail.backends.mailjet.EmailBackend", "MAILJET", "secret_key", "api_key",
        api_url="https://api.mailjet.com/v3.1/", switches=frozenset({"envelope_sender"}), is_told_not_to_track=True,
    ),
    "mailtrap": Provider(
        "anymail.backends.mailtrap.EmailBackend", "MAILTRAP", "api_token",
        api_url="https://send.api.mailtrap.io/api/", options={"sandbox_id": None},
    ),
    "mandrill": Provider(
        "anymail.backends.mandrill.EmailBackend", "MANDRILL", "api_key",
        api_url="https://mandrillapp.com/api/1.0/", switches=frozenset({"envelope_sender"}), is_told_not_to_track=True,
    ),
    "postal": Provider("anymail.backends.postal.EmailBackend", "POSTAL", "api_key"),
    "postmark": Provider(
        "anymail.backends.postmark.EmailBackend", "POSTMARK", "server_token",
        api_url="https://api.postmarkapp.com/", options={"message_stream": None}, is_told_not_to_track=True,
    ),
    "resend": Provider("anymail.backends.resend.EmailBackend", "RESEND", "api_key", api_url="https://api.resend.com/"),
    "scaleway": Provider(
        "anymail.backends.scaleway.EmailBackend", "SCALEWAY", "secret_key", "project_id",
        api_url="https://api.scaleway.com/transactional-email/v1alpha1/regions/{region}/",
        options={"region": "fr-par"},
    ),
    "sendgrid": Provider(
        "anymail.backends.sendgrid.EmailBackend", "SENDGRID", "api_key", api_url="https://api.sendgrid.com/v3/",
        is_told_not_to_track=True,
    ),
    "sparkpost": Provider(
        "anymail.backends.sparkpost.EmailBackend", "SPARKPOST", "api_key",
        api_url="https://api.sparkpost.com/api/v1/", options={"subaccount": None},
        switches=frozenset({"envelope_sender"}), is_told_not_to_track=True,
    ),
    "unisender-go": Provider(
        "anymail.backends.unisender_go.EmailBackend", "UNISENDER_GO", "api_key",
        switches=frozenset({"skip_unsubscribe"}), is_told_not_to_track=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ProviderAddress:
    """Where letters are handed over by an API: which provider, and what its Anymail backend is told.

    Everything that the backend could look up in Django's settings is in `options`, so that two addresses of one
    provider (for letters, for mail to supporters) never mix.
    """

    esp: str
    options: Mapping[str, Any] = field(repr=False)
    switches: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)  # what must never be shown

    is_loopback = False  # whatever its API's address: a provider's business is to pass mail on

    @property
    def backend(self) -> str:
        """Return the dotted name of Anymail's backend."""
        return PROVIDERS[self.esp].backend

    def as_settings(self) -> dict[str, Any]:
        """Return Django's setting ANYMAIL for mail that leaves through Django's own functions."""
        provider = PROVIDERS[self.esp]
        told = {f"{provider.prefix}_{name.upper()}": value for name, value in self.options.items()}
        if provider.is_told_not_to_track:
            told[f"{provider.prefix}_SEND_DEFAULTS"] = {"track_opens": False, "track_clicks": False}
        return told


def read(name: str, raw: str) -> ProviderAddress:
    """Read an address such as `anymail+mailgun://:API_KEY@/?sender_domain=letters.example.org`.

    Raises ImproperlyConfigured with one sentence that shows nothing of what was read but names that are known.
    """
    parts = _split(name, raw)
    esp = parts.scheme.removeprefix(SCHEME)
    if esp not in PROVIDERS:
        raise ImproperlyConfigured(
            f"{name} names a mail provider that is not known. Known are {', '.join(PROVIDERS)}; "
            f"write it as {example('mailgun')}"
        )
    provider = PROVIDERS[esp]
    cure = f"Write it as {example(esp)}"
    if provider.needs and importlib.util.find_spec(provider.needs) is None:
        raise ImproperlyConfigured(
            f"{name} names {esp}, for which {provider.needs} is missing. "
            f"Add it with: .venv/bin/pip install {provider.needs}"
        )
    if parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} has something where an address of {esp} has nothing. Signs such as / ? # @ % in a key "
            f"are written %2F %3F %23 %40 %25; another address of its API is named by ?api_url=. {cure}"
        )
    credentials = _credentials(name, provider, esp, parts, cure)
    options, switches = _options(name, provider, esp, parts.query, cure)
    told = {**provider.options, **options, **credentials}
    return ProviderAddress(esp, _amazon(told) if esp == "amazon-ses" else told, switches, tuple(credentials.values()))


def example(esp: str) -> str:
    """Return how an address of this provider is written."""
    provider = PROVIDERS[esp]
    query = "sender_domain=letters.example.org" if esp == "mailgun" else ""
    if esp == "amazon-ses":
        query = "region=eu-central-1"
    elif not provider.api_url:
        query = "api_url=https://api.example.org/"
    return f"{SCHEME}{esp}://{provider.username.upper()}:{provider.password.upper()}@/{'?' if query else ''}{query}"


def _split(name: str, raw: str) -> SplitResult:
    try:
        parts = urlsplit(raw)
        _ = parts.hostname, parts.port
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} cannot be read as the address of a mail provider. Signs such as / ? # @ % in a key are written "
            f"%2F %3F %23 %40 %25: {example('mailgun')}"
        ) from None
    return parts


def _credentials(name: str, provider: Provider, esp: str, parts: SplitResult, cure: str) -> dict[str, str]:
    given = {provider.username: unquote(parts.username or ""), provider.password: unquote(parts.password or "")}
    if provider.keyless and not any(given.values()):
        return {}
    missing = [key for key, value in given.items() if key and not value]
    if missing or given.get("", ""):
        what = f"lacks the {' and the '.join(missing)} of {esp}" if missing else "has its key before the colon"
        raise ImproperlyConfigured(f"{name} {what}. {cure}")
    for key, value in given.items():
        if key and not OPTION.match(value):
            raise ImproperlyConfigured(f"{name} has a sign in its {key} that no key has. Copy it again. {cure}")
    return {key: value for key, value in given.items() if key}


def _options(name: str, provider: Provider, esp: str, query: str, cure: str) -> tuple[dict[str, str], frozenset[str]]:
    """Return what stands behind the question mark: options, and switches that are on."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        pairs = [("", "")]
    options: dict[str, str] = {}
    for option, value in pairs:
        if option not in provider.known_options or option in options:
            raise ImproperlyConfigured(
                f"{name} has an option that {esp} does not know, or one twice. "
                f"Known are {', '.join(provider.known_options)}. {cure}"
            )
        allowed = value in YES_OR_NO if option in provider.switches else OPTION.match(value)
        if not allowed or (option == "api_url" and not _is_web_address(value)):
            kind = "yes or no" if option in provider.switches else "one word, or for api_url an https:// address"
            raise ImproperlyConfigured(f"{name} has an option {option} that is not {kind}. {cure}")
        options[option] = value
    on = frozenset(option for option in provider.switches if YES_OR_NO.get(options.pop(option, "no")))
    if options.get("sandbox_id"):
        options.setdefault("api_url", MAILTRAP_SANDBOX)
    if "api_url" not in options and not provider.keyless:
        if not provider.api_url:
            raise ImproperlyConfigured(f"{name} lacks the api_url of {esp}: it has more than one. {cure}")
        options["api_url"] = provider.api_url
    return options, on


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    strange = parts.username or parts.query or parts.fragment or not {"{", "}"}.isdisjoint(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not strange


def _amazon(told: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what Anymail tells boto3, which looks for what is missing in the machine's own configuration."""
    session = {
        "aws_access_key_id": told.get("access_key_id"),
        "aws_secret_access_key": told.get("secret_access_key"),
        "region_name": told.get("region"),
    }
    client = {"endpoint_url": told.get("api_url")}
    return {
        "session_params": {key: value for key, value in session.items() if value},
        "client_params": {key: value for key, value in client.items() if value},
        "configuration_set_name": told.get("configuration_set_name"),
    }

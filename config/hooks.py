"""Which providers may tell us what became of letters, and how they prove who they are (docs/incoming-mail.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.providers import PROVIDERS, ProviderAddress

TRACKING, INBOUND = "tracking", "inbound"
NONE = "none"
_LEAST = 32  # characters of HOOKS_SECRET, both halves and the colon


@dataclass(frozen=True)
class Ways:
    """How a provider proves who it is. `signs`: it always signs; `may_sign`: it does where it is given a key.

    `own_key_inbound`: mail that comes in is signed with a key of its own. `tells` what it can tell at all. Who neither
    signs nor may sign sends HOOKS_SECRET as name and password, the only proof there is.
    """

    tells: tuple[str, ...] = (TRACKING, INBOUND)
    signs: tuple[str, ...] = ()
    may_sign: tuple[str, ...] = ()
    own_key_inbound: bool = False
    key_is_api_key: bool = False
    fetches_inbound: bool = False  # it tells only where a mail can be fetched, with the API's key


WAYS: Mapping[str, Ways] = {
    "amazon-ses": Ways(),  # Amazon's own signature is checked besides
    "brevo": Ways(),
    "mailersend": Ways(signs=(TRACKING, INBOUND), own_key_inbound=True),
    "mailgun": Ways(signs=(TRACKING, INBOUND)),
    "mailjet": Ways(),
    "mailtrap": Ways(may_sign=(TRACKING, INBOUND), own_key_inbound=True, fetches_inbound=True),
    "mandrill": Ways(signs=(TRACKING, INBOUND), own_key_inbound=True),
    "postal": Ways(signs=(TRACKING, INBOUND)),
    "postmark": Ways(),
    "resend": Ways(may_sign=(TRACKING, INBOUND), own_key_inbound=True, fetches_inbound=True),
    "scaleway": Ways(tells=()),
    "sendgrid": Ways(may_sign=(TRACKING,)),
    "sparkpost": Ways(),
    "unisender-go": Ways(tells=(TRACKING,), signs=(TRACKING,), key_is_api_key=True),
}


@dataclass(frozen=True)
class Hook:
    """One address that a provider posts to. `key` signs, `secret` is name:password; one of them at least is there.

    `options` are what the provider's API wants, for those that tell only where a mail can be fetched.
    """

    esp: str
    what: str  # tracking | inbound
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Hooks:
    """The open hooks by (esp, what), and why some that should be open are not: a sentence each."""

    open: Mapping[tuple[str, str], Hook] = field(default_factory=dict)
    unproved: tuple[str, ...] = ()


def read(names: str, secret: str, keys: str, provider: ProviderAddress | None) -> Hooks:
    """Return the hooks that the settings HOOKS, HOOKS_SECRET and HOOKS_KEYS open.

    `provider` is EMAIL_URL's, where it names one: its hook is open without being named in HOOKS. Raises
    ImproperlyConfigured for what cannot be read; nothing of a secret is shown.
    """
    if names.split() == [NONE]:
        return Hooks()
    wanted = _wanted(names, provider)
    if secret and (len(secret) < _LEAST or not all(secret.partition(":")) or not secret.isascii()):
        raise ImproperlyConfigured(
            f"HOOKS_SECRET is not name:password of at least {_LEAST} characters together. Make one with: python3 -c "
            "'import secrets; print(\"hooks:\" + secrets.token_urlsafe(32))'"
        )
    given = _keys(keys, wanted)
    found: dict[tuple[str, str], Hook] = {}
    unproved: list[str] = []
    for esp in wanted:
        ways = WAYS[esp]
        options = dict(provider.options) if provider is not None and provider.esp == esp else {}
        for what in ways.tells:
            key = given.get(f"{esp}-{INBOUND}" if what == INBOUND and ways.own_key_inbound else esp, "")
            if ways.key_is_api_key:
                key = key or str(options.get("api_key", ""))
            if what not in (*ways.signs, *ways.may_sign):
                key = ""
            if what == INBOUND and ways.fetches_inbound and not options:
                continue
            if key or (secret and what not in ways.signs):
                found[esp, what] = Hook(esp, what, key, secret, options)
            elif what == TRACKING:
                unproved.append(_cure(esp, ways))
    return Hooks(found, tuple(unproved))


def _wanted(names: str, provider: ProviderAddress | None) -> list[str]:
    listed = names.replace(",", " ").split()
    unknown = [name for name in listed if name not in WAYS or not WAYS[name].tells]
    if unknown:
        known = ", ".join(name for name, ways in WAYS.items() if ways.tells)
        raise ImproperlyConfigured(f"HOOKS names what no hook is for. Known are {known}; none closes them all.")
    own = [provider.esp] if provider is not None and WAYS[provider.esp].tells else []
    return list(dict.fromkeys([*own, *listed]))


def _keys(keys: str, wanted: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for pair in keys.split():
        name, equals, key = pair.partition("=")
        if not equals or not key or not key.isascii():
            raise ImproperlyConfigured("HOOKS_KEYS is a list of provider=KEY, apart by blanks. Write it so.")
        esp = name.removesuffix(f"-{INBOUND}")
        fits = esp in WAYS and (name == esp or WAYS[esp].own_key_inbound)
        if not fits or esp not in wanted or name in given or not (WAYS[esp].signs or WAYS[esp].may_sign):
            raise ImproperlyConfigured(
                "HOOKS_KEYS has a key for a provider that signs nothing, that HOOKS does not name, or a key twice. "
                f"Open hooks are of: {', '.join(wanted) or 'nobody'}."
            )
        given[name] = key
    return given


def _cure(esp: str, ways: Ways) -> str:
    key = f"its signing key in HOOKS_KEYS ({esp}=KEY)"
    cure = key if TRACKING in ways.signs else f"{key} or HOOKS_SECRET" if ways.may_sign else "HOOKS_SECRET"
    return f"Whoever calls themselves {esp} could tell us anything. Set {cure}, or HOOKS=none to hear nothing of it."


assert WAYS.keys() == PROVIDERS.keys()  # noqa: S101  a provider that is added must be decided on here too

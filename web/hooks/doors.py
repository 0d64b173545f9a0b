"""The open hooks: each proves who knocks, then hands over what was told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anymail.webhooks.base import AnymailBasicAuthMixin
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from web.hooks import anymail_views, batches, bodies, proofs, sns
from web.hooks.proofs import Forged

ALIASES = {"inbound_mime": "inbound", "inbound-mime": "inbound"}  # Mailgun sends whole mails where it reads "mime"


@dataclass(frozen=True)
class Door:
    """One open hook, and Anymail's view for it."""

    esp: str
    what: str
    key: str
    view: Any

    @property
    def most_bytes(self) -> int:
        """Return how long a body may be."""
        return bodies.MOST_INBOUND if self.what == "inbound" else bodies.MOST_TRACKING

    @property
    def is_greeted_by_get(self) -> bool:
        """Return whether the provider looks at the address with GET before it uses it."""
        return self.esp == "unisender-go"

    def greet(self, request: HttpRequest) -> None:
        """Raise Forged where name and password are wanted and wrong: before anything of the body is read."""
        proofs.one_authorization(request)
        if self.esp == "amazon-ses" and "Authorization" not in request.headers:
            raise Forged(asks=True)  # Amazon sends name and password only where it is asked for them
        try:
            AnymailBasicAuthMixin.validate_request(self.view, request)
        except Exception as error:  # what it says where the header is no header
            raise Forged from error

    def prove(self, request: HttpRequest, *, now: datetime) -> bool:
        """Return whether there is something to read; False for the handshake of a subscription.

        Raises Forged, Stale, sns.Unreachable.
        """
        try:
            self.view.run_validators(request)
        except Exception as error:  # a body of strangers makes Anymail raise anything
            raise Forged from error
        if self.esp == "resend" and self.key:
            proofs.svix(request, self.key)
        said = sns.proved(request) if self.esp == "amazon-ses" else None
        proofs.fresh(self.esp, request, now=now)
        if said is not None and said["Type"] == "SubscriptionConfirmation":
            sns.subscribe(said)
        return said is None or said["Type"] == "Notification"

    def events(self, request: HttpRequest) -> tuple[list[Any], int]:
        """Return Anymail's events, and how many could not be read. Raises batches.TooMany, batches.Unreadable."""
        try:
            return batches.events(self.esp, self.what, self.view, request)
        except SuspiciousOperation as error:  # a form with too many fields
            raise batches.Unreadable from error


def find(esp: str, what: str) -> Door | None:
    """Return the door at an address below /hooks/, None where it is not open."""
    if what in ALIASES and esp != "mailgun":
        return None
    hook = settings.HOOKS.open.get((esp, ALIASES.get(what, what)))
    return _door(hook) if hook is not None else None


def unusable() -> list[str]:
    """Return the providers whose key cannot be used to check a signature."""
    found = []
    for (esp, what), hook in settings.HOOKS.open.items():
        try:
            door = Door(esp, what, hook.key, anymail_views.make(hook))
            if esp == "postal":
                _check_postal(door.view)
            usable = esp != "resend" or not hook.key or proofs.is_key_of_svix(hook.key)
        except Exception:  # noqa: BLE001  whatever a library says to it, the key is not one
            usable = False
        if not usable and esp not in found:
            found.append(esp)
    return found


def _check_postal(view: Any) -> None:
    """Raise where Postal's key is not a public key: its view reads it only when a request comes."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415  used at start alone

    load_pem_public_key(f"-----BEGIN PUBLIC KEY-----\n{view.webhook_key}\n-----END PUBLIC KEY-----".encode())


_doors: dict[int, tuple[Any, Door]] = {}  # by the hook's identity, which is kept so that no other gets it


def _door(hook: Any) -> Door:
    """Return the door of a hook, made once."""
    if id(hook) not in _doors:
        _doors[id(hook)] = (hook, Door(hook.esp, hook.what, hook.key, anymail_views.make(hook)))
    return _doors[id(hook)][1]

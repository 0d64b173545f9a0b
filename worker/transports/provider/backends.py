"""Anymail's backends: they compose a provider's requests and read its answers; what travels, travels elsewhere.

Used are the methods that Anymail documents for backends (`build_message_payload`, `parse_recipient_status` …), because
sending as a whole leaves no place for the fence, and no way to tell how far a request came.
"""

import base64
import io
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import quote_plus

import requests
from anymail.exceptions import AnymailUnsupportedFeature
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from worker.transports.provider.answers import Answer


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be written; `payload` is what Anymail reads its answer with."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    payload: Any


class Backend(Protocol):
    """Composes requests to one provider and reads its answers."""

    @property
    def url(self) -> str:
        """Return where the provider is reached."""

    def request(self, mail: EmailMessage) -> Request:
        """Return the request that hands a mail over. Raises whatever Anymail raises."""

    def read(self, answer: Answer, request: Request, mail: EmailMessage) -> dict[str, Any]:
        """Return Anymail's AnymailRecipientStatus by address. Raises whatever Anymail raises."""


class RequestsBackend:
    """Any of Anymail's backends that speak through `requests`."""

    def __init__(self, dotted: str, options: Mapping[str, Any]) -> None:
        # All that a backend could look up in Django's settings is named: those are for mail to organisers.
        self._backend = import_string(dotted)(**options, **_STRICT)

    @property
    def url(self) -> str:
        """See Backend."""
        return str(self._backend.api_url)

    def request(self, mail: EmailMessage) -> Request:
        """See Backend."""
        payload = self._backend.build_message_payload(mail, self._backend.send_defaults)
        told = payload.get_request_params(self._backend.api_url)
        headers = {"User-Agent": "Postbag", "Accept": "*/*", "Accept-Encoding": "identity", **(told["headers"] or {})}
        if told["params"] or told["files"]:
            raise AnymailUnsupportedFeature("a request with files, or with its options in its address")
        body = told["data"] or ""
        if isinstance(body, dict):
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            body = form(body)
        if told["auth"]:
            headers["Authorization"] = _basic(*told["auth"])
        return Request(told["method"], told["url"], headers, body.encode() if isinstance(body, str) else body, payload)

    def read(self, answer: Answer, request: Request, mail: EmailMessage) -> dict[str, Any]:
        """See Backend."""
        response = requests.Response()
        response.status_code, response.url = answer.status, request.url
        response.headers.update(answer.headers)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(answer.body)
        self._backend.raise_for_status(response, request.payload, mail)
        statuses: dict[str, Any] = self._backend.parse_recipient_status(response, request.payload, mail)
        return statuses


class AmazonBackend:
    """Amazon SES, whose requests boto3 composes and signs. It sends none: what it would send is taken from it."""

    _made: ClassVar[dict[str, Any]] = {}  # a client of boto3 is dear to make, and serves many threads
    _making = threading.Lock()

    def __init__(self, dotted: str, options: Mapping[str, Any]) -> None:
        key = repr(sorted(options.items()))
        with self._making:
            if key not in self._made:
                once = {"retries": {"total_max_attempts": 1, "mode": "standard"}}
                client = {**options.get("client_params", {}), "config": once}
                made = import_string(dotted)(**{**options, "client_params": client}, **_STRICT)
                made.open()
                made.client.meta.events.register("before-send.sesv2", _take)
                self._made[key] = made
        self._backend = self._made[key]

    @property
    def url(self) -> str:
        """See Backend."""
        return str(self._backend.client.meta.endpoint_url)

    def request(self, mail: EmailMessage) -> Request:
        """See Backend."""
        payload = self._backend.build_message_payload(mail, self._backend.send_defaults)
        try:
            self._backend.post_to_esp(payload, mail)
        except _Taken as taken:
            asked = taken.request
        return Request(asked.method, asked.url, _as_text(asked.headers), bytes(asked.body), payload)

    def read(self, answer: Answer, request: Request, mail: EmailMessage) -> dict[str, Any]:
        """See Backend."""
        statuses: dict[str, Any] = self._backend.parse_recipient_status(json.loads(answer.body), request.payload, mail)
        return statuses


_QUOTED = [quote_plus(bytes([byte])) for byte in range(256)]


def form(fields: Mapping[str, Any]) -> str:
    """Return fields as a form's body; a list stands for several of one name.

    As urllib.parse.urlencode does it, in a quarter of the time: a letter's text is long, and often not ASCII.
    """
    pairs = [(name, value) for name, told in fields.items() for value in (told if isinstance(told, list) else [told])]
    return "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in pairs)


def _quoted(text: str) -> str:
    return "".join(map(_QUOTED.__getitem__, text.encode()))


def _basic(name: str, password: str) -> str:
    """Return the credentials of HTTP's Basic scheme (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _as_text(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.decode("ascii") if isinstance(value, bytes) else str(value) for name, value in headers.items()}


class _Taken(Exception):
    """What botocore was about to send."""

    def __init__(self, request: Any) -> None:
        self.request = request
        super().__init__()


def _take(request: Any, **_facts: Any) -> None:
    raise _Taken(request)


_STRICT: Mapping[str, Any] = {
    "send_defaults": {}, "ignore_unsupported_features": False, "ignore_recipient_status": False,
    "debug_api_requests": False,
}  # fmt: skip

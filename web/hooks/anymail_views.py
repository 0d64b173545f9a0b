"""Anymail's webhook views, made once for each open hook, with what they are given named by us alone."""

import base64
import json
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import requests
from anymail.exceptions import AnymailInsecureWebhookWarning, AnymailNotSupportedWarning
from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent, EventType
from anymail.webhooks import (
    amazon_ses,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    mandrill,
    postal,
    postmark,
    resend,
    sendgrid,
    sparkpost,
    unisender_go,
)
from anymail.webhooks.base import AnymailBasicAuthMixin
from django.conf import settings
from django.http import HttpRequest
from urllib3.exceptions import HTTPError

from web.hooks.sns import Unreachable

_PATIENCE = (5.0, 15.0)  # seconds to connect, and between two pieces of an answer
_MOST_FETCHED = 10_000_000
_making = threading.Lock()


class _Amazon:
    """What Anymail's views of Amazon do without boto3: we check the signature and visit subscriptions ourselves."""

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = False
        self.session_params, self.client_params = kwargs.pop("session_params", {}), kwargs.pop("client_params", {})
        self.kms_key_id, self.chunk_size = None, 65_536
        AnymailBasicAuthMixin.__init__(self, **kwargs)


class _AmazonTracking(_Amazon, amazon_ses.AmazonSESTrackingWebhookView):  # type: ignore[misc]  # Anymail has no types
    pass


class _AmazonInbound(_Amazon, amazon_ses.AmazonSESInboundWebhookView):  # type: ignore[misc]
    pass


class _BrevoInbound(brevo.BrevoInboundWebhookView):  # type: ignore[misc]
    def _fetch_attachment(self, attachment: Mapping[str, Any]) -> AnymailInboundMessage:  # noqa: ARG002  not wanted
        return AnymailInboundMessage.construct_attachment(content_type="application/octet-stream", content=b"")


class _PostalInbound(postal.PostalInboundWebhookView):  # type: ignore[misc]
    def parse_events(self, request: HttpRequest) -> list[AnymailInboundEvent]:
        # Anymail reads every mail as UTF-8, which bounces of old servers are not.
        said = json.loads(request.body)
        whole = said["message"] if said.get("base64") is not True else base64.b64decode(said["message"])
        return [_came_in(whole, sender=said.get("mail_from"), to=said.get("rcpt_to"))]


class _SparkPostInbound(sparkpost.SparkPostInboundWebhookView):  # type: ignore[misc]
    def esp_to_anymail_event(self, event_class: str, event: Mapping[str, Any], raw_event: Any) -> Any:
        content = event["content"] if event_class == "relay_message" else {}
        if not content.get("email_rfc822_is_base64"):
            return super().esp_to_anymail_event(event_class, event, raw_event)
        whole = base64.b64decode(content["email_rfc822"])  # as above
        return _came_in(whole, sender=event.get("msg_from"), to=event.get("rcpt_to"))


class _MailtrapInbound(mailtrap.MailtrapInboundWebhookView):  # type: ignore[misc]
    def fetch_inbound_message(self, inbox_id: Any, message_id: Any) -> Any:
        address = f"{self.api_url}inbound/inboxes/{int(inbox_id)}/messages/{_segment(message_id)}"
        return json.loads(_fetched(address, self.api_token))

    def fetch_raw_message_chunks(self, raw_message_url: str) -> Any:
        yield _fetched(raw_message_url, "")


class _ResendInbound(resend.ResendInboundWebhookView):  # type: ignore[misc]
    def _fetch_inbound_email(self, email_id: Any) -> AnymailInboundMessage:
        told = json.loads(_fetched(f"{self.api_url}emails/receiving/{_segment(email_id)}", self.api_key))
        raw = (told.get("raw") or {}).get("download_url")
        if raw:
            return AnymailInboundMessage.parse_raw_mime_bytes(_fetched(raw, ""))
        headers = told.get("headers") or {}
        return AnymailInboundMessage.construct(
            from_email=told.get("from"), to=", ".join(told.get("to") or []) or None, subject=told.get("subject"),
            headers=[(name, str(value)) for name, value in headers.items()], text=told.get("text"),
            html=told.get("html"),
        )  # fmt: skip


def make(hook: Any) -> Any:
    """Return Anymail's view for a hook. Raises what Anymail or its libraries say to a key that is none."""
    # Everything that a view could look up in Django's settings is named, so that it never does.
    common: dict[str, Any] = {"webhook_secret": [hook.secret] if hook.secret else []}
    with _making, warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)  # SendGrid works as it did
        warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)  # what is not proved by a secret is signed
        return _MADE[hook.esp, hook.what](hook, common)


def _came_in(whole: bytes | str, *, sender: str | None, to: str | None) -> AnymailInboundEvent:
    message = AnymailInboundMessage.parse_raw_mime_bytes(whole if isinstance(whole, bytes) else whole.encode())
    vars(message).update({"envelope_sender": sender, "envelope_recipient": to})  # Anymail's words
    return AnymailInboundEvent(event_type=EventType.INBOUND, message=message)


def _segment(name: Any) -> str:
    return quote(str(name), safe="")


def _fetched(address: str, token: str) -> bytes:
    """Return what a provider keeps for us, at most 10 MB; Anymail itself would wait for ever. Raises Unreachable."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with requests.get(address, headers=headers, timeout=_PATIENCE, stream=True) as answer:
            answer.raise_for_status()
            body = bytes(answer.raw.read(_MOST_FETCHED + 1, decode_content=True))
    except (requests.RequestException, HTTPError) as error:
        raise Unreachable from error
    if len(body) > _MOST_FETCHED:
        raise ValueError("more than a mail may have")
    return body


def _mandrill(hook: Any, common: dict[str, Any]) -> Any:
    # It signs the address that it was given, name and password included, whatever a proxy makes of it.
    scheme, _, rest = settings.BASE_URL.partition("://")
    secret = f"{hook.secret}@" if hook.secret else ""
    address = f"{scheme}://{secret}{rest}/hooks/mandrill/{hook.what}/"
    return mandrill.MandrillCombinedWebhookView(webhook_key=hook.key, webhook_url=address, **common)


def _resend_inbound(hook: Any, common: dict[str, Any]) -> Any:
    address = hook.options.get("api_url", "https://api.resend.com/")
    return _ResendInbound(api_key=hook.options["api_key"], api_url=address, inbound_secret=None, **common)


def _mailtrap_inbound(hook: Any, common: dict[str, Any]) -> Any:
    token = hook.options["api_token"]
    return _MailtrapInbound(
        api_token=token, api_url="https://mailtrap.io/api/", inbound_secret=hook.key or None, **common
    )


def _plain(view: Callable[..., Any], *names: str) -> Callable[[Any, dict[str, Any]], Any]:
    """Return what makes a view; `names` are Anymail's words for the hook's key."""
    return lambda hook, common: view(**dict.fromkeys(names, hook.key or None), **common)


_MADE: Mapping[tuple[str, str], Callable[[Any, dict[str, Any]], Any]] = {
    ("amazon-ses", "tracking"): _plain(_AmazonTracking),
    ("amazon-ses", "inbound"): lambda hook, common: _AmazonInbound(
        session_params=hook.options.get("session_params", {}), client_params=hook.options.get("client_params", {}),
        **common,
    ),
    ("brevo", "tracking"): _plain(brevo.BrevoTrackingWebhookView),
    ("brevo", "inbound"): lambda _hook, common: _BrevoInbound(api_key="", api_url="https://unused.invalid/", **common),
    ("mailersend", "tracking"): _plain(mailersend.MailerSendTrackingWebhookView, "signing_secret"),
    ("mailersend", "inbound"): _plain(mailersend.MailerSendInboundWebhookView, "inbound_secret"),
    ("mailgun", "tracking"): _plain(mailgun.MailgunTrackingWebhookView, "api_key", "webhook_signing_key"),
    ("mailgun", "inbound"): _plain(mailgun.MailgunInboundWebhookView, "api_key", "webhook_signing_key"),
    ("mailjet", "tracking"): _plain(mailjet.MailjetTrackingWebhookView),
    ("mailjet", "inbound"): _plain(mailjet.MailjetInboundWebhookView),
    ("mailtrap", "tracking"): _plain(mailtrap.MailtrapTrackingWebhookView, "tracking_secret"),
    ("mailtrap", "inbound"): _mailtrap_inbound,
    ("mandrill", "tracking"): _mandrill,
    ("mandrill", "inbound"): _mandrill,
    ("postal", "tracking"): _plain(postal.PostalTrackingWebhookView, "webhook_key"),
    ("postal", "inbound"): _plain(_PostalInbound, "webhook_key"),
    ("postmark", "tracking"): _plain(postmark.PostmarkTrackingWebhookView),
    ("postmark", "inbound"): _plain(postmark.PostmarkInboundWebhookView),
    ("resend", "tracking"): lambda _hook, common: resend.ResendTrackingWebhookView(signing_secret=None, **common),
    ("resend", "inbound"): _resend_inbound,
    ("sendgrid", "tracking"): _plain(
        sendgrid.SendGridTrackingWebhookView, "tracking_webhook_verification_key"
    ),
    ("sendgrid", "inbound"): _plain(sendgrid.SendGridInboundWebhookView),
    ("sparkpost", "tracking"): lambda _hook, common: sparkpost.SparkPostTrackingWebhookView(
        track_initial_open_as_opened=False, **common
    ),
    ("sparkpost", "inbound"): _plain(_SparkPostInbound),
    ("unisender-go", "tracking"): _plain(unisender_go.UnisenderGoTrackingWebhookView, "api_key"),
}  # fmt: skip


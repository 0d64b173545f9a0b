"""How each provider hands over a mail that came in: whole, as its parts, or as an address where it can be fetched."""

import base64
import email
import json
import time
from collections.abc import Callable, Mapping
from email import policy
from email.message import EmailMessage
from typing import Any

from letters.incoming import Mail
from tests.web.hooks import senders
from tests.web.hooks.senders import INBOUND_KEY, KEY, Post

Maker = Callable[[Mail], Post]
BOUNDARY = "a-boundary-of-the-tests"


def post(esp: str, mail: Mail) -> Post:
    """Return what a provider posts to hand over a mail."""
    return _MAKERS[esp](mail)


def _parsed(mail: Mail) -> EmailMessage:
    made = email.message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


def _text_of(mail: Mail) -> str:
    plain = _parsed(mail).get_body(("plain",))
    return str(plain.get_content()) if plain is not None else ""


def _json(esp: str, document: Any, headers: Mapping[str, str] | None = None) -> Post:
    return senders.to_hook(esp, json.dumps(document).encode(), headers or {}, what="inbound")


def _form(esp: str, fields: Mapping[str, bytes], *, what: str = "inbound") -> Post:
    """Return a form in parts, in which a mail keeps its bytes."""
    line = f"--{BOUNDARY}\r\n".encode()
    body = b"".join(
        line + f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return senders.to_hook(esp, body + f"--{BOUNDARY}--\r\n".encode(), kind, what=what)


def _amazon(mail: Mail) -> Post:
    document = {
        "notificationType": "Received", "mail": {"source": mail.sender, "messageId": "m"},
        "receipt": {"recipients": [mail.to], "action": {"type": "SNS", "encoding": "BASE64"}},
        "content": base64.b64encode(mail.data).decode(),
    }  # fmt: skip
    return senders.notification(document, what="inbound")


def _brevo(mail: Mail) -> Post:
    headers = {name: str(value) for name, value in _parsed(mail).items()}
    named = {"Return-Path": f"<{mail.sender}>", "Delivered-To": f"<{mail.to}>"}
    text = _text_of(mail)
    return _json("brevo", {"items": [{"Uuid": ["u"], "Headers": {**headers, **named}, "RawTextBody": text}]})


def _mailersend(mail: Mail) -> Post:
    document = {"type": "inbound.message", "data": {
        "id": "i", "raw": mail.data.decode("utf-8", "replace"), "sender": {"email": mail.sender},
        "recipients": {"rcptTo": [{"email": mail.to}]},
    }}  # fmt: skip
    signature = senders.signature_of(INBOUND_KEY, json.dumps(document).encode())
    return _json("mailersend", document, {"Signature": signature})


def _mailgun(mail: Mail) -> Post:
    stamp, token = str(int(time.time())), "a-token"
    return _form("mailgun", {
        "timestamp": stamp.encode(), "token": token.encode(), "recipient": mail.to.encode(),
        "signature": senders.signature_of(KEY, f"{stamp}{token}".encode()).encode(), "sender": mail.sender.encode(),
        "body-mime": mail.data,
    }, what="inbound_mime")  # fmt: skip


def _mailjet(mail: Mail) -> Post:
    headers = {name: str(value) for name, value in _parsed(mail).items()}
    return _json("mailjet", {
        "Sender": mail.sender, "Recipient": mail.to, "Headers": headers, "Text-part": _text_of(mail), "Parts": [],
    })  # fmt: skip


def _mailtrap(_mail: Mail) -> Post:
    event = "inbound.message_received"
    document = {"events": [{"event": event, "event_id": "e", "timestamp": 5, "inbox_id": 7, "message_id": "m/1"}]}
    signature = senders.signature_of(INBOUND_KEY, json.dumps(document).encode())
    return _json("mailtrap", document, {"Mailtrap-Signature": signature})


def _mandrill(mail: Mail) -> Post:
    told = {"email": mail.to, "raw_msg": mail.data.decode("utf-8", "replace")}
    return senders.signed_by_mandrill([{"event": "inbound", "ts": int(time.time()), "msg": told}], what="inbound")


def _postal(mail: Mail) -> Post:
    return senders.signed_by_postal({
        "id": 1, "rcpt_to": mail.to, "mail_from": mail.sender, "message": base64.b64encode(mail.data).decode(),
        "base64": True,
    }, what="inbound")  # fmt: skip


def _postmark(mail: Mail) -> Post:
    return _json("postmark", {
        "FromFull": {"Email": mail.sender}, "OriginalRecipient": mail.to, "MessageID": "m",
        "Headers": [{"Name": "Return-Path", "Value": f"<{mail.sender}>"}],
        "RawEmail": mail.data.decode("utf-8", "replace"),
    })  # fmt: skip


def _resend(_mail: Mail) -> Post:
    document = {"type": "email.received", "created_at": "2026-01-01T00:00:00Z", "data": {"email_id": "r/1"}}
    return senders.signed_by_resend(document, signed_at=time.time(), what="inbound")


def _sendgrid(mail: Mail) -> Post:
    envelope = json.dumps({"from": mail.sender, "to": [mail.to]}).encode()
    return _form("sendgrid", {"email": mail.data, "envelope": envelope, "charsets": b"{}"})


def _sparkpost(mail: Mail) -> Post:
    told = {
        "protocol": "smtp", "msg_from": mail.sender, "rcpt_to": mail.to,
        "content": {"email_rfc822": base64.b64encode(mail.data).decode(), "email_rfc822_is_base64": True},
    }  # fmt: skip
    return _json("sparkpost", [{"msys": {"relay_message": told}}])


_MAKERS: Mapping[str, Maker] = {
    "amazon-ses": _amazon, "brevo": _brevo, "mailersend": _mailersend, "mailgun": _mailgun, "mailjet": _mailjet,
    "mailtrap": _mailtrap, "mandrill": _mandrill, "postal": _postal, "postmark": _postmark, "resend": _resend,
    "sendgrid": _sendgrid, "sparkpost": _sparkpost,
}  # fmt: skip
ESPS = list(_MAKERS)
FETCHED = {"mailtrap": ("api_token", "m%2F1"), "resend": ("api_key", "r%2F1")}  # the option it wants, the mail's name
WHOLE = [esp for esp in ESPS if esp not in {"brevo", "mailjet"}]  # which hand over a mail as it came
BYTES = ["amazon-ses", "mailtrap", "postal", "resend", "sparkpost"]  # … byte for byte, not as a text in UTF-8

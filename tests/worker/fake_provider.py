"""Mail providers on this machine: they speak the real ones' APIs, misbehave on request, and write down what they took.

The first part of the path names the provider: http://127.0.0.1:PORT/mailgun/ is where Mailgun's API begins.
"""

import base64
import contextlib
import email.parser
import email.policy
import json
import re
import socket
import ssl
import struct
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = "key-0123456789abcdef"
_STATUS_WORDS = {200: "OK", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Request:
    """One whole request as it arrived."""

    esp: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    number: int = 0  # over all connections; 1 is the first
    connection: int = 0

    @property
    def document(self) -> Any:
        """Return its body: a form as a dictionary, else JSON."""
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))
        return json.loads(self.body)


@dataclass(frozen=True)
class Mail:
    """What one request asks to be sent, in one form for all providers."""

    to: str
    sender: str
    subject: str
    text: str
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    delivery: str = ""  # what metadata or tag say
    opens: object = None
    clicks: object = None
    raw: bytes = b""  # where it came as bytes


@dataclass(frozen=True)
class Act:
    """What the provider does with one request: wait, answer these bytes, break; and whether it takes the mail."""

    answer: bytes = b""
    waits_for: float = 0.0
    hangs_up: bool = False
    resets: bool = False
    takes: bool = True


Script = Callable[[Request], Act | None]


def says(
    status: int, document: Any = None, *, after: float = 0.0, takes: bool | None = None,
    headers: Mapping[str, str] | None = None,
) -> Act:  # fmt: skip
    """Answer with a status and JSON, or with bytes as they are; a yes takes the mail unless told otherwise."""
    body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = answered(status, body, headers or {})
    return Act(answer, waits_for=after, takes=(200 <= status < 300) if takes is None else takes)


def answered(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of an answer."""
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} {_STATUS_WORDS.get(status, 'Whatever')}", *(f"{k}: {v}" for k, v in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def address(esp: str, api_url: str, *, username: str = "", more: Mapping[str, str] | None = None) -> str:
    """Return what EMAIL_URL says for this provider, with KEY."""
    query = "".join(f"&{name}={urllib.parse.quote(value, safe='')}" for name, value in (more or {}).items())
    return f"anymail+{esp}://{username}:{KEY}@/?api_url={urllib.parse.quote(api_url, safe=':/')}{query}"


def read(request: Request) -> Mail:
    """Return what a request asks to be sent."""
    return _READ[request.esp](request)


def honest(request: Request, name: str) -> Act:
    """Return what this provider says when it takes a mail; `name` is its own name for it."""
    status, document = _YES[request.esp](request, name)
    return says(status, document, headers={"X-Message-Id": name} if request.esp == "mailersend" else {})


@dataclass
class FakeProvider:
    """Listens on a free loopback port from `with` until its end."""

    script: Script = field(default=lambda _request: None)
    context: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    taken: list[Mail] = field(default_factory=list)
    connections: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    folded: int = 0  # requests that were known to be the same again

    def __enter__(self) -> "FakeProvider":
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._alive: set[socket.socket] = set()
        self._keys: dict[str, str] = {}
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_facts: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._listener.join(5)
        self.cut()

    def url(self, esp: str, *, scheme: str = "http") -> str:
        """Return where this provider's API begins."""
        return f"{scheme}://localhost:{self.port}/{esp}/" if scheme == "https" else self._plain(esp)

    def _plain(self, esp: str) -> str:
        return f"http://127.0.0.1:{self.port}/{esp}/"

    def cut(self) -> None:
        """End every connection at once."""
        with self._lock:
            for line in self._alive:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    @property
    def open_connections(self) -> int:
        """Return how many connections this side has not ended."""
        with self._lock:
            return len(self._alive)

    def copies(self) -> dict[str, int]:
        """Return how many copies were taken, by the delivery's reference."""
        with self._lock:
            counts: dict[str, int] = {}
            for mail in self.taken:
                counts[mail.delivery] = counts.get(mail.delivery, 0) + 1
            return counts

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            line.settimeout(60)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._alive.add(line)
            threading.Thread(target=self._serve, args=(line, number), daemon=True).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        line = plain
        try:
            if self.context is not None:
                line = self.context.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._alive = (self._alive - {plain}) | {line}
            with line.makefile("rb") as reader:
                while (request := _read(reader, number)) is not None:
                    with self._lock:
                        self.in_flight += 1
                        self.most_in_flight = max(self.most_in_flight, self.in_flight)
                    try:
                        if not self._act(line, request):
                            break
                    finally:
                        with self._lock:
                            self.in_flight -= 1
        except (OSError, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
            plain.close()
            with self._lock:
                self._alive -= {plain, line}

    def _act(self, line: socket.socket, request: Request) -> bool:
        """Do what the script says; return whether the connection stays."""
        with self._lock:
            request = Request(
                request.esp, request.path, request.headers, request.body, len(self.requests) + 1, request.connection
            )
            self.requests.append(request)
        act = self.script(request) or self._honest(request)
        if act.takes:  # before it answers: what is not written down here was not taken
            self._take(request)
        if act.waits_for:
            self._over.wait(act.waits_for)
        if act.answer:
            line.sendall(act.answer)
        if act.resets:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        return not (act.hangs_up or act.resets)

    def _honest(self, request: Request) -> Act:
        return honest(request, self._keys.get(request.headers.get("idempotency-key", ""), f"name-{request.number}"))

    def _take(self, request: Request) -> None:
        key = request.headers.get("idempotency-key", "")
        with self._lock:
            if key and key in self._keys:
                self.folded += 1
                return
            if key:
                self._keys[key] = f"name-{request.number}"
            self.taken.append(_READ[request.esp](request))


def _read(reader: Any, connection: int) -> Request | None:
    """Read one request; None where the other side has hung up."""
    first = reader.readline(65536).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := reader.readline(65536).decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0")))
    path = first[1]
    return Request(path.split("/")[1], path, headers, body, connection=connection)


# ── what each provider's request says ────────────────────────────────────────────────────────────────────────


def _address(value: Any) -> str:
    """Return the bare address of "Name <a@b>", {"email": …} or {"Email": …}."""
    if isinstance(value, list):
        value = value[0]
    if isinstance(value, dict):
        return str(value.get("email") or value.get("Email"))
    found = re.search(r"<([^<>]+)>\s*\Z", value)
    return found[1] if found else value


def _lower(headers: Any) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, dict) else [
        (one.get("Name") or one.get("name") or one.get("key"), one.get("Value") or one.get("value")) for one in headers
    ]  # fmt: skip
    return {str(name).lower(): str(value) for name, value in pairs}


def _mailgun(request: Request) -> Mail:
    form = request.document
    headers = {name[2:].lower(): value for name, value in form.items() if name.startswith("h:")}
    return Mail(
        _address(form["to"]), form["from"], form["subject"], form["text"], headers.get("reply-to", ""), headers,
        form.get("v:delivery", ""), form.get("o:tracking-opens"), form.get("o:tracking-clicks"),
    )  # fmt: skip


def _postmark(request: Request) -> Mail:
    told = request.document
    return Mail(
        _address(told["To"]), told["From"], told["Subject"], told["TextBody"], told.get("ReplyTo", ""),
        _lower(told.get("Headers", {})), told.get("Metadata", {}).get("delivery", ""), told.get("TrackOpens"),
        told.get("TrackLinks"),
    )  # fmt: skip


def _sendgrid(request: Request) -> Mail:
    told = request.document
    tracking = told.get("tracking_settings", {})
    return Mail(
        _address(told["personalizations"][0]["to"]), str(told["from"]), told["subject"], told["content"][0]["value"],
        str(told.get("reply_to_list", "")), _lower(told.get("headers", {})),
        told.get("custom_args", {}).get("delivery", ""), tracking.get("open_tracking", {}).get("enable"),
        tracking.get("click_tracking", {}).get("enable"),
    )  # fmt: skip


def _brevo(request: Request) -> Mail:
    told = request.document
    headers = _lower(told.get("headers", {}))
    delivery = json.loads(headers.get("x-mailin-custom", "{}")).get("delivery", "")
    return Mail(
        _address(told["to"]), str(told["sender"]), told["subject"], told["textContent"], str(told.get("replyTo", "")),
        headers, delivery,
    )  # fmt: skip


def _resend(request: Request) -> Mail:
    told = request.document
    headers = _lower(told.get("headers", {}))
    delivery = json.loads(headers.get("x-metadata", "{}")).get("delivery", "")
    return Mail(
        _address(told["to"]), told["from"], told["subject"], told["text"], str(told.get("reply_to", "")), headers,
        delivery,
    )  # fmt: skip


def _amazon(request: Request) -> Mail:
    told = request.document
    raw = base64.b64decode(told["Content"]["Raw"]["Data"])
    read = email.parser.BytesParser(policy=email.policy.default).parsebytes(raw)
    delivery = json.loads(read.get("X-Metadata", "{}")).get("delivery", "")
    return Mail(
        told["Destination"]["ToAddresses"][0], str(read["From"]), str(read["Subject"]), read.get_content(),
        str(read.get("Reply-To", "")), {name.lower(): str(value) for name, value in read.items()}, delivery, raw=raw,
    )  # fmt: skip


def _mailjet(request: Request) -> Mail:
    told = request.document
    told = {**told["Globals"], **told["Messages"][0]}
    delivery = json.loads(told.get("EventPayload", "{}")).get("delivery", "")
    return Mail(
        _address(told["To"]), str(told["From"]), told["Subject"], told["TextPart"], str(told.get("ReplyTo", "")),
        _lower(told.get("Headers", {})), delivery, told.get("TrackOpens"), told.get("TrackClicks"),
    )  # fmt: skip


def _mandrill(request: Request) -> Mail:
    told = request.document["message"]
    return Mail(
        _address(told["to"]), told["from_email"], told["subject"], told["text"],
        told.get("headers", {}).get("Reply-To", ""), _lower(told.get("headers", {})),
        told.get("metadata", {}).get("delivery", ""), told.get("track_opens"), told.get("track_clicks"),
    )  # fmt: skip


def _sparkpost(request: Request) -> Mail:
    told, content = request.document, request.document["content"]
    return Mail(
        told["recipients"][0]["address"]["email"], content["from"], content["subject"], content["text"],
        content.get("reply_to", ""), _lower(content.get("headers", {})), told.get("metadata", {}).get("delivery", ""),
        told["options"].get("open_tracking"), told["options"].get("click_tracking"),
    )  # fmt: skip


def _postal(request: Request) -> Mail:
    told = request.document
    return Mail(
        _address(told["to"]), told["from"], told["subject"], told["plain_body"], told.get("reply_to", ""),
        _lower(told.get("headers", {})), told.get("tag", ""),
    )  # fmt: skip


def _mailersend(request: Request) -> Mail:
    told = request.document
    settings = told.get("settings", {})
    return Mail(
        _address(told["to"]), str(told["from"]), told["subject"], told["text"], str(told.get("reply_to", "")),
        _lower(told.get("headers", {})), (told.get("tags") or [""])[0], settings.get("track_opens"),
        settings.get("track_clicks"),
    )  # fmt: skip


def _mailtrap(request: Request) -> Mail:
    told = request.document
    return Mail(
        _address(told["to"]), str(told["from"]), told["subject"], told["text"], str(told.get("reply_to", "")),
        _lower(told.get("headers", {})), told.get("custom_variables", {}).get("delivery", ""),
    )  # fmt: skip


def _scaleway(request: Request) -> Mail:
    told = request.document
    headers = _lower(told.get("additional_headers", []))
    delivery = json.loads(headers.get("x-metadata", "{}")).get("delivery", "")
    return Mail(
        _address(told["to"]), str(told["from"]), told["subject"], told["text"], headers.get("reply-to", ""), headers,
        delivery,
    )  # fmt: skip


def _unisender_go(request: Request) -> Mail:
    told = request.document["message"]
    return Mail(
        told["recipients"][0]["email"], told["from_email"], told["subject"], told["body"]["plaintext"],
        told.get("reply_to", ""), _lower(told.get("headers", {})), told.get("global_metadata", {}).get("delivery", ""),
        told.get("track_read"), told.get("track_links"),
    )  # fmt: skip


_READ: Mapping[str, Callable[[Request], Mail]] = {
    "amazon-ses": _amazon, "brevo": _brevo, "mailersend": _mailersend, "mailgun": _mailgun, "mailjet": _mailjet,
    "mailtrap": _mailtrap, "mandrill": _mandrill, "postal": _postal, "postmark": _postmark, "resend": _resend,
    "scaleway": _scaleway, "sendgrid": _sendgrid, "sparkpost": _sparkpost, "unisender-go": _unisender_go,
}  # fmt: skip


def _to(request: Request) -> str:
    return _READ[request.esp](request).to


_YES: Mapping[str, Callable[[Request, str], tuple[int, Any]]] = {
    "amazon-ses": lambda _r, name: (200, {"MessageId": name}),
    "brevo": lambda _r, name: (201, {"messageId": name}),
    "mailersend": lambda _r, _name: (202, {}),
    "mailgun": lambda _r, name: (200, {"id": name, "message": "Queued. Thank you."}),
    "mailjet": lambda r, name: (
        200, {"Messages": [{"Status": "success", "To": [{"Email": _to(r), "MessageID": name, "MessageUUID": "u"}]}]}
    ),
    "mailtrap": lambda _r, name: (200, {"success": True, "message_ids": [name]}),
    "mandrill": lambda r, name: (200, [{"email": _to(r), "status": "sent", "_id": name}]),
    "postal": lambda r, name: (
        200, {"status": "success", "data": {"message_id": "x", "messages": {_to(r): {"id": name, "token": "t"}}}}
    ),
    "postmark": lambda r, name: (
        200, {"To": r.document["To"], "MessageID": name, "ErrorCode": 0, "Message": "OK", "SubmittedAt": "now"}
    ),
    "resend": lambda _r, name: (200, {"id": name}),
    "scaleway": lambda r, name: (200, {"emails": [{"id": name, "mail_rcpt": _to(r), "status": "sending"}]}),
    "sendgrid": lambda _r, _name: (202, None),
    "sparkpost": lambda _r, name: (
        200, {"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": name}}
    ),
    "unisender-go": lambda r, name: (200, {"status": "success", "job_id": name, "emails": [_to(r)]}),
}  # fmt: skip

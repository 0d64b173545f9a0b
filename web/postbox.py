"""The postbox pages: what the built-in mail server kept, shown while mail goes there and nowhere else."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import getaddresses
from functools import wraps
from typing import Any, Literal
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_safe

from postbox.reading import ReadableLetter, name_of, printable
from postbox.store import Entry, Mailbox, Store, read
from web.same_origin import same_origin_only

app_name = "postbox"

PAGE = 50
TEXT_LIMIT = 200_000  # characters of one mail on its page; the source has all of them
IMPORTANT = ("from", "to", "reply-to", "subject", "date", "x-postbag-delivery", "auto-submitted", "message-id")

_PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")

View = Callable[..., HttpResponseBase]
Whose = Literal["target", "supporter"]


@dataclass(frozen=True, slots=True)
class Box:
    """One mailbox in the list. A target's has got at least one letter; a supporter's other mail alone."""

    address: str
    name: str
    count: int
    last_at: datetime
    whose: Whose


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a long list: counted from 1, with the addresses of the pages before and after it."""

    number: int
    of: int
    before: str
    after: str

    @property
    def offset(self) -> int:
        """How many rows stand on the pages before."""
        return (self.number - 1) * PAGE


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mail says it is from: a name ('' if none) and an address."""

    name: str
    address: str


def while_testing(view: View) -> View:
    """Show the page only while testing, to this machine and to members; keep it out of caches and indexes."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.BUILT_IN_MAIL_SERVER or not (_is_near(request) or _is_member(request)):
            raise Http404
        response = view(request, *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


@while_testing
@require_safe
def mailboxes(request: HttpRequest) -> HttpResponse:
    """List the mailboxes, latest first; `?q=` searches, `?whose=` filters, `?to=` leads to one of them."""
    if to := _asked(request, "to"):
        return redirect(_address("box", address=to))
    query, whose = _asked(request, "q"), _asked(request, "whose")
    shelf = _shelf()
    found = shelf.mailboxes(query=query)
    counts = {"": len(found), "target": sum(mailbox.has_letters for mailbox in found)}
    counts["supporter"] = counts[""] - counts["target"]
    whose = whose if whose in counts else ""
    here = {"q": query, "whose": whose}
    leaf = _leaf(request, counts[whose], "mailboxes", here)
    kept = [mailbox for mailbox in found if whose in {"", _whose(mailbox)}][leaf.offset : leaf.offset + PAGE]
    received, letters = shelf.totals()
    tabs = [(key, counts[key], _address("mailboxes", q=query, whose=key)) for key in counts]
    context = {"boxes": [_box(mailbox) for mailbox in kept], "query": query, "whose": whose, "tabs": tabs, "leaf": leaf}
    return render(request, "postbox/mailboxes.html", {**context, "received": received, "letters": letters})


@while_testing
@require_safe
def box(request: HttpRequest) -> HttpResponse:
    """Show what came for `?address=`, latest first. An address without mail is told so kindly."""
    address = _asked(request, "address")
    if not address:
        return redirect("postbox:mailboxes")
    shelf = _shelf()
    count = shelf.count_in(address)
    leaf = _leaf(request, count, "box", {"address": address})
    mails = shelf.letters_in(address, limit=PAGE, offset=leaf.offset)
    name = next((found for mail in mails if (found := name_of(mail.envelope_to, mail.header_to))), "")
    context = {"address": address, "name": name, "count": count, "leaf": leaf}
    return render(request, "postbox/box.html", {**context, "mails": [(mail, _sender(mail)) for mail in mails]})


@while_testing
@require_safe
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """Show one mail as text. Links work only in mail of our own to supporters, and only to our own pages."""
    kept = _kept(number)
    letter = read(kept.raw)
    text = printable(letter.text or letter.html)
    context = {
        "mail": kept,
        "sender": _sender(kept),
        "name": name_of(kept.envelope_to, kept.header_to),
        "back": _address("box", address=kept.envelope_to),
        "pieces": list(pieces(text[:TEXT_LIMIT], linked=not kept.delivery)),
        "is_cut": len(text) > TEXT_LIMIT,
        "is_html": bool(letter.html and not letter.text),
        "headers": _ordered(letter),
        "size": len(kept.raw),
    }
    return render(request, "postbox/mail.html", context)


@while_testing
@require_safe
def source(request: HttpRequest, number: int) -> HttpResponse:  # noqa: ARG001
    """Hand out the bytes as they were received, as plain text and nothing else."""
    response = HttpResponse(_kept(number).raw, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = f'inline; filename="mail-{number}.txt"'
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


@while_testing
@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
def empty(request: HttpRequest) -> HttpResponse:
    """Ask whether everything may go; a POST from our own page lets it go."""
    if request.method != "POST":
        return render(request, "postbox/empty.html", {"received": _shelf().totals()[0]})
    with closing(_shelf()) as shelf:
        shelf.clear()
    answer = redirect("postbox:mailboxes")
    answer.status_code = 303
    return answer


def pieces(text: str, *, linked: bool) -> Iterator[tuple[str, bool]]:
    """Cut a text into (piece, is it a link) so that the pieces together are the text again.

    A link starts with BASE_URL and a slash, at the start of a word: `http://host.evil.example/` does not.
    """
    start = 0
    if linked:
        ours = re.compile(rf"(?<![^\s<(]){re.escape(settings.BASE_URL)}/[^\s<>\"'\\]*")
        for found in ours.finditer(text):
            link = found[0].rstrip(".,;:!?)]")
            if found.start() > start:
                yield text[start : found.start()], False
            yield link, True
            start = found.start() + len(link)
    if start < len(text):
        yield text[start:], False


def _is_near(request: HttpRequest) -> bool:
    """Return whether the browser runs on this machine: a proxy does too, but says for whom it asks."""
    passed_on = any(name in request.headers for name in _PASSED_ON)
    peer = str(request.META.get("REMOTE_ADDR", "")).removeprefix("::ffff:")
    try:
        return not passed_on and ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


def _is_member(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.memberships.exists()


def _shelf() -> Store:
    return Store(settings.POSTBOX_STORE)


def _kept(number: int) -> Entry:
    found = _shelf().get(number)
    if found is None:
        raise Http404
    return found


def _asked(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()[:320]  # RFC 5321 §4.5.3.1: 64 + @ + 255


def _address(view: str, **values: str | int) -> str:
    asked = urlencode({key: value for key, value in values.items() if value})
    return reverse(f"postbox:{view}") + (f"?{asked}" if asked else "")


def _leaf(request: HttpRequest, count: int, view: str, values: dict[str, str]) -> Leaf:
    last = max(1, -(-count // PAGE))
    asked = request.GET.get("page", "")
    number = min(int(asked), last) if re.fullmatch(r"[1-9][0-9]{0,8}", asked) else 1
    before = _address(view, **values, page=number - 1) if number > 1 else ""
    after = _address(view, **values, page=number + 1) if number < last else ""
    return Leaf(number, last, before, after)


def _whose(mailbox: Mailbox) -> Whose:
    return "target" if mailbox.has_letters else "supporter"


def _box(mailbox: Mailbox) -> Box:
    return Box(mailbox.address, mailbox.name, mailbox.count, mailbox.last_received_at, _whose(mailbox))


def _sender(mail: Entry) -> Sender:
    try:
        pairs = getaddresses([mail.header_from])
    except (ValueError, IndexError, TypeError):  # Python 3.11 fails so on some broken headers
        pairs = []
    if len(pairs) == 1 and "@" in pairs[0][1]:
        return Sender(*pairs[0])
    return Sender("", mail.header_from or mail.envelope_from)


def _ordered(letter: ReadableLetter) -> list[tuple[str, str]]:
    def rank(header: tuple[str, str]) -> int:
        key = header[0].lower()
        return IMPORTANT.index(key) if key in IMPORTANT else len(IMPORTANT)

    return sorted(letter.headers, key=rank)


urlpatterns = [
    path("", mailboxes, name="mailboxes"),
    path("box/", box, name="box"),
    path("mail/<int:number>/", mail, name="mail"),
    path("mail/<int:number>/source/", source, name="source"),
    path("empty/", empty, name="empty"),
]

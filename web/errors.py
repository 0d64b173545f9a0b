"""What went wrong becomes a status and a page; whatever was typed is given back."""

import codecs
import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns import closing, publishing
from campaigns.models import Campaign, CampaignText
from letters.locks import Taken
from letters.privacy import Unreadable
from letters.writing import CampaignClosed, LetterRefused, NobodyReachable
from web import languages
from web.security import COOKIES_BELOW, is_foreign

log = logging.getLogger(__name__)
RETRY_AFTER = 30  # seconds
MOST_OPEN = 20  # campaigns that a lost visitor is shown
_NEVER_GIVEN_BACK = ("password", "csrfmiddlewaretoken", "code", "secret")
_MOST_FIELDS = 40
_MOST_BYTES, _MOST_BYTES_OF_ORGANISERS = 512 * 1024, 12 * 1024 * 1024  # a photo as a camera made it


class BearableRequests:
    """Middleware, behind all that do not read what was posted: refuse what is too much, or cannot be read, unread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/hooks/"):  # these bound by themselves what they read, and answer machines
            return self.get_response(request)
        most = _MOST_BYTES_OF_ORGANISERS if request.path_info.startswith(COOKIES_BELOW) else _MOST_BYTES
        if _announced_bytes(request) > most:
            request._mark_post_parse_error()  # type: ignore[attr-defined]  # noqa: SLF001  so that no page reads it
            return _page(request, "too_large", 413)
        if not _is_utf8((request.content_params or {}).get("charset", "utf-8")):
            request.encoding = "utf-8"
            return _page(request, "bad_request", 400)
        return self.get_response(request)


class DomainErrors:
    """Middleware: an error that a view let through is answered with its own sentence and a fitting status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page for an error we know; None leaves it to Django (404, 403, 500)."""
        if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
            request._mark_post_parse_error()  # type: ignore[attr-defined]  # noqa: SLF001  as Django does itself
            return _page(request, "too_large", 413)
        if isinstance(error, OperationalError | InterfaceError | Taken):
            log.exception("The database did not answer (%s)", _route(request))
            again_at = timezone.now() + timedelta(seconds=RETRY_AFTER)
            response = _page(request, "unavailable", 503, again_at=again_at)
            response["Retry-After"] = str(RETRY_AFTER)
            return response
        if isinstance(error, DataError):
            return _page(request, "bad_request", 400)
        if isinstance(error, CampaignClosed | LetterRefused | NobodyReachable):
            return _page(request, "refused", 409, sentence=error.sentence)
        if isinstance(error, Unreadable):
            return server_error(request)
        return None


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """404: the same for every address, so that no token can be guessed by what the page says; and what is open."""
    return _page(request, "not_found", 404, campaigns=_open_campaigns(request))


def too_many(request: HttpRequest, *, wait: int) -> HttpResponse:
    """429: this network has done it often; what was typed is given back, with the time from which it goes on."""
    again_at = timezone.now() + timedelta(seconds=wait)
    response = _page(request, "too_many", 429, again_at=again_at)
    response["Retry-After"] = str(wait)
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """400: something that no form of ours sends."""
    return _page(request, "bad_request", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """403: known, but not allowed."""
    return _page(request, "forbidden", 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: without the database, with what was typed, and a reference under which the log tells more."""
    reference = secrets.token_hex(2).upper()
    # The address itself is not logged: it may hold a token.
    log.exception("Reference %s (%s)", reference, _route(request))
    return _page(request, "server_error", 500, reference=reference)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """403 for organisers: what was typed, in a form with a fresh token. A foreign form gets no such help."""
    return _page(request, "form_expired", 403, resend=not is_foreign(request), needs_token=True)


def foreign_form(request: HttpRequest) -> HttpResponse:
    """403 for supporters: another site sent this; it is shown, and goes on only by a button of ours."""
    return _page(request, "form_expired", 403, resend=True, needs_token=False)


def given_back(request: HttpRequest) -> dict[str, str]:
    """Return what was typed, field by field, without secrets; empty where it cannot be read."""
    if request.method != "POST":
        return {}
    try:
        posted = request.POST
    except Exception:  # noqa: BLE001  a broken body must not break the page that reports it
        return {}
    return {
        name: str(text)
        for name, text in list(posted.items())[:_MOST_FIELDS]
        if text and not any(part in name.lower() for part in _NEVER_GIVEN_BACK)
    }


def _open_campaigns(request: HttpRequest) -> list[tuple[Campaign, CampaignText]]:
    """Return the open campaigns with their pages' words; none where the database does not answer either."""
    lang = languages.of_request(request)
    try:
        written = closing.open_campaigns(now=timezone.now()).filter(texts__isnull=False).distinct()
        found = written.prefetch_related("texts").order_by("-opened_at")
        return [(campaign, publishing.page_text(campaign, lang)) for campaign in found[:MOST_OPEN]]
    except DatabaseError:
        return []


def _page(request: HttpRequest, name: str, status: int, **context: Any) -> HttpResponse:
    """Return an error page in the language of its address, else one that the browser asks for."""
    with override(languages.of_request(request)):
        response = _spoken(request, name, status, **context)
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    languages.vary(response)
    return response


def _spoken(request: HttpRequest, name: str, status: int, **context: Any) -> HttpResponse:
    labels = {
        "sentence": _("Your own words"),
        "subject": _("Subject"),
        "body": _("Your letter"),
        "name": _("Your name"),
        "email": _("Your e-mail address"),
        "town": _("Your town"),
    }
    context = {"given_back": given_back(request), "labels": labels, **context}
    return render(request, f"errors/{name}.html", context, status=status)


def _announced_bytes(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _is_utf8(charset: str) -> bool:
    """Return whether a named charset is UTF-8: no form of ours sends another, and `hex` is none at all."""
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match else "no page"

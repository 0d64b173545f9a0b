"""The language of a page: the one in its address, else what the browser asks for; and the way to the others."""

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from babel import Locale
from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_supported_language_variant, to_locale
from django.utils.translation.trans_real import parse_accept_lang_header

from web.security import COOKIES_BELOW

CHOSEN_BY = "lang"  # in the query of an address that has no language in front
_IN_ENGLISH = (COOKIES_BELOW, "/postbox/", "/hooks/")  # what organisers, operators and machines read


@dataclass(frozen=True)
class Link:
    """One line of the language switch: this very page in another language, or where one is."""

    code: str
    name: str  # in the language itself
    direction: str
    address: str
    is_current: bool


def of_request(request: HttpRequest) -> str:
    """Return the language to answer in: in front of the address, chosen by `?lang=`, asked for by the browser, or ours.

    What is not offered, misspelt or far too long counts as not said.
    """
    if request.path_info.startswith(_IN_ENGLISH):
        return settings.LANGUAGE_CODE
    return of_address(request) or chosen(request) or next(iter(accepted(request)), settings.LANGUAGE_CODE)


def of_address(request: HttpRequest) -> str:
    """Return the language in front of the address; empty where there is none that is offered."""
    return _in_front(request.path_info)


def chosen(request: HttpRequest) -> str:
    """Return the language that `?lang=` chooses, for addresses without one in front; empty where none is chosen."""
    code = _query(request).get(CHOSEN_BY, "")
    return code if is_offered(code) else ""


def accepted(request: HttpRequest) -> list[str]:
    """Return the offered languages that the browser says its user reads, the dearest first."""
    found = []
    for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if code == "*":
            break
        with suppress(LookupError):
            found.append(get_supported_language_variant(code))
    return found


def is_offered(code: str) -> bool:
    """Return whether pages speak this language."""
    return code in dict(settings.LANGUAGES)


def keep(request: HttpRequest, address: str, **query: str) -> str:
    """Return an address without a language in front, with this query and the language that was chosen for this page."""
    kept = {**query, **({CHOSEN_BY: code} if (code := chosen(request)) else {})}
    return f"{address}?{urlencode(kept)}" if kept else address


def links(request: HttpRequest, path: str = "") -> list[Link]:
    """Return the way to this page in every language that is offered, answers in the address kept.

    A page with a form gives the `path` that the form is sent to: its fields hold the answers, so none are added.
    """
    current, query = get_language(), {} if path else dict(_query(request).lists())
    path = path or request.path_info
    prefix = _in_front(path)
    kept = [(name, text) for name, texts in query.items() for text in texts if name != CHOSEN_BY]
    found = []
    for code, name in settings.LANGUAGES:
        spoken = f"/{code}{path[len(prefix) + 1 :]}" if prefix else path
        asked = urlencode(kept if prefix else [*kept, (CHOSEN_BY, code)])
        address = f"{spoken}?{asked}" if asked else spoken
        found.append(Link(code, name, direction_of(code), address, is_current=code == current))
    return found


def direction_of(code: str) -> str:
    """Return "ltr" or "rtl"."""
    return "rtl" if Locale.parse(to_locale(code)).text_direction == "rtl" else "ltr"


def vary(response: HttpResponseBase) -> None:
    """Tell caches that the answer depends on the languages that a browser asks for."""
    patch_vary_headers(response, ["Accept-Language"])


def _in_front(path: str) -> str:
    first = path.split("/", 2)[1] if "/" in path else ""
    return first if is_offered(first) else ""


def _query(request: HttpRequest) -> QueryDict:
    try:
        return request.GET
    except TooManyFieldsSent:  # the page that says so has a language too
        return QueryDict("")

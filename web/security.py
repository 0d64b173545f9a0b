"""Pages without cookies: who may post to them, and that they never set one."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIES_BELOW = "/organise/"
_WITH_TOKEN = re.compile(r"/letter/[^/]+/|/my/(open|see)/[^/]+/|/[^/]+/[^/]+/(draft|confirm|once)/[^/]+/")


class SupporterPagesCarryNoCookie:
    """Middleware: outside the organisers' pages no answer sets a cookie, whoever asked for one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(COOKIES_BELOW):
            response.cookies.clear()
        return response


def is_foreign(request: HttpRequest) -> bool:
    """Return whether another site made the browser send this.

    `Sec-Fetch-Site` is written by the browser alone. Browsers without it send `Origin`: "null" comes from
    our own pages with a token in their address, which let no referrer out, and from any hidden frame elsewhere,
    which cannot know a token. None at all comes from programs, which carry no cookie anyway.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    if origin == "null":
        return not _WITH_TOKEN.match(request.path_info)
    return origin not in settings.CSRF_TRUSTED_ORIGINS and urlsplit(origin).netloc != request.get_host()

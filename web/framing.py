"""Which foreign pages may show an answer in a frame: nobody's, unless a campaign lists the partner's site."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from campaigns.models import Partner

EVERYBODY = ("*",)


def is_shown_by(request: HttpRequest, partner: Partner | None) -> None:
    """Let templates know in whose frame this page stands; None for a page of its own."""
    request.partner = partner  # type: ignore[attr-defined]


def allow(response: HttpResponse, origins: Sequence[str]) -> HttpResponse:
    """Let pages of these origins frame an answer, and no others (CSP level 3, frame-ancestors)."""
    response._csp_replace = {"frame-ancestors": list(origins)}  # type: ignore[attr-defined]  # noqa: SLF001  django-csp's
    response.xframe_options_exempt = True  # it knows no list; the line above is stronger
    return response

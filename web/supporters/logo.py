"""A campaign's logo, alone: whoever opens it by itself gets a picture that can neither run nor load anything."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from campaigns import dressing

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@require_safe
def logo(_request: HttpRequest, *, campaign: str, digest: str) -> HttpResponse:
    """Give the drawing of this digest, to be kept for good; 404 once the campaign has another."""
    svg = dressing.drawing(slug=campaign, digest=digest)
    if svg is None:
        raise Http404
    response = HttpResponse(svg, content_type="image/svg+xml; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response

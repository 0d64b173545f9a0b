"""The front door: which campaigns are open, and whether the house stands."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns import closing, publishing
from web import languages


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the open campaigns, or lead to the only one, in the language that the browser asks for."""
    lang = languages.of_request(request)
    found = closing.open_campaigns(now=timezone.now()).select_related("organisation")
    campaigns = list(found.prefetch_related("texts").order_by("-opened_at")[:100])
    if len(campaigns) == 1:
        response: HttpResponse = redirect("supporters:campaign", lang=lang, campaign=campaigns[0].slug)
    else:
        listed = [(campaign, publishing.page_text(campaign, lang)) for campaign in campaigns]
        with override(lang):
            response = render(request, "supporters/home.html", {"campaigns": listed, "lang": lang})
    languages.vary(response)
    return response


class HealthForEveryHost:
    """Middleware: /healthz answers under any host, as whoever watches asks for a machine, not for its public name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return health(request) if request.path_info == "/healthz" else self.get_response(request)


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer 200 where the database answers, else 503: for whoever watches the installation."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")

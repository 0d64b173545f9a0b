"""The guard of pages without a cookie: a form that another site's page sent changes nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from web.errors import foreign_form
from web.security import is_foreign


def same_origin_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Guard a page without cookie and so without CSRF token: a foreign POST changes nothing."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD", "OPTIONS"} and is_foreign(request):
            return foreign_form(request)
        return view(request, *args, **kwargs)

    return guarded

"""The environment in which pages and mail to supporters are rendered."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined

from web import presentation


def environment(**options: Any) -> Environment:
    """Return a strict environment: a name that a view forgot is an error in tests, not an empty space."""
    made = Environment(  # noqa: S701  autoescape is on, two lines below
        **{**options, "autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True},
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.policies["ext.i18n.trimmed"] = True  # as babel.cfg says: a text broken over lines is one text
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(static=static, url=reverse)
    made.globals.update(presentation.GLOBALS)
    made.filters.update(presentation.FILTERS)
    return made

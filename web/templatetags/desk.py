"""What the sign-in pages need to know: they are Django templates, and no view of ours renders them."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def is_test() -> bool:
    """Return whether mail goes to the built-in postbox, so that the page carries the TEST stamp."""
    return bool(settings.BUILT_IN_MAIL_SERVER)

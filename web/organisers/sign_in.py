"""Signing in: members only, who were invited; nobody makes an account for themselves."""

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:

    class _Adapter:
        def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None: ...

else:
    _Adapter = DefaultAccountAdapter

UNKNOWN_ACCOUNT = "account/email/unknown_account"


class MembersOnly(_Adapter):
    """How allauth behaves here."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is wrong."),
        "too_many_login_attempts": _("Too many wrong passwords. Wait five minutes, then try again."),
        "incorrect_password": _("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth passes it
        """Return False: an account comes with an invitation to an organisation."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one plain-text mail about signing in, without pictures or counted links.

        An address without an account gets none: otherwise anybody could have us write to anybody.
        """
        if template_prefix != UNKNOWN_ACCOUNT:
            super().send_mail(template_prefix, email, context)

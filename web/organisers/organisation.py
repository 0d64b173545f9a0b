"""The organisation at the desk: what supporters read of it on every page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import access, organisations
from web.organisers import posted
from web.organisers.campaign_frame import note
from web.organisers.desk import Desk, for_members, page


@for_members(to_change=access.may_edit_organisation)
def settings(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the organisation's name and how supporters reach it; an owner changes them."""
    values = {"name": desk.organisation.name, "help_at": desk.organisation.help_at}
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = {name: posted.line(request.POST, name) for name in values}
        try:
            organisations.change(organisation=desk.organisation, by=desk.person, **values)
        except organisations.OrganisationRefused as refused:
            errors = refused.errors
        else:
            note(request, _("The organisation is saved."))
            return redirect("organisers:settings")
    return page(
        request, desk, "organisers/organisation.html", section="settings", values=values, errors=errors,
        may_change=desk.may(access.may_edit_organisation), status=422 if errors else 200,
    )  # fmt: skip

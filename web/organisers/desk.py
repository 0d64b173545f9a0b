"""The desk an organiser works at: who is signed in, for which organisation, and what they may do there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts import access
from accounts.models import Organisation, User
from letters import standing
from targets.models import TargetList

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
Question = Callable[[User, Organisation], bool]  # one of accounts.access
CHOSEN = "organisation"  # the session's key: public id of the organisation last worked for


@dataclass(frozen=True)
class Desk:
    """A signed-in person and the organisation they work for at the moment."""

    person: User
    organisation: Organisation
    organisations: list[Organisation]

    def may(self, question: Question) -> bool:
        """Ask one of the questions of `accounts.access` about this person here."""
        return question(self.person, self.organisation)

    @property
    def may_edit_targets(self) -> bool:
        """Return whether this person changes lists and targets here."""
        return self.may(access.may_edit_targets)

    @property
    def may_read_letters(self) -> bool:
        """Return whether this person reads supporters' letters here."""
        return self.may(access.may_read_letters)

    @property
    def may_edit_campaigns(self) -> bool:
        """Return whether this person changes campaigns and asks here."""
        return self.may(access.may_edit_campaigns)

    @property
    def may_edit_wording(self) -> bool:
        """Return whether this person changes the wording of letters here."""
        return self.may(access.may_edit_wording)

    @property
    def may_send(self) -> bool:
        """Return whether this person publishes, pauses, resumes and closes here."""
        return self.may(access.may_send)

    def find(self, rows: QuerySet[M], **lookup: Any) -> M:
        """Return this organisation's row; another organisation's is as absent as none (404).

        `rows` must have a column `organisation`; the lookup is usually `public_id=…` or `slug=…`.
        """
        return get_object_or_404(rows.filter(organisation=self.organisation), **lookup)

    def target_list(self, public_id: str) -> TargetList:
        """Return one of this organisation's lists; any other is absent (404)."""
        return self.find(TargetList.objects.all(), public_id=public_id)


def for_members(
    *, to_see: Question = access.may_read, to_change: Question | None = None
) -> Callable[
    [Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let only members in whose role allows it, and hand the view their Desk after the request.

    `to_see` is asked for every request, `to_change` too for any that is not GET or HEAD. Who is not signed in is
    sent to sign in and brought back; who lacks the right reads why (403).
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return redirect_to_login(request.get_full_path())
            desk = _desk(request, request.user)
            questions = [to_see]
            if to_change is not None and request.method not in {"GET", "HEAD"}:
                questions.append(to_change)
            if desk is None or not all(desk.may(question) for question in questions):
                return refuse(request, desk)
            return view(request, desk, *args, **kwargs)

        return never_cache(guarded)

    return decorate


def refuse(request: HttpRequest, desk: Desk | None) -> HttpResponse:
    """Answer 403 with a page that says which role is missing and whom to ask."""
    if desk is None:
        known = {"is_test": settings.BUILT_IN_MAIL_SERVER}
        return render(request, "organisers/no_organisation.html", known, status=403)
    owners = [m.user for m in desk.organisation.members.filter(role="owner").select_related("user")]
    role = access.membership(desk.person, desk.organisation)
    named = role.get_role_display() if role else ""
    return page(request, desk, "organisers/refused.html", status=403, owners=owners, role=named)


def page(
    request: HttpRequest, desk: Desk, template: str, *, section: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of the desk. `section` is what the navigation marks: dashboard, campaigns, targets …

    Templates extend `organisers/base.html`; `errors` (field → sentence) puts "Error: " before the title.
    """
    known: dict[str, Any] = {
        "desk": desk,
        "section": section,
        "errors": {},
        "notes": messages.get_messages(request),
        "is_test": settings.BUILT_IN_MAIL_SERVER,
        "nothing_leaves": standing.announcement(now=timezone.now()),
    }
    return render(request, template, {**known, **context}, status=status)


def _desk(request: HttpRequest, person: User) -> Desk | None:
    organisations = access.organisations_of(person)
    if not organisations:
        return None
    chosen = request.session.get(CHOSEN)
    organisation = next((each for each in organisations if each.public_id == chosen), organisations[0])
    return Desk(person=person, organisation=organisation, organisations=organisations)

"""Pages of target lists and their targets."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access
from letters import readdressing
from targets import lists, paces, salutations, time_zones
from targets.exports import write_csv
from targets.models import ListEntry, Target, TargetList
from web.organisers import excluding, photos, posted
from web.organisers.desk import Desk, for_members, page
from web.organisers.listing import SHOWN, Listing

FIELDS = (*lists.FIELDS, "email", "postal_address", *paces.FIELDS)
FORM_FIELDS = (*FIELDS, lists.SALUTATIONS)
KINDS = (("", "Choose a kind"), *TargetList.Kind.choices)


@for_members()
def lists_page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show all lists with their size and how many of their targets can be reached."""
    return page(
        request, desk, "organisers/targets/lists.html", section="targets",
        lists=lists.lists_with_counts(desk.organisation),
    )  # fmt: skip


@for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)
def new_list(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Make an empty list and go on to filling it."""
    values = {name: posted.line(request.POST, name) for name in ("name", "kind", "source")}
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            made = lists.create_list(organisation=desk.organisation, **values)
        except lists.TargetRefused as refused:
            errors = refused.errors
        else:
            return redirect("organisers:import", list_id=made.public_id)
    return page(
        request, desk, "organisers/targets/new_list.html", section="targets",
        values=values, errors=errors, kinds=KINDS, status=422 if errors else 200,
    )  # fmt: skip


@for_members()
def one_list(request: HttpRequest, desk: Desk, list_id: str) -> HttpResponse:
    """Show one list: fifty rows a page, filtered and sorted as the URL says."""
    target_list = desk.find(lists.lists_with_counts(desk.organisation), public_id=list_id)
    listing = Listing.read(request.GET.dict())
    return page(
        request, desk, "organisers/targets/list.html", section="targets",
        target_list=target_list, listing=listing, shown=list(SHOWN.items()),
        rows=listing.page(target_list, request.GET.get("page", "1")), why=excluding.why,
    )  # fmt: skip


@for_members()
def export(request: HttpRequest, desk: Desk, list_id: str) -> StreamingHttpResponse:
    """Download exactly what the list's page shows, all pages of it, as a table that imports again unchanged."""
    target_list = desk.target_list(list_id)
    entries = Listing.read(request.GET.dict()).entries(target_list)
    on_it = (values_of(entry.target) for entry in entries.iterator(chunk_size=500))
    cells = ([values[name] for name in FIELDS] for values in on_it)
    response = StreamingHttpResponse(write_csv(FIELDS, cells), content_type="text/csv; charset=utf-8")
    name = slugify(target_list.name) or "targets"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


@for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)
def add_target(request: HttpRequest, desk: Desk, list_id: str) -> HttpResponse:
    """Add one target to a list."""
    target_list = desk.target_list(list_id)
    return _target_form(request, desk, target_list, None)


@for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)
def edit_target(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Change one target; letters already confirmed keep the wording they had."""
    entry = _entry(desk, list_id, target_id)
    return _target_form(request, desk, entry.target_list, entry)


@for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)
def retire(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Ask first, then take a target off the list for new letters."""
    entry = _entry(desk, list_id, target_id)
    if request.method != "POST":
        photo_url = photos.photo_url(entry)
        return page(
            request, desk, "organisers/targets/retire.html", section="targets", entry=entry, photo_url=photo_url
        )
    lists.retire(target_list=entry.target_list, target=entry.target, now=timezone.now())
    messages.success(request, _("%(name)s is retired: new letters leave them out.") % {"name": entry.target.name})
    return redirect("organisers:list", list_id=list_id)


@for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)
def restore(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Ask first, then put a retired target back on the list."""
    entry = _entry(desk, list_id, target_id)
    if request.method != "POST":
        return page(request, desk, "organisers/targets/restore.html", section="targets", entry=entry)
    lists.restore(target_list=entry.target_list, target=entry.target)
    messages.success(request, _("%(name)s is back on the list.") % {"name": entry.target.name})
    return redirect("organisers:list", list_id=list_id)


def values_of(target: Target) -> dict[str, str]:
    """Return what the form of a target starts with: a string for each of FORM_FIELDS."""
    values = {name: str(getattr(target, name)) for name in lists.FIELDS}
    values["email"] = target.email.value if target.email else ""
    values["postal_address"] = target.post.value if target.post else ""
    values |= paces.typed(target.email)
    values[lists.SALUTATIONS] = salutations.typed(target.salutations)
    return values


def held_in_words(n: int) -> str:
    """Say that letters which wait have another address now, and who decides about them."""
    return ngettext(
        "%(n)s letter that waits has the new address. It is held until a sender lets it go at the board.",
        "%(n)s letters that wait have the new address. They are held until a sender lets them go at the board.",
        n,
    ) % {"n": n}  # fmt: skip


def _entry(desk: Desk, list_id: str, target_id: str) -> ListEntry:
    target_list = desk.target_list(list_id)
    rows = target_list.entries.select_related("target__email", "target__post", "target__version", "target_list")
    return get_object_or_404(rows, target__public_id=target_id)


def _target_form(
    request: HttpRequest, desk: Desk, target_list: TargetList, entry: ListEntry | None
) -> HttpResponse:
    target = entry.target if entry else None
    values = values_of(target) if target else dict.fromkeys(FORM_FIELDS, "")
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = {name: posted.text(request.POST, name) for name in FORM_FIELDS}
        try:
            with transaction.atomic():
                saved, what = lists.save_target(target_list=target_list, values=values, target=target)
                held = readdressing.follow(saved, by=desk.person, now=timezone.now())
        except lists.TargetRefused as refused:
            errors = refused.errors
        else:
            said = {"added": _("%(name)s is on the list."), "changed": _("%(name)s is saved.")}
            messages.success(request, said.get(what, _("Nothing was different.")) % {"name": saved.name})
            if held:
                messages.warning(request, held_in_words(held))
            return redirect("organisers:list", list_id=target_list.public_id)
    return page(
        request, desk, "organisers/targets/target.html", section="targets", target_list=target_list, entry=entry,
        values=values, errors=errors, why=excluding.why(entry) if entry else "",
        usual_pace=paces.USUAL_PER_HOUR, time_zones=[("", _("Choose a time zone")), *time_zones.choices()],
        photo_url=photos.photo_url(entry) if entry else "", status=422 if errors else 200,
    )  # fmt: skip

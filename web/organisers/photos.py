"""The photo of a target at the desk: keep one, see how it looks, delete it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import access
from targets import photos, pictures
from targets.models import ListEntry
from web.organisers.desk import Desk, for_members, page
from web.supporters.photos import address_of


@for_members(to_see=access.may_edit_targets)
def photo(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Show the photo and how to make one; POST keeps another in its place."""
    entry = _entry(desk, list_id, target_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            photos.keep(target=entry.target, content=_file(request), by=desk.person)
        except pictures.PictureRefused as refused:
            errors = {"photo": refused.sentence}
        else:
            messages.success(request, _("The photo of %(name)s is kept.") % {"name": entry.target.name})
            return redirect("organisers:target", list_id=list_id, target_id=target_id)
    return page(
        request, desk, "organisers/targets/photo.html", section="targets", entry=entry,
        photo_url=photo_url(entry), errors=errors, status=422 if errors else 200,
    )  # fmt: skip


@require_POST
@for_members(to_see=access.may_edit_targets)
def remove(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Delete a photo, on the page that shows it."""
    entry = _entry(desk, list_id, target_id)
    photos.remove(target=entry.target, by=desk.person)
    messages.success(request, _("%(name)s has no photo any more.") % {"name": entry.target.name})
    return redirect("organisers:target", list_id=list_id, target_id=target_id)


def photo_url(entry: ListEntry) -> str:
    """Return the address of a target's photo; "" where there is none."""
    digest = photos.digests_of([entry.target_id]).get(entry.target_id)
    return address_of(digest) if digest else ""


def _file(request: HttpRequest) -> bytes:
    """Return the file that was chosen, b"" for none; raises PictureRefused where it is too large to be looked at."""
    file = request.FILES.get("photo")
    if file is None:
        return b""
    if (file.size or 0) > pictures.FILE_LIMIT:
        raise pictures.too_large()
    return bytes(file.read())


def _entry(desk: Desk, list_id: str, target_id: str) -> ListEntry:
    rows = desk.target_list(list_id).entries.select_related("target__organisation", "target_list")
    return get_object_or_404(rows, target__public_id=target_id)

"""Pages of an import: upload or paste, match the columns, check the rows, accept. Each step is an address."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts import access
from letters import readdressing
from targets import imports, lists
from targets.exports import write_csv
from targets.imports.table import BYTES_LIMIT
from targets.models import ImportedFile, TargetList
from web.organisers import posted
from web.organisers.desk import Desk, for_members, page
from web.organisers.import_steps import Examination, columns_of, examine, posted_columns, rejected_rows
from web.organisers.targets import held_in_words

KEPT_FOR = timedelta(hours=24)
_only_editors = for_members(to_see=access.may_edit_targets, to_change=access.may_edit_targets)


@csrf_exempt  # _upload asks for the token: it cannot be read before the size is known to be bearable
def upload(request: HttpRequest, list_id: str) -> HttpResponseBase:
    """Take a file or a pasted table, keep it for its check and go on to its columns."""
    try:
        request.POST  # noqa: B018  reading it is what can fail
    except RequestDataTooBig:
        return _paste_too_long(request, list_id)
    return _upload(request, list_id)


@csrf_protect
@_only_editors
def _upload(request: HttpRequest, desk: Desk, list_id: str) -> HttpResponse:
    target_list = desk.target_list(list_id)
    pasted, errors = "", dict[str, str]()
    if request.method == "POST":
        pasted = posted.text(request.POST, "pasted")
        filename, content, field = _table_in(request, pasted)
        try:
            file = lists.keep_file(target_list=target_list, by=desk.person, filename=filename, content=content)
        except imports.ImportRefused as refused:
            errors = {field: refused.sentence}
        else:
            return redirect("organisers:import-match", list_id=list_id, file_id=file.public_id)
    return _upload_page(request, desk, target_list, pasted=pasted, errors=errors)


@_only_editors
def _paste_too_long(request: HttpRequest, desk: Desk, list_id: str) -> HttpResponse:
    target_list = desk.target_list(list_id)
    too_long = _("The pasted table is longer than 256 KB. Save it as a file and choose that: a file may have 2 MB.")
    return _upload_page(request, desk, target_list, pasted="", errors={"pasted": too_long})


@_only_editors
def match(request: HttpRequest, desk: Desk, list_id: str, file_id: str) -> HttpResponse:
    """Show each column with examples and a guess; a POST keeps what each one holds and goes on to the check."""
    target_list = desk.target_list(list_id)
    file = kept_file(target_list, file_id)
    if file is None or file.accepted_at:
        return _elsewhere(request, list_id, file)
    tables = imports.read(bytes(file.content), filename=file.filename)
    number = posted.whole(request.POST or request.GET, "table", most=len(tables) - 1, otherwise=file.table)
    table, errors = tables[number], dict[str, str]()
    fields = file.columns if number == file.table else []
    if request.method == "POST":
        fields, errors = posted_columns(table, request.POST)
        if not errors:
            file.table, file.columns = number, fields
            file.save(update_fields=["table", "columns"])
            return redirect("organisers:import-check", list_id=list_id, file_id=file_id)
    return page(
        request, desk, "organisers/imports/match.html", section="targets", target_list=target_list, file=file,
        tables=tables, table=table, number=number, columns=columns_of(table, fields),
        fields=list(imports.FIELDS.items()), errors=errors, status=422 if errors else 200,
    )  # fmt: skip


@_only_editors
def check(request: HttpRequest, desk: Desk, list_id: str, file_id: str) -> HttpResponse:
    """Show what accepting would do, row by row; a POST does exactly that, once."""
    target_list = desk.target_list(list_id)
    file = kept_file(target_list, file_id)
    if file is None or file.accepted_at:
        return _elsewhere(request, list_id, file)
    examined = examine(file, request.POST if request.method == "POST" else None)
    errors = dict[str, str]()
    if request.method == "POST":
        errors = examined.objections(request.POST)
        if not errors:
            try:
                return _accept(request, desk, examined)
            except lists.TargetRefused as refused:
                errors = {"rows": refused.sentence}
    return page(
        request, desk, "organisers/imports/check.html", section="targets", target_list=target_list, file=file,
        examined=examined, fields=dict(imports.FIELDS), errors=errors, status=422 if errors else 200,
    )  # fmt: skip


@_only_editors
def rejected(request: HttpRequest, desk: Desk, list_id: str, file_id: str) -> HttpResponseBase:
    """Download the rows that cannot be imported, each with a `problem`; mended, they can be imported alone."""
    target_list = desk.target_list(list_id)
    file = kept_file(target_list, file_id)
    if file is None:
        return _elsewhere(request, list_id, file)
    header, rows = rejected_rows(examine(file, None))
    response = StreamingHttpResponse(write_csv(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rows-to-mend.csv"'
    return response


@_only_editors
def done(request: HttpRequest, desk: Desk, list_id: str, file_id: str) -> HttpResponse:
    """Say what the import did."""
    target_list = desk.target_list(list_id)
    file = kept_file(target_list, file_id)
    if file is None or not file.accepted_at:
        return _elsewhere(request, list_id, file)
    counts = request.session.get(_session_key(file))
    return page(
        request, desk, "organisers/imports/done.html", section="targets", target_list=target_list, file=file,
        counts=counts, rejected=counts["refused"] if counts else 0,
    )  # fmt: skip


def kept_file(target_list: TargetList, file_id: str) -> ImportedFile | None:
    """Return the list's uploaded table while it is kept (24 hours), else None."""
    rows = target_list.imported_files.filter(created_at__gt=timezone.now() - KEPT_FOR)
    return rows.filter(public_id=file_id).first()


def _accept(request: HttpRequest, desk: Desk, examined: Examination) -> HttpResponse:
    file, retires = examined.file, request.POST.get("missing") == "retire"
    now = timezone.now()
    with transaction.atomic():
        result = lists.accept_import(file=file, comparison=examined.comparison, retire_missing=retires, now=now)
        moved = result.readdressed if result else []
        held = sum(readdressing.follow(target, by=desk.person, now=now) for target in moved)
    if held:
        messages.warning(request, held_in_words(held))
    if result is not None:  # None: another click came first
        request.session[_session_key(file)] = {
            "added": result.added, "changed": result.changed, "unchanged": result.unchanged,
            "retired": result.retired, "refused": len(examined.comparison.refused),
            "left_out": result.skipped + len(examined.comparison.refused),
        }  # fmt: skip
    return redirect("organisers:import-done", list_id=file.target_list.public_id, file_id=file.public_id)


def _table_in(request: HttpRequest, pasted: str) -> tuple[str, bytes, str]:
    """Return the name and bytes of what was sent, and which field they came from. A chosen file counts first."""
    file = request.FILES.get("file")
    if file is not None and not isinstance(file, list):
        name = "".join(char for char in file.name or "" if char.isprintable())
        return name or "table", file.read(BYTES_LIMIT + 1), "file"
    return "pasted table", pasted.encode(), "pasted" if pasted else "file"


def _upload_page(
    request: HttpRequest, desk: Desk, target_list: TargetList, *, pasted: str, errors: dict[str, str]
) -> HttpResponse:
    return page(
        request, desk, "organisers/imports/upload.html", section="targets", target_list=target_list,
        pasted=pasted, errors=errors, status=422 if errors else 200,
    )  # fmt: skip


def _elsewhere(request: HttpRequest, list_id: str, file: ImportedFile | None) -> HttpResponse:
    """Lead to the step where an import really stands."""
    if file is None:
        messages.warning(request, _("This table was kept for 24 hours and is gone now. Bring it again."))
        return redirect("organisers:import", list_id=list_id)
    step = "organisers:import-done" if file.accepted_at else "organisers:import-check"
    return redirect(step, list_id=list_id, file_id=file.public_id)


def _session_key(file: ImportedFile) -> str:
    return f"import-{file.public_id}"

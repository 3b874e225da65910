"""The pages of an import: upload, assign the columns, check, import, see the result."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.access import Verb, get_visible_or_404, require
from crm.custom.adding import MAX_NEW, refusal
from crm.exceptions import UserVisibleError
from crm.importing import files, new_fields, results, services, workbooks
from crm.importing.dialects import Dialect
from crm.importing.forms import (
    DialectForm,
    ImportUpload,
    PlanForm,
    UploadForm,
    importers_for,
)
from crm.importing.importer import Importer, get_importer
from crm.importing.notes import name_of_rejects
from crm.importing.plan import Plan
from crm.importing.reader import Table, text_rows
from crm.models import ImportRun, ImportState

# So many columns that match no field are named; the others are counted.
NAMED_COLUMNS = 5


def find_run(request: HttpRequest, pk: int) -> tuple[ImportRun, Importer]:
    """Return a run that the person may see, brought up to date, and its importer."""
    visible = ImportRun.objects.select_related("owner", "job")
    run = services.settle(get_visible_or_404(visible, request.user, pk))
    importer = get_importer(run.importer)
    if importer is None:
        raise Http404
    return run, importer


def require_own(request: HttpRequest, run: ImportRun) -> None:
    """Refuse to go on with somebody else's import: it would run with their rights."""
    if run.owner_id != request.user.pk:
        raise Http404


@require_GET
def import_list(request: HttpRequest) -> HttpResponse:
    """List the person's imports, newest first."""
    require(request.user, Verb.VIEW, ImportRun)
    runs = ImportRun.objects.visible_to(request.user).select_related("owner", "job")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        runs = runs.filter(pk__lt=before)
    page = list(runs.order_by("-pk")[: results.PAGE_SIZE + 1])
    more = len(page) > results.PAGE_SIZE
    page = [services.settle(run) for run in page[: results.PAGE_SIZE]]
    context = {
        "title": _("Imports"),
        "rows": [(run, label_of(run), url_of(run)) for run in page],
        "undone": services.undone(page),
        "may_begin": bool(importers_for(request.user)),
        "first_url": "?" if before else "",
        "next_url": f"?{urlencode({'before': page[-1].pk})}" if more else "",
    }
    return render(request, "generic/import_list.html", context)


def label_of(run: ImportRun) -> str:
    """Return what a run imports, in words."""
    importer = get_importer(run.importer)
    return str(importer.label) if importer else run.importer


def url_of(run: ImportRun) -> str:
    """Return the page on which the run goes on."""
    page = {
        ImportState.UPLOADED: "import_map",
        ImportState.CHECKING: "import_check",
        ImportState.CHECKED: "import_check",
    }.get(ImportState(run.state), "import_detail")
    return reverse(f"crm:{page}", args=[run.pk])


@csrf_exempt
@require_http_methods(["GET", "POST"])
def import_new(request: HttpRequest) -> HttpResponse:
    """Take a file; the limit on its size holds while it comes in."""
    request.upload_handlers = [ImportUpload(request)]
    return _import_new(request)


@csrf_protect
def _import_new(request: HttpRequest) -> HttpResponse:
    choices = importers_for(request.user)
    if not choices:
        require(request.user, Verb.IMPORT, ImportRun)
    asked = get_importer(request.GET.get("importer", ""))
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        user=request.user,
        refused=getattr(request, "upload_refused", False),
        initial={"importer": asked.name if asked else ""},
    )
    origin = _origin(request)
    if origin is not None:
        form.initial["importer"] = origin.importer
    if request.method == "POST" and form.is_valid():
        run = _take_file(request, form, origin)
        if run is not None:
            return redirect("crm:import_map", run.pk)
    context = {
        **_steps(1),
        "title": _("Import a file"),
        "form": form,
        "origin": origin,
        "helps": [(one.label, one.help) for one in choices if one.help],
        "breadcrumbs": [_list_crumb()],
    }
    status = 422 if form.errors else 200
    return render(request, "generic/import_new.html", context, status=status)


def _origin(request: HttpRequest) -> ImportRun | None:
    """Return the person's own import whose corrected rows are to be sent."""
    number = request.GET.get("again", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    runs = ImportRun.objects.visible_to(request.user)
    return runs.filter(owner=request.user, pk=number).first()


def _take_file(
    request: HttpRequest, form: UploadForm, origin: ImportRun | None
) -> ImportRun | None:
    """Store the file and look at it; one that cannot be read is not kept."""
    upload = form.cleaned_data["file"]
    services.sweep_files()
    chosen, name = form.cleaned_data["importer"], ""
    try:
        name = files.save_upload(upload, upload.name)
        return services.create_run(
            get_importer(chosen),
            origin=origin if origin and origin.importer == chosen else None,
            file_path=name,
            file_name=upload.name,
            owner=request.user,
        )
    except UserVisibleError as error:
        files.remove(name)
        form.add_error("file", str(error))
        return None


@require_http_methods(["GET", "POST"])
@never_cache
def import_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Assign the columns of the file, seeing its first rows."""
    run, importer = find_run(request, pk)
    require_own(request, run)
    if run.state in (ImportState.CHECKING, ImportState.RUNNING, ImportState.DONE):
        return redirect(url_of(run))
    try:
        with files.local(run.file_path) as path:
            return _map_page(request, run, importer, path)
    except UserVisibleError as error:
        messages.error(request, str(error))
        return redirect("crm:import_list")


def _map_page(
    request: HttpRequest, run: ImportRun, importer: Importer, path: Any
) -> HttpResponse:
    dialect = Dialect.load(run.dialect)
    is_text = dialect.kind in ("csv", "vcard")
    sheets = [] if is_text else workbooks.sheet_names(path, dialect.kind)
    action = request.POST.get("action", "")
    if action == "profile":
        return _use_profile(request, run, importer)
    again = action == "reread"
    dialect_form = DialectForm(
        request.POST if again else None, dialect=dialect, sheets=sheets
    )
    if again and _is_read_again(run, importer, dialect_form):
        return redirect("crm:import_map", run.pk)
    table = Table(path, dialect)
    rows = table.sample(new_fields.LOOK_ROWS).rows
    posted = request.POST if request.method == "POST" and not again else None
    offers = action == "offer"
    plan = {"run": run, "importer": importer, "header": table.header, "rows": rows}
    form = PlanForm(posted, **plan)
    if offers:
        form = PlanForm(initial=form.offered(), **plan)
    elif posted is not None and form.is_valid() and _save_plan(run, importer, form):
        services.start(run=run, dry_run=True)
        return redirect("crm:import_check", run.pk)
    context = {
        **_steps(2),
        **_frame(run, importer),
        **_asked(form, importer, rows, offers=offers),
        "dialect_form": dialect_form,
        "dialect": dialect,
        "has_sheets": len(sheets) > 1,
        "telling": [] if dialect.is_certain else text_rows(path, dialect, 5),
        "profiles": [
            one for one in importer.profiles if set(one.mapping) <= set(table.header)
        ],
        "used_profile": run.options.get("profile", ""),
    }
    status = 422 if form.errors or dialect_form.errors else 200
    return render(request, "generic/import_map.html", context, status=status)


def _is_read_again(run: ImportRun, importer: Importer, form: DialectForm) -> bool:
    """Read the file in the way that the form says; errors stand in the form."""
    if not form.is_valid():
        return False
    try:
        services.change_dialect(run, form.result(), importer)
    except UserVisibleError as error:
        form.add_error(None, str(error))
        return False
    return True


def _asked(
    form: PlanForm, importer: Importer, rows: list[list[str]], *, offers: bool
) -> dict[str, Any]:
    """Return what the page asks of the columns, and what it offers for unknown ones."""
    return {
        "form": form,
        "columns": _columns(form, rows[: services.SAMPLE_ROWS]),
        "unknown": [] if offers else _unknown(form, importer),
        "unknown_more": len(form.unknown) - NAMED_COLUMNS,
        "may_offer": form.may_add and len(form.unknown) <= MAX_NEW,
        "who_may": "" if form.may_add else refusal(),
        "constants": form.constant_fields(),
        "help": importer.help,
    }


def _columns(form: PlanForm, rows: list[list[str]]) -> list[tuple[Any, ...]]:
    """Return each column's field, first cells and what it is asked besides.

    The table lies on its side.
    """
    return [
        (
            field,
            [row[number] if number < len(row) else "" for row in rows],
            form.asked_fields(number),
        )
        for number, field in enumerate(form.column_fields())
    ]


def _unknown(form: PlanForm, importer: Importer) -> list[str]:
    """Return some columns that match no field but could become custom fields."""
    return form.unknown[:NAMED_COLUMNS] if new_fields.can_take(importer) else []


def _use_profile(
    request: HttpRequest, run: ImportRun, importer: Importer
) -> HttpResponse:
    try:
        services.use_profile(run, importer, request.POST.get("profile", ""))
    except UserVisibleError as error:
        messages.error(request, str(error))
    return redirect("crm:import_map", run.pk)


def _save_plan(run: ImportRun, importer: Importer, form: PlanForm) -> bool:
    """Keep what was chosen if it can be carried out; else say why not."""
    mapping, options = form.mapping(), form.options()
    plain = dict(options)
    constants = plain.pop("constants")
    try:
        Plan.make(importer, form.header, mapping, constants, plain)
    except UserVisibleError as error:
        form.add_error(None, str(error))
        return False
    run.mapping, run.options, run.mode = mapping, options, form.cleaned_data["mode"]
    run.save(update_fields=["mapping", "options", "mode"])
    services.remember(run, form.header)
    return True


@require_GET
@never_cache
def import_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what an import would do, and every row that it would reject."""
    run, importer = find_run(request, pk)
    if run.state not in (ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED):
        return redirect(url_of(run))
    context = {
        **_steps(3),
        **_frame(run, importer),
        **results.rejects_page(request, run),
        "may_start": run.state == ImportState.CHECKED
        and run.rejected < run.rows
        and _is_own(request, run),
        "may_map": run.state != ImportState.CHECKING and _is_own(request, run),
        "send_url": results.send_url(request, run),
        "new_fields": new_fields.in_words(run),
        "takes": run.created + run.updated + run.unchanged,
    }
    return render(request, "generic/import_check.html", context)


@require_POST
def import_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Import a file that was checked."""
    run, _importer = find_run(request, pk)
    require_own(request, run)
    if run.state == ImportState.CHECKED:
        services.start(run=run, dry_run=False)
    return redirect("crm:import_detail", run.pk)


@require_GET
@never_cache
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the progress of an import, and then its result."""
    run, importer = find_run(request, pk)
    if run.state in (ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED):
        return redirect(url_of(run))
    context = {
        **_steps(4),
        **_frame(run, importer),
        **results.rejects_page(request, run),
        "objects": results.objects_of(request, run),
        "may_map": run.state in (ImportState.FAILED, ImportState.CANCELLED)
        and _is_own(request, run),
        "operation": results.operation_of(request, run),
        "is_undone": bool(services.undone([run])),
        "send_url": results.send_url(request, run),
    }
    return render(request, "generic/import_detail.html", context)


@require_GET
def import_rejects(request: HttpRequest, pk: int) -> FileResponse:
    """Hand out the file of rejected rows."""
    run, _importer = find_run(request, pk)
    if not run.rejects_path or not default_storage.exists(run.rejects_path):
        raise Http404
    stem = get_valid_filename(run.file_name.partition(".")[0].strip() or "rows")
    return FileResponse(
        default_storage.open(run.rejects_path),
        as_attachment=True,
        filename=name_of_rejects(stem, run.pk),
        content_type="text/csv; charset=utf-8",
    )


# --- What the pages share ----------------------------------------------------


def _is_own(request: HttpRequest, run: ImportRun) -> bool:
    return run.owner_id == request.user.pk


def _list_crumb() -> dict[str, str]:
    return {"label": _("Imports"), "url": reverse("crm:import_list")}


def _steps(current: int) -> dict[str, Any]:
    labels = (_("File"), _("Columns"), _("Check"), _("Result"))
    return {"steps": list(enumerate(labels, start=1)), "step": current}


def _frame(run: ImportRun, importer: Importer) -> dict[str, Any]:
    return {
        "title": run.file_name,
        "run": run,
        "job": run.job,
        "importer_label": importer.label,
        "breadcrumbs": [_list_crumb()],
    }

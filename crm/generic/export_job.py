"""Workbooks that are too big for a page to wait for: made by a job, then taken away."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import messages
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from crm.access import Verb, require, scope_of
from crm.exceptions import UserVisibleError
from crm.generic.export import CHUNK, XLSX, kept, ordered, safe
from crm.generic.listing import Listing
from crm.generic.registry import registry
from crm.generic.workbook import sent, workbook
from crm.jobs import JobHandle, enqueue, job
from crm.models import ExportFile, Job
from crm.storing import full_disk_in_words, keep

if TYPE_CHECKING:
    from crm.generic.pages import Pages

KIND = "export"
FOLDER = "exports"
KEEP = datetime.timedelta(days=7)
# Longer than any job may take.
STRANDED_FOR = datetime.timedelta(days=1)


def start_export(listing: Listing) -> Job:
    """Hand the workbook to a worker; a second request finds the one that waits."""
    pages, user = listing.pages, listing.user
    label = pages.model._meta.label_lower
    query = listing.request.GET.copy()
    query.pop("format", None)
    address = query.urlencode()
    digest = hashlib.sha256(address.encode()).hexdigest()[:32]
    names = capfirst(str(pages.model._meta.verbose_name_plural))
    return enqueue(
        KIND,
        owner=user,
        params={"model": label, "query": address},
        dedupe_key=f"{KIND}:{user.pk}:{label}:{digest}",
        title=_("%(names)s as XLSX") % {"names": names},
    )


@job(KIND, label=gettext_lazy("Export"))
def export_list(handle: JobHandle, model: str, query: str) -> None:
    """Make a workbook of a list with the rights that its owner has now."""
    user = handle.owner
    if user is None:
        raise UserVisibleError(_("The person who started this is gone."))
    pages = registry.pages_of(apps.get_model(model))
    scope = scope_of(user, Verb.EXPORT, pages.model)
    if scope is None or scope_of(user, Verb.VIEW, pages.model) is None:
        raise UserVisibleError(_("You may no longer export these."))
    file = ExportFile(
        owner=user, team_id=user.team_id, scope=scope, model=model, query=query
    )
    listing = listing_of(pages, user, query)
    headings = [column.heading(pages.model) for column in listing.columns]
    with full_disk_in_words(), tempfile.TemporaryFile() as target:
        for part in workbook(headings, counted(listing, file, handle), safe):
            target.write(part)
        target.seek(0)
        name = f"{FOLDER}/{secrets.token_urlsafe(24)}.xlsx"
        file.path = keep(name, File(target))
    try:
        with handle.publish():
            file.save()
            handle.result = {
                "url": reverse("crm:export_download", args=[file.pk]),
                "label": _("Download the file"),
            }
    except BaseException:
        default_storage.delete(file.path)
        raise


def listing_of(pages: Pages, user: Any, query: str) -> Listing:
    """Return the list as the person's browser would ask for it."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    request.GET = QueryDict(query)
    return Listing(pages, request, Verb.EXPORT)


def counted(
    listing: Listing, file: ExportFile, handle: JobHandle
) -> Iterator[list[Any]]:
    """Yield the cells of each row, saying how far it is."""
    rows = ordered(listing)
    total = rows.order_by().count()
    for row in rows.iterator(chunk_size=CHUNK):
        if file.rows % CHUNK == 0:
            handle.progress(file.rows, total, _("Writing"))
        file.rows += 1
        yield [column.export(row) for column in listing.columns]


@require_GET
def export_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the file to who asked for it, if the rights are still the same."""
    require(request.user, Verb.VIEW, ExportFile)
    mine = ExportFile.objects.visible_to(request.user).filter(owner=request.user)
    file = mine.filter(pk=pk).first()
    if file is None:
        raise Http404
    pages = registry.pages_of(apps.get_model(file.model))
    for verb in (Verb.VIEW, Verb.EXPORT):
        require(request.user, verb, pages.model)
    refusal = refusal_of(file, request.user, pages)
    if refusal:
        messages.error(request, refusal)
        return redirect(f"{pages.url('list')}?{file.query}")
    return kept(pages, sent(default_storage.open(file.path)), XLSX, "xlsx")


def refusal_of(file: ExportFile, user: Any, pages: Pages) -> str:
    """Say why the file cannot be had; empty where it can."""
    scope = scope_of(user, Verb.EXPORT, pages.model)
    if (scope, user.team_id) != (file.scope, file.team_id):
        return _("What you may export has changed since. Export the list again.")
    if not file.path or not default_storage.exists(file.path):
        return _("The file was removed after some days. Export the list again.")
    return ""


def forget_files() -> int:
    """Delete files that nobody came for in time; return how many.

    And those that a killed worker left behind without anybody knowing of them.
    """
    count = 0
    for file in ExportFile.objects.filter(created_at__lt=timezone.now() - KEEP):
        with transaction.atomic():
            file.delete()
            transaction.on_commit(lambda path=file.path: default_storage.delete(path))
        count += 1
    remove_stranded()
    return count


def remove_stranded() -> None:
    """Delete workbooks that no row speaks of; a young one may get its row yet."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        return
    paths = {f"{FOLDER}/{name}" for name in names}
    known = ExportFile.objects.filter(path__in=paths).values_list("path", flat=True)
    old = timezone.now() - STRANDED_FOR
    for one in paths.difference(known):
        if default_storage.get_modified_time(one) < old:
            default_storage.delete(one)


urlpatterns = [path("exports/<int:pk>/", export_download, name="export_download")]

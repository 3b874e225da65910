"""The job behind the pages: check a file, or import it."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.exceptions import UserVisibleError
from crm.importing.importer import get_importer
from crm.importing.pipeline import run_import
from crm.jobs import JobHandle, job
from crm.models import ImportRun, ImportState


@job("import", label=_("Import"))
def import_file(handle: JobHandle, run_id: int, dry_run: bool = False) -> None:
    """Check or import the file of a run, with the rights of the run's owner."""
    run = ImportRun.objects.select_related("owner").get(pk=run_id)
    finished = ImportState.CHECKED if dry_run else ImportState.DONE
    if run.state == finished:
        return
    try:
        run_import(
            run,
            dry_run=dry_run,
            on_progress=handle.progress,
            publish=handle.publish,
        )
    except UserVisibleError as error:
        ImportRun.objects.filter(pk=run_id).update(
            state=ImportState.FAILED, error=str(error)
        )
        raise
    importer = get_importer(run.importer)
    handle.result = {
        "url": reverse("crm:import_detail", args=[run.pk]),
        "label": str(importer.label) if importer else run.importer,
    }

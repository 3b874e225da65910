"""Short ways to import in tests: by the command, and by the pages."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from crm.models import ImportRun
from crm.testing.workers import run_jobs


def import_by_command(model: str, path: Path | str, *args: str) -> dict[str, Any]:
    """Run ``import_data``; return its last line and, as ``exit``, its exit code."""
    output, notes = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(
            "import_data", model, str(path), *args, stdout=output, stderr=notes
        )
    except SystemExit as error:
        code = int(error.code or 0)
    return {**json.loads(output.getvalue().splitlines()[-1]), "exit": code}


def counts(result: dict[str, Any] | ImportRun) -> tuple[int, int, int, int]:
    """Return created, updated, unchanged and rejected."""
    names = ("created", "updated", "unchanged", "rejected")
    if isinstance(result, ImportRun):
        return tuple(getattr(result, name) for name in names)
    return tuple(result[name] for name in names)


def rejects_of(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the file of rejected rows."""
    text = Path(result["rejects_file"]).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def upload(
    client: Client, importer: str, content: bytes, name: str = "file.csv"
) -> Any:
    """Send a file to the first page; return the answer."""
    data = {"importer": importer, "file": SimpleUploadedFile(name, content)}
    return client.post(reverse("crm:import_new"), data)


def latest_run() -> ImportRun:
    """Return the run that was begun last."""
    return ImportRun.objects.order_by("-pk").first()


def map_data(client: Client, run: ImportRun, **changes: str) -> dict[str, str]:
    """Return what the browser would send from the page of the columns."""
    page = client.get(reverse("crm:import_map", args=[run.pk]))
    form = page.context["form"]
    data = {field.html_name: field.value() or "" for field in form}
    return data | changes


def import_by_pages(
    client: Client,
    importer: str,
    content: bytes,
    name: str = "file.csv",
    **changes: str,
) -> ImportRun:
    """Upload, keep the suggested columns, check, import; return the run."""
    answer = upload(client, importer, content, name)
    assert answer.status_code == 302, answer.context["form"].errors
    run = latest_run()
    page = reverse("crm:import_map", args=[run.pk])
    answer = client.post(page, map_data(client, run, **changes))
    assert answer.status_code == 302, answer.context["form"].errors
    run_jobs()
    client.post(reverse("crm:import_start", args=[run.pk]))
    run_jobs()
    run.refresh_from_db()
    return run

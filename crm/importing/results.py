"""What the pages of an import tell of its result."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from crm.access import Verb, can
from crm.history import undo
from crm.models import ImportRun, Operation

PAGE_SIZE = 50


def send_url(request: HttpRequest, run: ImportRun) -> str:
    """Return where the person sends the corrected rows of the run; empty if not."""
    if not run.rejects_path or run.owner_id != request.user.pk:
        return ""
    return f"{reverse('crm:import_new')}?{urlencode({'again': run.pk})}"


def operation_of(request: HttpRequest, run: ImportRun) -> dict[str, Any] | None:
    """Return the operation of a run and whether the person may undo it."""
    user = request.user
    if not run.operation or not can(user, Verb.VIEW, Operation):
        return None
    rows = Operation.objects.visible_to(user)
    operation = rows.filter(number=run.operation).first()
    if operation is None:
        return None
    may_undo = not undo.refusal(operation) and can(user, Verb.CHANGE, operation)
    return {"number": operation.number, "may_undo": may_undo}


def rejects_page(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """Return one page of the rejected rows."""
    after = request.GET.get("after", "")
    rows = run.rejects.order_by("line", "pk")
    if after.isdecimal() and len(after) < 19:
        rows = rows.filter(line__gt=after)
    page = list(rows[: PAGE_SIZE + 1])
    if len(page) > PAGE_SIZE:
        # A row with several reasons is not cut in two, unless it fills the page alone.
        last = page[PAGE_SIZE].line
        whole = [one for one in page if one.line < last] or page[:PAGE_SIZE]
        return {
            "rejects": whole,
            "rejects_next": f"?{urlencode({'after': whole[-1].line})}",
            "rejects_first": "?" if after else "",
        }
    return {"rejects": page, "rejects_next": "", "rejects_first": "?" if after else ""}


def objects_of(request: HttpRequest, run: ImportRun) -> list[dict[str, Any]]:
    """Return what was added and changed, with links to the lists of it."""
    found = []
    for label, counts in run.objects_changed.items():
        model = apps.get_model(label)
        name = f"{model._meta.app_label}:{model._meta.model_name}_list"
        try:
            url = reverse(name) if can(request.user, Verb.VIEW, model) else ""
        except NoReverseMatch:
            url = ""
        plural = model._meta.verbose_name_plural
        found.append({"label": plural, "url": url, **counts})
    return found

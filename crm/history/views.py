"""The pages of operations: what was done, and taking it back."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.access import Verb, can, get_visible_or_404, require
from crm.exceptions import UserVisibleError
from crm.generic.delete import label_of
from crm.generic.registry import registry
from crm.history import undo
from crm.history.context import offer_undo
from crm.history.jobs import AT_ONCE, start_undo
from crm.history.tables import tracked_models
from crm.history.words import (
    ACTIONS,
    REASONS,
    Values,
    kept_rows,
    lines_of,
    name_of,
    names_of,
)
from crm.models import Change, ChangeVerb, Operation, OperationKind

PAGE_SIZE = 30
CHANGES = 50


@require_GET
def operation_list(request: HttpRequest) -> HttpResponse:
    """List what was done, newest first."""
    require(request.user, Verb.VIEW, Operation)
    rows = Operation.objects.visible_to(request.user).select_related("actor")
    chosen = {name: request.GET.get(name, "") for name in ("kind", "mine")}
    chosen = {name: value for name, value in chosen.items() if value}
    if chosen.get("kind") in OperationKind.values:
        rows = rows.filter(kind=chosen["kind"])
    if chosen.get("mine"):
        rows = rows.filter(actor=request.user)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    more = len(page) > PAGE_SIZE
    older = {**chosen, "before": page[PAGE_SIZE - 1].pk} if more else None
    context = {
        "title": _("Operations"),
        "lines": lines_of(page[:PAGE_SIZE]),
        "kinds": OperationKind.choices,
        "chosen": chosen,
        "first_url": f"?{urlencode(chosen)}" if before else "",
        "next_url": f"?{urlencode(older)}" if older else "",
    }
    return render(request, "history/operation_list.html", context)


def find(request: HttpRequest, number: uuid.UUID, verb: str = Verb.VIEW) -> Operation:
    """Return an operation that the person may see or undo, or answer 404."""
    require(request.user, Verb.VIEW, Operation)
    require(request.user, verb, Operation)
    known = Operation.objects.filter(number=number).values_list("pk", flat=True).first()
    if known is None:
        raise Http404
    rows = Operation.objects.select_related("actor", "undo_of")
    return get_visible_or_404(rows, request.user, known, verb)


@require_GET
def operation_detail(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """Show what an operation did, and what undoing it would do."""
    operation = find(request, number)
    return show(request, operation)


def show(
    request: HttpRequest, operation: Operation, error: str = "", status: int = 200
) -> HttpResponse:
    """Answer with the page of an operation."""
    line = lines_of([operation])[0]
    changes = list(operation.changes.all()[: CHANGES + 1])
    context: dict[str, Any] = {
        "title": line.title,
        "line": line,
        "operation": operation,
        "changes": describe(changes[:CHANGES], request),
        "has_more": len(changes) > CHANGES,
        "error": error,
        "breadcrumbs": [
            {"label": _("Operations"), "url": reverse("crm:operation_list")}
        ],
    }
    if can(request.user, Verb.CHANGE, operation):
        refusal = undo.refusal(operation)
        context["refusal"] = refusal
        if not refusal:
            context |= preview_context(undo.preview(operation, request.user), request)
    return render(request, "history/operation_detail.html", context, status=status)


def preview_context(result: undo.Result, request: HttpRequest) -> dict[str, Any]:
    """Return what undoing would do, and each row that it would leave."""
    by_model: dict[Any, list[int]] = {}
    for left in result.left:
        by_model.setdefault(left.model, []).append(left.object_id)
    names = {
        model: names_of(model, ids, request.user) for model, ids in by_model.items()
    }
    return {
        "can_undo": result.number > 0,
        "does": [
            (number, label_of(model, number), ACTIONS[action])
            for (action, model), number in result.counts.items()
            if not model._meta.auto_created
        ],
        "left": [
            {
                "key": one.key,
                "can_be_overruled": one.can_be_overruled,
                "model": one.model._meta.verbose_name,
                "name": names[one.model].get(one.object_id, one.object_id),
                "url": address(one.model, one.object_id, names[one.model]),
                "reason": REASONS[one.reason],
            }
            for one in result.left
        ],
        "left_count": result.left_count,
        "more_left": max(0, result.left_count - len(result.left)),
    }


def address(model: Any, pk: int, seen: dict[int, str]) -> str:
    """Return the page of a row that exists and may be seen, if it has one."""
    pages = registry.pages_of(model)
    return pages.url("detail", model(pk=pk)) if pages and pk in seen else ""


def describe(changes: list[Change], request: HttpRequest) -> list[dict[str, Any]]:
    """Return changes with names and values that the person may read."""
    values = Values(request.user)
    values.collect(changes)
    ids: dict[str, set[int]] = {}
    for change in changes:
        if change.object_id:
            ids.setdefault(change.model, set()).add(change.object_id)
    models = tracked_models()
    names = {
        label: names_of(models[label], some, request.user)
        for label, some in ids.items()
        if label in models
    }
    deleted = deleted_names(changes)
    found = []
    for change in changes:
        model = models.get(change.model)
        if model is None or (model._meta.auto_created and not change.object_id):
            continue
        known = names.get(change.model, {})
        number = change.number_added if change.object_id is None else 1
        found.append(
            {
                "change": change,
                "number": number,
                "model": label_of(model, number),
                "name": known.get(change.object_id, "") or deleted.get(change.pk, ""),
                "url": address(model, change.object_id, known),
                "fields": values.describe(change),
            }
        )
    return found


def deleted_names(changes: list[Change]) -> dict[int, str]:
    """Return {change: what the row was called} of deleted rows, while they are kept."""
    gone = [one for one in changes if one.verb == ChangeVerb.DELETE]
    if not gone:
        return {}
    kept = kept_rows(gone)
    names = {
        (one.operation_id, one.model, one.object_id): name_of(
            tracked_models()[one.model], one.row
        )
        for one in kept
        if one.model in tracked_models()
    }
    return {
        one.pk: names.get((one.operation_id, one.model, one.object_id), "")
        for one in gone
    }


@require_POST
def operation_undo(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """Take an operation back: at once, or by a job if it is big."""
    operation = find(request, number, Verb.CHANGE)
    overrule = request.POST.getlist("overrule")
    try:
        if refusal := undo.refusal(operation):
            raise UserVisibleError(refusal)
        if is_big(operation):
            job = start_undo(operation, request.user, overrule)
            return redirect(job.get_absolute_url())
        result = undo.undo(operation, request.user, overrule)
    except UserVisibleError as error:
        return show(request, operation, error=str(error), status=409)
    say_outcome(request, result)
    back = request.POST.get("next", "")
    if result.left or not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return redirect("crm:operation_detail", operation.number)
    return redirect(back)


def is_big(operation: Operation) -> bool:
    """Tell whether a page should not wait for it."""
    changes = operation.changes.all()[: AT_ONCE + 1]
    return sum(one.number_added or 1 for one in changes) > AT_ONCE


def say_outcome(request: HttpRequest, result: undo.Result) -> None:
    """Tell how many rows were set back and how many were left."""
    text = ngettext(
        "Undone: %(count)s row is as it was.",
        "Undone: %(count)s rows are as they were.",
        result.number,
    ) % {"count": number_format(result.number)}
    if result.left_count:
        left = ngettext(
            "%(count)s row was left as it is.",
            "%(count)s rows were left as they are.",
            result.left_count,
        ) % {"count": number_format(result.left_count)}
        messages.warning(request, format_html("{} {}", text, left))
    else:
        offer_undo(request, text, result.operation.number)


urlpatterns = [
    path("operations/", operation_list, name="operation_list"),
    path("operations/<uuid:number>/", operation_detail, name="operation_detail"),
    path("operations/<uuid:number>/undo/", operation_undo, name="operation_undo"),
]

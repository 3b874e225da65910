"""The trash: what was deleted, who may see it, and bringing it back."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import models
from django.db.models.expressions import RawSQL
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.access import Scope, Verb, can, people_in_scope, require, scope_of
from crm.exceptions import UserVisibleError
from crm.generic.registry import registry
from crm.history import plan, undo
from crm.history.context import offer_undo
from crm.history.tables import tracked_models
from crm.history.words import name_of
from crm.models import DeletedRow, User

if TYPE_CHECKING:
    from crm.models import Operation

PAGE_SIZE = 50


@dataclass
class Item:
    """A deleted row as a line of the trash."""

    deleted: DeletedRow
    operation: Operation
    name: str
    model: type[models.Model]

    @property
    def until(self) -> datetime.datetime:
        """Return when it is gone for good."""
        return self.deleted.at + undo.KEEP


def models_with_trash(user: User) -> list[type[models.Model]]:
    """Return the models whose deleted rows the person may see."""
    known = tracked_models().values()
    return [
        model
        for model in registry.pages
        if model in known
        and registry.pages[model].deletable
        and can(user, Verb.DELETE, model)
    ]


def rows_in_trash(user: User, model: type[models.Model]) -> models.QuerySet:
    """Return the deleted rows of a model in the person's reach, newest first.

    In reach is what the person deleted, and what belonged to people in reach of the
    right to delete. What went together with the row that it belonged to is left out:
    it comes back with that one.
    """
    label = model._meta.label_lower
    rows = DeletedRow.objects.filter(
        model=label, at__gte=timezone.now() - undo.KEEP
    ).order_by("-pk")
    scope = scope_of(user, Verb.DELETE, model)
    if scope is None:
        return rows.none()
    if scope != Scope.ALL and not getattr(model, "access_shared", False):
        condition = models.Q(operation__actor=user)
        if getattr(model, "access_path", "") == "owner":
            people = [user.pk, *people_in_scope(user, scope)]
            condition |= models.Q(row__owner_id__in=people)
        rows = rows.filter(condition)
    for link in plan.links_of(model):
        if link.remote_field.on_delete is models.CASCADE:
            rows = rows.exclude(_went_with(link))
    return rows


def _went_with(link: models.ForeignKey) -> models.Exists:
    """Return whether the row that a link leads to was deleted by the same operation."""
    parents = DeletedRow.objects.filter(
        operation=models.OuterRef("operation"),
        model=link.related_model._meta.label_lower,
        object_id=RawSQL('("crm_deletedrow"."row" ->> %s)::bigint', [link.column]),
    )
    return models.Exists(parents)


@require_GET
def trash_list(request: HttpRequest) -> HttpResponse:
    """List what was deleted, model by model."""
    require(request.user, Verb.VIEW, DeletedRow)
    found = models_with_trash(request.user)
    by_label = {model._meta.label_lower: model for model in found}
    wanted = request.GET.get("model", "")
    model = by_label.get(wanted) or next(iter(found), None)
    items: list[Item] = []
    next_url = ""
    before = request.GET.get("before", "")
    if model is not None:
        rows = rows_in_trash(request.user, model)
        if before.isdecimal() and len(before) < 19:
            rows = rows.filter(pk__lt=before)
        page = list(rows.select_related("operation__actor")[: PAGE_SIZE + 1])
        items = [
            Item(one, one.operation, name_of(model, one.row), model)
            for one in page[:PAGE_SIZE]
        ]
        if len(page) > PAGE_SIZE:
            older = {"model": wanted, "before": page[PAGE_SIZE - 1].pk}
            next_url = f"?{urlencode(older)}"
    context = {
        "title": _("Trash"),
        "items": items,
        "tabs": [
            (one._meta.label_lower, one._meta.verbose_name_plural, one is model)
            for one in found
        ],
        "days": undo.KEEP.days,
        "first_url": f"?{urlencode({'model': wanted})}" if before else "",
        "next_url": next_url,
    }
    return render(request, "history/trash.html", context)


@require_POST
def trash_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back one row with what went with it."""
    require(request.user, Verb.VIEW, DeletedRow)
    deleted = DeletedRow.objects.filter(pk=pk).select_related("operation").first()
    model = tracked_models().get(deleted.model) if deleted else None
    if model is None or model not in registry.pages:
        raise Http404
    require(request.user, Verb.DELETE, model)
    if not rows_in_trash(request.user, model).filter(pk=pk).exists():
        raise Http404
    root = (deleted.model, deleted.object_id)
    try:
        result = undo.restore(deleted.operation, request.user, root)
    except UserVisibleError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('crm:trash_list')}?model={deleted.model}")
    name = name_of(model, deleted.row)
    text = _("%(name)s is back.") % {"name": name}
    offer_undo(request, text, result.operation.number)
    return redirect(registry.pages_of(model).url("detail", model(pk=deleted.object_id)))


urlpatterns = [
    path("trash/", trash_list, name="trash_list"),
    path("trash/<int:pk>/restore/", trash_restore, name="trash_restore"),
]

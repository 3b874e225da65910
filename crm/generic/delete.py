"""Deleting a row: first it is said what goes with it and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models, router, transaction
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import truncatechars
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.access import Verb, VisibleQuerySet
from crm.custom import references
from crm.exceptions import UserVisibleError
from crm.generic.base import GenericPage
from crm.history.context import offer_undo

if TYPE_CHECKING:
    from crm.models import User

MAX_NAMES = 5
MAX_NAME = 50


@dataclass
class Group:
    """Rows of one model, by number and by the names that the reader may know."""

    label: str
    count: int
    names: list[str] = field(default_factory=list)


@dataclass
class Consequences:
    """What deleting a row would do."""

    goes_too: list[Group] = field(default_factory=list)
    in_the_way: list[Group] = field(default_factory=list)
    # Rows whose custom fields refer to it; ``label`` tells which field.
    refer_to_it: list[Group] = field(default_factory=list)


def consequences_of(obj: models.Model, user: User) -> Consequences:
    """Find out what would go with a row and what forbids deleting it."""
    collector = Collector(using=router.db_for_write(type(obj)), origin=obj)
    try:
        collector.collect([obj])
    except ProtectedError as error:
        return Consequences(in_the_way=groups(error.protected_objects, user))
    except RestrictedError as error:
        return Consequences(in_the_way=groups(error.restricted_objects, user))
    counts: dict[type[models.Model], int] = {}
    for model, rows in collector.data.items():
        counts[model] = counts.get(model, 0) + len(rows)
    for rows in collector.fast_deletes:
        counts[rows.model] = counts.get(rows.model, 0) + rows.count()
    counts[type(obj)] -= 1
    return Consequences(
        goes_too=[
            Group(label_of(model, count), count)
            for model, count in counts.items()
            if count > 0 and not model._meta.auto_created and not is_derived(model)
        ],
        refer_to_it=referring(obj),
    )


def referring(obj: models.Model) -> list[Group]:
    """Return how many rows refer to a row by custom fields, field by field."""
    found = []
    for one in references.fields_to(type(obj)):
        count = references.rows_with(one, [obj.pk]).count()
        if count and one.is_active:
            name = label_of(apps.get_model(one.model), count)
            found.append(Group(f"{name} ({one.title})", count))
    return found


def is_derived(model: type[models.Model]) -> bool:
    """Tell whether rows are computed anew; their number could tell of hidden rows."""
    return getattr(model, "is_derived", False)


def groups(rows: Any, user: User) -> list[Group]:
    """Sort rows by model; only visible ones are named."""
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    return [
        Group(label_of(model, len(some)), len(some), names_of(model, some, user))
        for model, some in by_model.items()
    ]


def names_of(
    model: type[models.Model], rows: list[models.Model], user: User
) -> list[str]:
    """Return a few names that the person may read."""
    manager = model._default_manager
    if not isinstance(manager.get_queryset(), VisibleQuerySet):
        return []
    wanted = sorted(row.pk for row in rows)[:1000]
    seen = manager.visible_to(user).filter(pk__in=wanted)[:MAX_NAMES]
    return [truncatechars(str(row), MAX_NAME) for row in seen]


def label_of(model: type[models.Model], count: int) -> str:
    """Return the model's name in the right number."""
    meta = model._meta
    return str(meta.verbose_name if count == 1 else meta.verbose_name_plural)


class DeletePage(GenericPage):
    """Ask, then delete."""

    verb = Verb.DELETE
    template_name = "generic/confirm_delete.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what would happen."""
        return self.ask(self.find(pk))

    def ask(self, obj: Any, error: str = "", status: int = 200) -> HttpResponse:
        """Show the question, or why it cannot be done."""
        context = {
            "object": obj,
            "breadcrumbs": self.breadcrumbs(obj),
            "object_url": self.pages.url("detail", obj),
            "consequences": consequences_of(obj, self.request.user),
            "error": error,
        }
        return self.render(context, status=status)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete the row unless something stands in the way."""
        obj = self.find(pk)
        name = str(obj)
        try:
            with transaction.atomic():
                obj = self.find(
                    pk, self.pages.queryset().select_for_update(of=("self",))
                )
                self.pages.delete(obj, request.user)
        except (ProtectedError, RestrictedError):
            return self.ask(self.find(pk), status=409)
        except UserVisibleError as error:
            return self.ask(self.find(pk), error=str(error), status=409)
        text = _("%(name)s was deleted.") % {"name": name}
        offer_undo(request, capfirst(text))
        return redirect(self.pages.url("list"))

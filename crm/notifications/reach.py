"""Which rows notifications are about, and who may see them now."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import models

from crm.access import Verb, VisibleQuerySet, can, paths_of
from crm.generic.registry import registry
from crm.models import Follow, Job, User


def model_named(label: str) -> type[models.Model] | None:
    """Return a model with pages, or jobs; None where there is none of that name."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    return model if model is Job or registry.pages_of(model) else None


def rows_for(user: User, label: str) -> VisibleQuerySet | None:
    """Return the rows of a model that the person may see; None where they see none."""
    model = model_named(label)
    if model is None or not can(user, Verb.VIEW, model):
        return None
    pages = registry.pages_of(model)
    rows = pages.queryset() if pages else model.objects.all()
    return rows.visible_to(user)


def visible_ids(user: User, label: str, ids: Iterable[int]) -> set[int]:
    """Return which of the rows the person may see."""
    rows = rows_for(user, label)
    if rows is None:
        return set()
    return set(rows.filter(pk__in=list(ids)).values_list("pk", flat=True))


def owners_of(label: str, ids: Iterable[int]) -> dict[int, set[int]]:
    """Return {row: people to whom it belongs}; nobody owns reference data."""
    model = model_named(label)
    ids = list(ids)
    if model is None or getattr(model, "access_shared", False):
        return {}
    found: dict[int, set[int]] = {}
    rows = model._base_manager.filter(pk__in=ids).values_list("pk", *paths_of(model))
    for pk, *people in rows:
        found[pk] = {one for one in people if one is not None}
    return found


def followers_of(label: str, ids: Iterable[int]) -> dict[int, set[int]]:
    """Return {row: people who follow it}."""
    found: dict[int, set[int]] = {}
    rows = Follow.objects.filter(model=label, object_id__in=list(ids), is_muted=False)
    for pk, person in rows.values_list("object_id", "person_id"):
        found.setdefault(pk, set()).add(person)
    return found


def concerned(label: str, ids: Iterable[int]) -> dict[int, set[int]]:
    """Return {row: those who own or follow it}."""
    ids = list(ids)
    found = owners_of(label, ids)
    for pk, people in followers_of(label, ids).items():
        found[pk] = found.get(pk, set()) | people
    return found

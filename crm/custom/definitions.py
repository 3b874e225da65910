"""Which custom fields a model has, kept by each process for a moment."""

from __future__ import annotations

import secrets

from django.apps import apps
from django.core.cache import caches
from django.db import models

from crm.custom.indexes import ready_indexes, sort_index
from crm.models.custom import PREFIX, CustomField, CustomValues

CACHE_KEY = "custom.definitions"
# Seconds until a process sees what another one saved.
KEPT_FOR = 5


def takes_custom(model: type[models.Model]) -> bool:
    """Tell whether custom fields can be added to a model."""
    return issubclass(model, CustomValues)


def custom_models() -> dict[str, type[models.Model]]:
    """Return {label: model} of the models to which fields can be added."""
    return {
        one._meta.label_lower: one for one in apps.get_models() if takes_custom(one)
    }


def definitions(model: type[models.Model]) -> list[CustomField]:
    """Return a model's custom fields, retired ones too, in their sequence."""
    if not takes_custom(model):
        return []
    return _all_definitions().get(model._meta.label_lower, [])


# The cache holds only which reading counts: a page asks ten times, and the cache
# would copy every field each time.
_read: tuple[str, dict[str, list[CustomField]]] = ("", {})


def _all_definitions() -> dict[str, list[CustomField]]:
    """Return {label of the model: its fields}, at most KEPT_FOR seconds old."""
    global _read  # noqa: PLW0603
    number, found = _read
    if caches["process"].get(CACHE_KEY) != number or not number:
        number, found = secrets.token_hex(8), {}
        for one in CustomField._base_manager.order_by("position", "pk"):
            found.setdefault(one.model, []).append(one)
        _note_indexes([one for fields in found.values() for one in fields])
        _read = number, found
        caches["process"].set(CACHE_KEY, number, KEPT_FOR)
    return found


def _note_indexes(fields: list[CustomField]) -> None:
    """Note which fields have the index that they are sorted by."""
    ready = ready_indexes() if any(one.sortable for one in fields) else set()
    for one in fields:
        one.has_sort_index = one.sortable and sort_index(one.pk) in ready


def active_fields(model: type[models.Model]) -> list[CustomField]:
    """Return the custom fields that are in use."""
    return [one for one in definitions(model) if one.is_active]


def field_named(model: type[models.Model], name: str) -> CustomField | None:
    """Return the custom field that a name such as ``custom__f12`` stands for."""
    if not name.startswith(PREFIX):
        return None
    return next((one for one in definitions(model) if one.name == name), None)


def forget() -> None:
    """Read the definitions anew at the next question."""
    caches["process"].delete(CACHE_KEY)

"""Which tables have a history."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db import models

from crm.models.base import BaseModel


@cache
def tracked_models() -> dict[str, type[models.Model]]:
    """Return {label: model} of the business models and their many-to-many tables."""
    found = {}
    for model in apps.get_models():
        if issubclass(model, BaseModel) and model._meta.managed:
            links = (field.remote_field.through for field in model._meta.many_to_many)
            for one in (model, *(link for link in links if link._meta.auto_created)):
                found[one._meta.label_lower] = one
    return found


def columns_of(model: type[models.Model]) -> list[str]:
    """Return the columns that are written, without the key."""
    return [
        field.column
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated
    ]


def silent_columns(model: type[models.Model]) -> set[str]:
    """Return columns that are restored, but whose change alone is no event."""
    return {
        field.column
        for field in model._meta.concrete_fields
        if getattr(field, "auto_now", False)
    }

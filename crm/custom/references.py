"""Rows that custom fields refer to: moved when they are merged, named when they go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Cast

from crm.models import CustomField, FieldKind


def fields_to(target: type[models.Model]) -> Iterator[CustomField]:
    """Yield the custom fields that refer to rows of a model, retired ones too."""
    label = target._meta.label_lower
    yield from CustomField.objects.filter(kind=FieldKind.REFERENCE, target=label)


def rows_with(field: CustomField, keys: Sequence[int]) -> models.QuerySet:
    """Return the rows whose custom field refers to one of these."""
    rows = apps.get_model(field.model)._base_manager
    return rows.filter(**{f"{field.name}__in": list(keys)})


def move(target: type[models.Model], into: int, gone: Sequence[int]) -> None:
    """Let all custom fields that refer to the rows which go refer to the other.

    The rows which go keep what they hold; the one that stays never refers to itself.
    """
    for field in fields_to(target):
        rows = rows_with(field, gone)
        if field.model == target._meta.label_lower:
            rows = rows.exclude(pk__in=[into, *gone])
        rows.update(custom=_with(field.key, into))


def _with(key: str, value: int) -> Func:
    """Return the values of a row with one of them replaced."""
    path = Cast(Value(f"{{{key}}}"), TextArray())
    new = Func(Cast(Value(value), models.BigIntegerField()), function="to_jsonb")
    return Func(
        F("custom"), path, new, function="jsonb_set", output_field=models.JSONField()
    )


class TextArray(models.Field):
    """The type of a path into a JSON value."""

    def db_type(self, connection: Any) -> str:
        """Return its name in SQL."""
        return "text[]"


def without_own(
    model: type[models.Model], values: dict[str, Any], keys: Sequence[int]
) -> dict[str, Any]:
    """Return the custom values of a merged row, none of which refers to itself."""
    own = {
        field.key
        for field in fields_to(model)
        if field.model == model._meta.label_lower
    }
    return {
        key: value
        for key, value in values.items()
        if not (key in own and value in keys)
    }

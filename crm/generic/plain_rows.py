"""Rows as their values alone, for places that show hundreds of them.

To make an instance of a model takes longer than to read what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import models
from django.db.models.base import ModelState

from crm.generic import formats

Namer = Callable[[tuple[Any, ...]], str | None]


def plain_rows(rows: models.QuerySet, paths: Iterable[str]) -> Iterator[Any]:
    """Yield the values of each row under their names: a related row is its name.

    ``paths`` are fields and annotations of the rows. Columns can show such a row like
    an instance, if they have no value of their own.
    """
    own, related = [], []
    for path in dict.fromkeys(paths):
        model = getattr(formats.field_of(rows.model, path), "related_model", None)
        if model is None or path.endswith("_id"):
            own.append(path)
        else:
            related.append((path, model, name_fields(model)))
    wanted, namers, start = list(own), [], len(own)
    for path, model, names in related:
        wanted += [f"{path}__{name}" for name in names]
        end = start + len(names)
        namers.append((path, slice(start, end), namer(model, names, rows.db)))
        start = end
    make = kind_of(rows.model)
    for values in rows.values_list(*wanted):
        row = make(**dict(zip(own, values, strict=False)))
        for path, part, name in namers:
            setattr(row, path, name(values[part]))
        yield row


def name_fields(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields that a row's name is made of, in the order of the model."""
    if getattr(model, "text_field", ""):
        return (model.text_field,)
    every = [field.attname for field in model._meta.concrete_fields]
    some = {model._meta.pk.attname, *getattr(model, "name_fields", every)}
    return tuple(name for name in every if name in some)


def namer(model: type[models.Model], names: tuple[str, ...], database: str) -> Namer:
    """Return what makes a name of the values of its fields; the same ones only once."""
    if len(names) == 1:
        return lambda values: values[0]

    @cache
    def name(values: tuple[Any, ...]) -> str | None:
        if not any(value is not None for value in values):
            return None
        # Without signals and defaults it is made in a quarter of the time.
        row = model.__new__(model)
        row.__dict__.update(zip(names, values, strict=True))
        row._state = ModelState()
        row._state.db, row._state.adding = database, False
        return str(row)

    return name


@cache
def kind_of(model: type[models.Model]) -> type[SimpleNamespace]:
    """Return the type of a model's plain rows; it knows the model's fields."""
    return type(f"Plain{model.__name__}", (SimpleNamespace,), {"_meta": model._meta})

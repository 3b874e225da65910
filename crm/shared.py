"""Rows that others shared with a person, and what belongs to such rows.

Part of ``crm/access.py``, which alone decides; see docs/access.md. A share counts only
for those whose roles give the verb on rows of the kind at all: the callers ask first.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from crm.models import User


def shared_ids(user: User, verb: str, model: type[models.Model]) -> set[int]:
    """Return the ids of single rows that others shared with the person for the verb.

    They come along with the grants; few people have any.
    """
    return shares_of(user)[0].get((model._meta.label_lower, str(verb)), set())


def shares_of(user: User) -> tuple[dict, dict]:
    """Return {(model, verb): ids} of shared rows, and of those shared as wholes."""
    if not getattr(user, "is_active", False) or user.is_superuser:
        return {}, {}
    _grants = user.grant_table
    return user.shared_rows, user.shared_wholes


@cache
def ways_to_wholes(model: type[models.Model]) -> dict[str, str]:
    """Return {path: label} of the rows that a row of the model belongs to.

    A model names the nearest in ``belongs_to``, that one the next, up to the top.
    """
    found = {}
    for name in getattr(model, "belongs_to", ()):
        parent = model._meta.get_field(name).related_model
        found[name] = parent._meta.label_lower
        for path, label in ways_to_wholes(parent).items():
            found[f"{name}__{path}"] = label
    return found


def wholes(user: User, verb: str, model: type[models.Model]) -> dict[str, set[int]]:
    """Return {path: ids} of rows that are shared with all that belongs to them."""
    shared = shares_of(user)[1]
    if not shared:
        return {}
    found = {
        path: shared.get((label, str(verb)))
        for path, label in ways_to_wholes(model).items()
    }
    return {path: ids for path, ids in found.items() if ids}


def has_shared(user: User, verb: str, model: type[models.Model]) -> bool:
    """Tell whether rows of the model may be the person's by a share alone."""
    return bool(shared_ids(user, verb, model) or wholes(user, verb, model))


def is_shared(user: User, verb: str, row: models.Model) -> bool:
    """Tell whether a row, or a whole that it belongs to, is shared with the person."""
    model = type(row)
    if row.pk in shared_ids(user, verb, model):
        return True
    return any(
        value_at(row, path) in ids for path, ids in wholes(user, verb, model).items()
    )


def value_at(row: models.Model, path: str) -> Any:
    """Return the id of the row at the end of a path of foreign keys, or None."""
    *names, last = path.split("__")
    for name in names:
        row = getattr(row, name)
        if row is None:
            return None
    return getattr(row, f"{last}_id")


def or_shared(
    condition: models.Q, user: User, verb: str, model: type[models.Model]
) -> models.Q:
    """Return the condition, widened by the rows that are shared with the person."""
    if not condition:
        # It keeps every row already.
        return condition
    if shared := shared_ids(user, verb, model):
        condition |= models.Q(pk__in=shared)
    for path, ids in wholes(user, verb, model).items():
        condition |= models.Q(**{f"{path}__in": ids})
    return condition

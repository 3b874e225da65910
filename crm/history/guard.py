"""Nobody changes a field that is kept back from them, by whatever way they write.

The operation under which a person writes carries the columns that the person's field
rules keep back; the triggers of the history, which no write goes past, compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import ProgrammingError
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.access import FieldKeptBackError, has_field_rules, read_only_fields
from crm.history.tables import tracked_models

if TYPE_CHECKING:
    from django.db import models

    from crm.models import User

# How the triggers begin what they say of such a column; the rest is "label column".
SAID = "crm.kept"


def kept_fields(user: User, model: type[models.Model]) -> frozenset[str]:
    """Return the fields of a model that no act of the person may change."""
    return read_only_fields(user, model) - set(getattr(model, "set_along", ()))


def kept_columns(user: User) -> dict[str, list[str]]:
    """Return {label of a table: columns} of what the person must not change.

    The table of a many-to-many field has no columns in it: no row of it is added.
    """
    if not has_field_rules(user):
        return {}
    found: dict[str, list[str]] = {}
    for label in user.field_rules:
        model = tracked_models().get(label)
        if model is None:
            continue
        for name in sorted(kept_fields(user, model)):
            field = model._meta.get_field(name)
            if field.many_to_many:
                found[field.remote_field.through._meta.label_lower] = []
            else:
                found.setdefault(label, []).append(field.column)
    return found


def field_of_link(through: type[models.Model]) -> models.ManyToManyField:
    """Return the many-to-many field whose rows are in the table."""
    owner = through._meta.auto_created
    return next(
        one for one in owner._meta.many_to_many if one.remote_field.through is through
    )


def say_kept(
    execute: Callable, sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement; a refusal of the triggers becomes one that people understand."""
    try:
        return execute(sql, params, many, context)
    except ProgrammingError as error:
        said = str(error).partition("\n")[0].split()
        if said[:1] != [SAID]:
            raise
        raise FieldKeptBackError(sentence(*said[1:])) from error


def sentence(label: str, column: str = "") -> str:
    """Say which field it was."""
    model = tracked_models()[label]
    if model._meta.auto_created:
        field = field_of_link(model)
    else:
        field = next(one for one in model._meta.fields if one.column == column)
    return _(
        "Your role does not change the field “%(field)s”, and this would have done so."
    ) % {"field": capfirst(str(field.verbose_name))}

"""Saving and deleting custom fields."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from crm.custom.definitions import forget
from crm.exceptions import UserVisibleError
from crm.models import CustomField


def has_values(field: CustomField) -> bool:
    """Tell whether any row has a value of the field."""
    rows = apps.get_model(field.model)._base_manager
    return rows.filter(custom__has_key=field.key).exists()


def announce_change() -> None:
    """Let this process read the definitions anew, now and once others can see them."""
    forget()
    transaction.on_commit(forget)


def require_empty(field: CustomField) -> None:
    """Refuse to delete a field that rows have values of."""
    if has_values(field):
        raise UserVisibleError(
            _(
                "Rows have values of “%(label)s”, which would be lost. "
                "Retire the field instead: it is hidden, and the values stay."
            )
            % {"label": field.title}
        )

"""Rows named by model and id in an address, for what can stand at any row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.http import Http404

from crm.access import Verb, get_visible_or_404
from crm.generic.registry import registry

if TYPE_CHECKING:
    from django.db import models

    from crm.models import User


def find_row(
    label: str, pk: int, user: User, verb: str = Verb.VIEW, *, takes: str
) -> models.Model:
    """Return the row: 404 where it is hidden or absent, 403 without the verb.

    ``takes`` names what of ``Pages`` has to be true, such as ``takes_files``.
    """
    try:
        pages = registry.pages_of(apps.get_model(label))
    except (LookupError, ValueError) as error:
        raise Http404 from error
    if pages is None or not getattr(pages, takes):
        raise Http404
    return get_visible_or_404(pages.queryset(), user, pk, verb)

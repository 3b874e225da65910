"""Small counts under a row's heading, each a link to the list of those rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import capfirst

from crm.access import Verb, can
from crm.generic import counting
from crm.generic.registry import registry

if TYPE_CHECKING:
    from django.db import models

    from crm.models import User

# More than so many are "100+": whoever wants the number opens the list.
LIMIT = 100


@dataclass(frozen=True)
class RelatedCount:
    """How many rows of another model belong to a row."""

    label: str
    text: str
    url: str
    is_empty: bool


def related_counts(user: User, obj: models.Model) -> list[RelatedCount]:
    """Return the counts that the person may see; one query for all of them."""
    shown = {
        place: one
        for place, one in enumerate(registry.related.get(type(obj), ()))
        if can(user, Verb.VIEW, one.model) and registry.pages_of(one.model)
    }
    parts = {
        place: registry.pages_of(one.model)
        .queryset()
        .visible_to(user)
        .filter(**{one.path: obj.pk})
        for place, one in shown.items()
    }
    numbers = counting.counts(parts, LIMIT)
    return [
        RelatedCount(
            label=capfirst(str(one.label or one.model._meta.verbose_name_plural)),
            text=f"{LIMIT}+" if numbers[place] > LIMIT else str(numbers[place]),
            url=f"{registry.pages_of(one.model).url('list')}?{one.path}={obj.pk}",
            is_empty=not numbers[place],
        )
        for place, one in shown.items()
    ]

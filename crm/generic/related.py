"""Small counts under a row's heading, each a link to the list of those rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst

from crm.access import Verb, can
from crm.generic.registry import registry
from crm.statements import KeptQuery

if TYPE_CHECKING:
    from django.db import models

    from crm.generic.registry import Related
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
    shown = [
        one
        for one in registry.related.get(type(obj), ())
        if can(user, Verb.VIEW, one.model) and registry.pages_of(one.model)
    ]
    if not shown:
        return []
    (numbers,) = _counts(tuple(shown)).rows(user, obj.pk)
    return [
        RelatedCount(
            label=capfirst(str(one.label or one.model._meta.verbose_name_plural)),
            text=f"{LIMIT}+" if number > LIMIT else str(number),
            url=f"{registry.pages_of(one.model).url('list')}?{one.path}={obj.pk}",
            is_empty=not number,
        )
        for one, number in zip(shown, numbers, strict=True)
    ]


@cache
def _counts(shown: tuple[Related, ...]) -> KeptQuery:
    """Return the query that counts the rows of each kind, one beyond the limit."""

    def build(user: User, pk: int) -> tuple[str, list[Any]]:
        counts, values = [], []
        for one in shown:
            rows = registry.pages_of(one.model).queryset().visible_to(user)
            some = rows.filter(**{one.path: pk}).order_by().values_list("pk")
            text, more = some[: LIMIT + 1].query.sql_with_params()
            counts.append(f"(SELECT count(*) FROM ({text}) part)")  # noqa: S608
            values += more
        return f"SELECT {', '.join(counts)}", values

    return KeptQuery(build, *(one.model for one in shown))

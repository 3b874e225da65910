"""Search inside one list.

The one place that says how a list is searched: every word must occur in one of the
fields. A table of search entries can take its place without a change in the apps.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

MAX_LENGTH = 200
MAX_WORDS = 8


def clean_text(text: str) -> str:
    """Cut a search text to a sane size; the database refuses NUL characters."""
    return text.replace("\x00", "").strip()[:MAX_LENGTH]


def narrow(queryset: QuerySet, text: str, fields: tuple[str, ...]) -> QuerySet:
    """Keep the rows in which every word occurs in one of the fields."""
    for word in clean_text(text).split()[:MAX_WORDS]:
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": word})
        queryset = queryset.filter(condition)
    return queryset

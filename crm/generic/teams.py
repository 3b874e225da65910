"""Lists narrowed to a team."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.models import Team, User


class TeamFilter(django_filters.ModelChoiceFilter):
    """Keep the rows of the people of a team and of the teams below it."""

    def __init__(self, field_name: str = "owner", **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Team"))
        kwargs.setdefault("queryset", Team.objects.all())
        super().__init__(field_name=field_name, **kwargs)

    def filter(self, qs: QuerySet, value: Team | None) -> QuerySet:
        """Keep them; a row of nobody is in no team."""
        if value is None:
            return qs
        people = User.objects.filter(team__path__startswith=value.path)
        return qs.filter(**{f"{self.field_name}__in": people})

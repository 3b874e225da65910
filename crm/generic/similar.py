"""Rows that may be the one somebody is about to add: a warning, never a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from crm.generic.base import GenericPage
from crm.generic.columns import Links

if TYPE_CHECKING:
    from crm.models import User

SHOWN = 5
REASONS = {
    "email": _("same email"),
    "phone": _("same phone"),
    "name": _("same name"),
}


@dataclass(frozen=True)
class Similar:
    """A row that looks like what was typed, and why."""

    obj: models.Model
    reasons: list[Any]


def similar(
    model: type[models.Model],
    user: User,
    values: Mapping[str, str],
    limit: int = SHOWN,
) -> list[Similar]:
    """Return the visible rows with the same mail, phone or name."""
    typed = {
        name: {values[name], values[name].lower()}
        for name in REASONS
        if values.get(name) and any(one.name == name for one in model._meta.fields)
    }
    if not typed:
        return []
    alike = Q()
    for name, words in typed.items():
        alike |= Q(**{f"{name}__in": words})
    rows = model.objects.visible_to(user).filter(alike)[:limit]
    return [
        Similar(
            row, [REASONS[name] for name in typed if getattr(row, name) in typed[name]]
        )
        for row in rows
    ]


class SimilarPage(GenericPage):
    """What the form asks while somebody types."""

    template_name = "generic/_similar.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with the rows alike, each with the reason and a link."""
        values = {
            name: request.GET.get(name, "").replace("\x00", "").strip()[:200]
            for name in self.pages.similar_fields
        }
        found = similar(self.model, request.user, values)
        links = Links(request.user)
        rows = [(links.url(one.obj), one) for one in found]
        return self.render({"found": rows})

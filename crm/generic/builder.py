"""The rows of the filter builder: field, operator, value, drawn by the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpRequest, HttpResponse

from crm.generic.base import GenericPage
from crm.generic.condition_fields import ALONE, ConditionError, ConditionField
from crm.generic.condition_sources import fields_for, grouped
from crm.generic.periods import PERIODS
from crm.generic.registry import registry

if TYPE_CHECKING:
    from crm.generic.conditions import Conditions
    from crm.models import User

MAX_OPTIONS = 100


@dataclass
class BuilderRow:
    """One condition as the builder shows it."""

    field: ConditionField | None
    operator: str = ""
    values: list[str] = field(default_factory=list)
    options: list[tuple[str, Any]] = field(default_factory=list)
    search_url: str = ""

    @property
    def operators(self) -> list[tuple[str, Any]]:
        """Return the operators to choose from."""
        return self.field.offered() if self.field else []

    @property
    def control(self) -> str:
        """Return which control takes the value: none, choices, period, text, …"""
        if self.field is None or self.operator in ALONE:
            return "none"
        if self.field.kind in ("choice", "boolean", "relation", "tags"):
            return "choices"
        if self.operator == "within":
            return "choices"
        if self.operator == "older":
            return "number"
        return {"day": "date", "number": "number"}.get(self.field.kind, "text")

    @property
    def is_multiple(self) -> bool:
        """Tell whether several values can be chosen."""
        return self.operator in ("any", "all", "none")

    @property
    def inputs(self) -> list[str]:
        """Return the values of the inputs: two for a span, else one."""
        wanted = 2 if self.operator == "between" else 1
        return (self.values + ["", ""])[:wanted]


def row_for(
    one: ConditionField | None, operator: str, values: list[str], user: User
) -> BuilderRow:
    """Return the row of a field; an operator that does not fit is the first one."""
    row = BuilderRow(one, operator, values)
    if one is None:
        return row
    if operator not in dict(row.operators):
        row.operator, row.values = row.operators[0][0], []
    if row.control != "choices":
        return row
    if row.operator == "within":
        row.options = list(PERIODS.items())
        return row
    try:
        row.options = one.choices(row.values, user)
    except ConditionError:
        row.values, row.options = [], one.choices([], user)
    if one.kind in ("relation", "tags"):
        add_rows(row, one, user)
    return row


def add_rows(row: BuilderRow, one: Any, user: User) -> None:
    """Offer related rows: all if they are few, else by a search."""
    target: type[models.Model] = getattr(one, "inner", one).target
    pages = registry.pages_of(target)
    if pages is not None and pages.is_searchable:
        row.search_url = pages.url("choices")
    rows = target._default_manager.visible_to(user)[: MAX_OPTIONS + 1]
    offered = [(str(each.pk), str(each)) for each in rows]
    if len(offered) > MAX_OPTIONS and row.search_url:
        offered = []
    else:
        row.search_url = ""
    known = dict([*one.symbols.items(), *row.options, *offered])
    row.options = list(known.items())


def builder_context(conditions: Conditions) -> dict[str, Any]:
    """Return the builder's rows of the conditions that can be shown in it."""
    if not conditions.texts:
        return {}
    groups = [
        [
            row_for(one.field, one.operator, one.values, conditions.user)
            for one in group
            if one.field
        ]
        for group in conditions.groups
    ]
    return {
        "builder_groups": [group for group in groups if group],
        "field_groups": grouped(conditions.fields),
    }


class ConditionPage(GenericPage):
    """Draw an empty condition, or operator and value of a chosen field, for htmx."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer with a piece of the builder."""
        fields = fields_for(self.pages, request.user)
        one = fields.get(request.GET.get("field", ""))
        values = [value[:200] for value in request.GET.getlist("value")[:100]]
        row = row_for(one, request.GET.get("operator", ""), values, request.user)
        part = "_condition_value" if "field" in request.GET else "_condition"
        context = {"row": row, "field_groups": grouped(fields)}
        return self.render(context, f"generic/{part}.html")

"""The page of one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from crm.access import is_hidden
from crm.generic.base import GenericPage
from crm.generic.cells import Links
from crm.generic.panels import Panel
from crm.generic.related import related_counts
from crm.generic.tables import BadgeColumn
from crm.reach import remember_reach


@dataclass(frozen=True)
class Part:
    """A panel with what its template needs."""

    panel: Panel
    context: dict[str, Any]
    # Where a panel is loaded from that the reader has not come to yet.
    url: str = ""


class DetailPage(GenericPage):
    """Header with state and buttons, then panels in two columns."""

    template_name = "generic/detail.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the row if the person may see it."""
        obj = self.find(pk, self.pages.detail_queryset())
        return self.render(self.get_context(obj))

    def get_context(self, obj: Any) -> dict[str, Any]:
        """Return what the template needs; an app may add to it."""
        request, pages = self.request, self.pages
        remember_reach(request.user, obj)
        parts = [self.part(panel, obj) for panel in pages.panels_for(request.user, obj)]
        return {
            "object": obj,
            "breadcrumbs": self.breadcrumbs(),
            "badge": self.badge(obj),
            "related": related_counts(request.user, obj),
            "actions": self.actions(obj),
            "edit_url": pages.allowed_url(request.user, "edit", obj),
            "neighbours_url": pages.url("neighbours", obj),
            "card_url": pages.allowed_url(request.user, "card", obj),
            "delete_url": pages.allowed_url(request.user, "delete", obj),
            "main_parts": [part for part in parts if part.panel.column == "main"],
            "side_parts": [part for part in parts if part.panel.column != "main"],
        }

    def part(self, panel: Panel, obj: Any) -> Part:
        """Return the panel with its context, or with the address that has it later."""
        if panel.lazy:
            below = f"{self.pages.url('detail', obj)}panel/{panel.key}/"
            return Part(panel, {}, below)
        return Part(panel, panel.get_context(self.request, obj))

    def actions(self, obj: Any) -> list[dict[str, Any]]:
        """Return the buttons that the person may press on the row."""
        return [
            {"action": action, "url": action.url(self.request, obj)}
            for action in self.pages.actions
            if action.visible(self.request.user, obj)
        ]

    def badge(self, obj: Any) -> Any:
        """Return the state of the row in words and colour, if it has one."""
        name = self.pages.state_field
        if not name or is_hidden(self.request.user, self.model, name):
            return None
        columns = self.pages.make_table().all_columns
        column = next((one for one in columns if one.key == name), None)
        column = column if isinstance(column, BadgeColumn) else BadgeColumn(name)
        return column.cell(obj, Links(self.request.user))

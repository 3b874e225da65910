"""A quick view of one row, beside the list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm.generic.detail import DetailPage, Part
from crm.reach import remember_reach


class PeekPage(DetailPage):
    """Heading, state and the panels that cost next to nothing."""

    template_name = "generic/_peek.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer with the part for the side panel; without htmx go to the row."""
        obj = self.find(pk, self.pages.detail_queryset())
        if not request.htmx:
            return redirect(self.pages.url("detail", obj))
        remember_reach(request.user, obj)
        panels = self.pages.panels_for(request.user, obj)
        shown = [panel for panel in panels if panel.in_peek]
        return self.render(
            {
                "object": obj,
                "badge": self.badge(obj),
                "actions": self.actions(obj),
                "url": self.pages.url("detail", obj),
                "edit_url": self.pages.allowed_url(request.user, "edit", obj),
                "parts": [
                    Part(panel, panel.get_context(request, obj)) for panel in shown
                ],
            }
        )


class PanelPage(DetailPage):
    """One panel of a row, loaded when the reader comes to it."""

    template_name = "generic/panel.html"
    part_name = "generic/_part.html"

    def get(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Answer with the panel, alone to htmx; what one may not see is not found."""
        obj = self.find(pk, self.pages.detail_queryset())
        remember_reach(request.user, obj)
        panel = self.pages.panel_for(request.user, obj, key)
        part = Part(panel, panel.get_context(request, obj))
        if request.htmx:
            own = {"object": obj, "panel": panel, "part": part}
            return self.render(part.context | own, self.part_name)
        return self.render(
            {"object": obj, "breadcrumbs": self.breadcrumbs(obj), "part": part}
        )

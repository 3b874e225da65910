"""What every generic page has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.views import View

from crm.access import Verb, get_visible_or_404, require

if TYPE_CHECKING:
    from django.db import models

    from crm.generic.pages import Pages


class GenericPage(View):
    """A page of one model; the verb is asked for before anything else happens."""

    pages: ClassVar[Pages | None] = None
    verb = Verb.VIEW
    template_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse those whose roles lack the verb on the model."""
        require(request.user, Verb.VIEW, self.pages.model)
        require(request.user, self.verb, self.pages.model)
        return super().dispatch(request, *args, **kwargs)

    @property
    def model(self) -> type[models.Model]:
        """Return the model of the page."""
        return self.pages.model

    def find(self, pk: int, queryset: models.QuerySet | None = None) -> models.Model:
        """Return the row, or answer 404 if it is hidden from the person."""
        rows = self.pages.queryset() if queryset is None else queryset
        return get_visible_or_404(rows, self.request.user, pk, self.verb)

    def names(self) -> dict[str, Any]:
        """Return the words for the model that every template uses."""
        meta = self.model._meta
        return {
            "pages": self.pages,
            "verbose_name": meta.verbose_name,
            "verbose_name_plural": capfirst(str(meta.verbose_name_plural)),
            "list_url": self.pages.url("list"),
        }

    def breadcrumbs(self, obj: models.Model | None = None) -> list[dict[str, str]]:
        """Return the way here: the list, and the row if the page is below it."""
        names = capfirst(str(self.model._meta.verbose_name_plural))
        crumbs = [{"label": names, "url": self.pages.url("list")}]
        if obj is not None:
            crumbs.append({"label": str(obj), "url": self.pages.url("detail", obj)})
        return crumbs

    def render(
        self, context: dict[str, Any], template: str = "", status: int = 200
    ) -> HttpResponse:
        """Answer with the page's template."""
        return render(
            self.request,
            template or self.template_name,
            self.names() | context,
            status=status,
        )

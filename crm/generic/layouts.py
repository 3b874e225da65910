"""A person's own layout of a list: columns and their order, widths, density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from crm.generic.base import GenericPage
from crm.generic.saved_views import KeptOfList
from crm.models import ListLayout
from crm.models.lists import Density

if TYPE_CHECKING:
    from crm.models import User

NARROWEST, WIDEST = 60, 900
MAX_COLUMNS = 200


@transaction.atomic
def keep_layout(*, person: User, list_key: str, **values: Any) -> None:
    """Keep what the person chose; what they did not touch stays."""
    ListLayout.objects.get_or_create(person=person, list_key=list_key)
    row = ListLayout.objects.select_for_update().get(person=person, list_key=list_key)
    widths = values.pop("widths", None)
    if widths is not None:
        row.widths = row.widths | widths
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


class LayoutPage(GenericPage):
    """Take a person's choice of columns, a width or the density (POST)."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep what was sent, and lead back to the same rows."""
        values: dict[str, Any] = {}
        known = {
            one.key
            for one in self.pages.make_table().columns_for(request.user, every=True)
        }
        columns = [one for one in request.POST.getlist("column") if one in known]
        if "reset" in request.POST:
            values |= {"columns": [], "density": Density.COMFORTABLE}
        elif columns:
            values["columns"] = list(dict.fromkeys(columns))
        if request.POST.get("density") in Density.values:
            values["density"] = request.POST["density"]
        width = request.POST.get("width", "")
        if request.POST.get("key") in known and width.isascii() and width.isdigit():
            pixels = max(NARROWEST, min(int(width[:5]), WIDEST))
            values["widths"] = {request.POST["key"]: pixels}
        if values:
            key = self.model._meta.label_lower
            keep_layout(person=request.user, list_key=key, **values)
        if "width" in request.POST:
            return HttpResponse(status=204)
        return redirect(self.back(values))

    def back(self, values: dict[str, Any]) -> str:
        """Return the list's address; columns named in it follow the choice."""
        text = self.request.POST.get("address", "")[:20_000].lstrip("?")
        query = QueryDict(text, mutable=True)
        key = self.model._meta.label_lower
        # A view may hold columns, too; then the choice stands beside it.
        full = KeptOfList(self.request.user, key, query).query()
        if "columns" in values and "columns" in full:
            query = full.copy()
            query["columns"] = ",".join(values["columns"])
            if not values["columns"]:
                del query["columns"]
        query.pop("page", None)
        return f"{self.pages.url('list')}?{query.urlencode()}"

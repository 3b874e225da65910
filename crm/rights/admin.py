"""Field rules in Django's admin: what a role hides or keeps is so there, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList

from crm.access import hidden_fields, is_hidden, read_only_fields

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

# How a search field says the way it is searched.
SIGNS = "^=@"


class KeepsBack:
    """For model admins and their inlines; comes first among the bases."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Leave out what the form leaves out."""
        out = self.left_out(request, obj)
        return [
            (title, {**options, "fields": without(options["fields"], out)})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Build the form without what is kept back."""
        out, declared = self.left_out(request, obj), super().get_exclude(request, obj)
        return [*(declared or ()), *sorted(out)] if out else declared

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> Any:
        """Show what the person may see and not change."""
        kept = read_only_fields(request.user, self.model)
        declared = super().get_readonly_fields(request, obj)
        if not kept:
            return declared
        out = self.left_out(request, obj)
        more = () if obj is None else sorted(kept - out - set(declared))
        return [*without(declared, out), *more]

    def left_out(self, request: HttpRequest, obj: Model | None) -> frozenset[str]:
        """Return the fields that are not there at all.

        A new row has nothing stored: of what is kept back it asks for what no row can
        do without, as every other form.
        """
        if obj is not None:
            return hidden_fields(request.user, self.model)
        kept = read_only_fields(request.user, self.model)
        return frozenset(name for name in kept if not self.is_needed(name))

    def is_needed(self, name: str) -> bool:
        """Tell whether no row can be added without a value."""
        field = self.model._meta.get_field(name)
        return not (field.many_to_many or field.blank or field.has_default())


class RuledAdmin(KeepsBack, admin.ModelAdmin):
    """A model admin whose list, filters and search keep to the rules as well."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave hidden columns out."""
        return self.open_ones(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Leave filters by hidden fields out."""
        return self.open_ones(request, super().get_list_filter(request))

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Find nothing by hidden fields."""
        return self.open_ones(request, super().get_search_fields(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse addresses that filter by a hidden field."""
        if is_hidden(request.user, self.model, lookup):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Walk no dates and edit no cells of what is kept back."""
        kept = read_only_fields(request.user, self.model)
        if not kept.intersection([self.date_hierarchy, *self.list_editable]):
            return super().get_changelist_instance(request)
        one = type(self)(self.model, self.admin_site)
        one.list_editable = without(self.list_editable, kept)
        if is_hidden(request.user, self.model, self.date_hierarchy or ""):
            one.date_hierarchy = None
        return super(RuledAdmin, one).get_changelist_instance(request)

    def open_ones(self, request: HttpRequest, names: Any) -> Any:
        """Return the paths that lead to nothing hidden."""
        return [
            one
            for one in names
            if not isinstance(path := one[0] if isinstance(one, tuple) else one, str)
            or not is_hidden(request.user, self.model, path.lstrip(SIGNS))
        ]


def without(names: Any, out: Any) -> list[Any]:
    """Return the names, lines of several too, that are not left out."""
    found = []
    for one in names:
        if isinstance(one, list | tuple):
            if line := without(one, out):
                found.append(line)
        elif one not in out:
            found.append(one)
    return found

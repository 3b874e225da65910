"""Filters of a list: django-filter, narrowed to what the person may see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.validators import DecimalValidator
from django.db import models
from django.http import QueryDict
from django.utils.choices import CallableChoiceIterator
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from crm.access import is_hidden, restrict_choices
from crm.days import bound_days
from crm.generic import formats
from crm.generic.forms import use_pickers
from crm.generic.registry import registry

if TYPE_CHECKING:
    from django.http import HttpRequest


# More digits than any figure has, also a learned one; the database refuses longer ones.
SANE_NUMBER = DecimalValidator(max_digits=40, decimal_places=20)


@dataclass(frozen=True)
class Chip:
    """An active filter in words, and the address without it."""

    label: str
    text: str
    url: str


class VisibleFilterSet(django_filters.FilterSet):
    """Filters whose related choices are narrowed to visible rows.

    A wrong value is said beside its field; the other filters still apply.
    """

    def __init__(
        self,
        data: MultiValueDict | None,
        queryset: models.QuerySet,
        *,
        request: HttpRequest,
        names: Iterable[str],
    ) -> None:
        """Make the named filters and no others."""
        self.base_filters = {name: self.base_filters[name] for name in names}
        super().__init__(data, queryset, request=request)

    @property
    def form(self) -> forms.Form:
        """Return the form, with choices for this person."""
        if not hasattr(self, "_narrowed"):
            form = super().form
            if self.request is not None:
                restrict_choices(form, self.request.user)
            use_pickers(form)
            bound_days(form)
            for field in form.fields.values():
                say_any(field)
            self._narrowed = form
        return self._narrowed

    @property
    def has_errors(self) -> bool:
        """Tell whether a value of the address could not be read."""
        return self.is_bound and not self.form.is_valid()

    def apply(self) -> models.QuerySet:
        """Return the rows that pass every filter with a valid value."""
        if self.is_bound:
            self.form.is_valid()
            return self.filter_queryset(self.queryset)
        return self.queryset

    def filter_queryset(self, queryset: models.QuerySet) -> models.QuerySet:
        """Apply the filters whose value could be read."""
        for name, value in self.form.cleaned_data.items():
            queryset = self.filters[name].filter(queryset, value)
        if queryset.query.distinct and not repeats_rows(queryset):
            # The filters ask for it by habit; over a large table it sorts every row.
            queryset.query.distinct = False
        return queryset

    def carried(self, query: QueryDict) -> list[tuple[str, str]]:
        """Return what the address says of these filters, to be sent on unseen."""
        found = []
        for key, values in query.lists():
            if belongs_to(key, self.filters):
                found += [(key, value) for value in values]
        return found

    def chips(
        self, query: QueryDict, url_of: Callable[[QueryDict], str] | None = None
    ) -> list[Chip]:
        """Return what is being filtered for; ``url_of`` writes an address."""
        if not self.is_bound:
            return []
        self.form.is_valid()
        found = []
        for name, value in getattr(self.form, "cleaned_data", {}).items():
            text = value_in_words(self.form.fields[name], value)
            if not text:
                continue
            rest = query.copy()
            for key in list(rest):
                if key == name or key.startswith(f"{name}_"):
                    if key != name and key in self.form.fields:
                        continue  # another filter whose name begins alike
                    del rest[key]
            label = self.form.fields[name].label or name
            url = url_of(rest) if url_of else f"?{rest.urlencode()}"
            found.append(Chip(str(label), text, url))
        return found


def repeats_rows(queryset: models.QuerySet) -> bool:
    """Tell whether a join can bring a row more than once."""
    joins = (
        getattr(one, "join_field", None) for one in queryset.query.alias_map.values()
    )
    return any(join and (join.one_to_many or join.many_to_many) for join in joins)


def dress_range(field: forms.Field) -> None:
    """Give a range the browser's own inputs, each with a name of its own."""
    is_day = isinstance(field, django_filters.fields.DateRangeField)
    is_number = type(field) is django_filters.fields.RangeField
    widget = field.widget
    widget.template_name = "django/forms/widgets/multiwidget.html"
    for part, end in zip(widget.widgets, (_("from"), _("to")), strict=True):
        if is_day or is_number:
            part.input_type = "date" if is_day else "number"
        part.attrs |= {"aria-label": f"{field.label}: {end}"}
        if is_number:
            part.attrs |= {"step": "any", "placeholder": end}
    if is_number:
        for part in field.fields:
            part.validators.append(SANE_NUMBER)


def say_any(field: forms.Field) -> None:
    """Call the empty choice of a filter what it means, and keep long lists small."""
    if isinstance(field, forms.NullBooleanField):
        field.widget.choices = [("", _("Any")), *list(field.widget.choices)[1:]]
    elif isinstance(field, django_filters.fields.RangeField):
        dress_range(field)
    elif isinstance(field.widget, forms.SelectMultiple):
        field.widget.attrs.setdefault("data-enhance", "")
        field.widget.attrs.setdefault("data-placeholder", _("Any"))
    elif isinstance(field, forms.ModelChoiceField):
        field.empty_label = _("Any")
    elif isinstance(field, forms.ChoiceField):
        # Asked for when they are shown: some choices cost a query.
        field.widget.choices = CallableChoiceIterator(partial(_choices_or_any, field))


def _choices_or_any(field: forms.ChoiceField) -> list[tuple[Any, Any]]:
    return [(value, label if value else _("Any")) for value, label in field.choices]


def value_in_words(field: forms.Field, value: Any) -> str:
    """Return a filter's value as people say it; nothing if it is not in use."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, models.QuerySet):
        return ", ".join(str(one) for one in value)
    if isinstance(value, slice):
        ends = [formats.plain(one) for one in (value.start, value.stop)]
        return " – ".join(ends) if any(ends) else ""
    choices = getattr(field, "choices", None)
    if choices is not None and not isinstance(value, models.Model):
        words = dict(_flat(choices))
        values = value if isinstance(value, list | tuple | set) else [value]
        return ", ".join(str(words.get(str(one), one)) for one in values)
    return formats.short(value)


def _flat(choices: Any) -> list[tuple[str, Any]]:
    pairs = []
    for value, label in choices:
        if isinstance(label, list | tuple):
            pairs += _flat(label)
        else:
            pairs.append((str(value), label))
    return pairs


def belongs_to(key: str, names: Iterable[str]) -> bool:
    """Tell whether a parameter of the address is a filter's, or an end of its range."""
    return any(key == name or key.startswith(f"{name}_") for name in names)


def filterset_for(
    model: type[models.Model],
    declared: type[django_filters.FilterSet] | None,
    request: HttpRequest,
    queryset: models.QuerySet,
    data: MultiValueDict | None = None,
    *,
    only_asked: bool = False,
) -> VisibleFilterSet:
    """Return the list's filters with those that upper apps registered for it.

    With ``only_asked`` only those of which the address says something: to make them all
    costs more than the query of the rows, and mostly nobody looks at them.
    """
    extra = tuple(
        (name, one.filter)
        for name, one in registry.filters.get(model, {}).items()
        if one.visible(request.user)
    )
    filterset_class = _filterset_class(model, declared, extra)
    data = request.GET if data is None else data
    known = filterset_class.base_filters
    asked = [name for name in known if any(belongs_to(key, [name]) for key in data)]
    # What is hidden cannot be asked about either.
    names = [
        name
        for name in (asked if only_asked else known)
        if not is_hidden(request.user, model, known[name].field_name or name)
    ]
    bound = data if asked else None
    return filterset_class(bound, queryset, request=request, names=names)


@lru_cache(maxsize=200)
def _filterset_class(
    model: type[models.Model],
    declared: type[django_filters.FilterSet] | None,
    extra: tuple[tuple[str, django_filters.Filter], ...],
) -> type[VisibleFilterSet]:
    base = declared or VisibleFilterSet
    if not issubclass(base, VisibleFilterSet):
        base = type(base.__name__, (VisibleFilterSet, base), {})
    if not extra and declared is not None:
        return base
    meta = type("Meta", (getattr(base, "Meta", object),), {"model": model})
    if not hasattr(meta, "fields"):
        meta.fields = []
    added = {name: copy.deepcopy(one) for name, one in extra}
    return type(f"{model.__name__}Filters", (base,), {**added, "Meta": meta})

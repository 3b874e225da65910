"""Find what the rows of a model can be asked about.

Own fields (those that the list's columns and the form show), fields of a related row
one step away, and the filters that upper apps registered. What a person may not see
does not exist for them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import django_filters
from django.db import models
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, VisibleQuerySet, can, is_hidden
from crm.custom.conditions import custom_conditions
from crm.generic import condition_fields as kinds
from crm.generic import condition_relations as relations
from crm.generic import formats
from crm.generic.condition_fields import ConditionField
from crm.generic.registry import registry

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

TIMES = ("created_at", "updated_at")


def fields_for(pages: Pages, user: User) -> dict[str, ConditionField]:
    """Return {key: field} of all that one person may ask the rows of a list."""
    found: dict[str, ConditionField] = {}
    own = list(shown_fields(pages, user))
    for key, label, field in own:
        made = made_of(key, label, field, user)
        if made is not None:
            found[key] = made
    for key, label, field in own:
        if isinstance(field, models.ForeignKey) and key in found:
            found |= fields_behind(key, label, field.related_model, user)
    found |= custom_conditions(pages.model, user)
    for name, one in registry.filters.get(pages.model, {}).items():
        if one.visible(user):
            made = made_of_filter(pages.model, name, one.filter, user)
            if made is not None:
                found[name] = made
    return found


def shown_fields(pages: Pages, user: User) -> Iterator[tuple[str, str, models.Field]]:
    """Yield (key, label, model field) of what the columns and the form show."""
    table = pages.make_table()
    hidden = {
        one.key for one in table.all_columns if not one.visible(user, pages.model)
    }
    seen = set()
    labels = {
        one.key: one.heading(pages.model)
        for one in table.all_columns
        if one.key not in hidden
    }
    names = list(pages.form.base_fields) if pages.form is not None else []
    for key in [*labels, *names, *TIMES]:
        field = formats.field_of(pages.model, key)
        if field is None or key in seen or key in hidden:
            continue
        if is_hidden(user, pages.model, key):
            continue
        seen.add(key)
        yield key, labels.get(key) or capfirst(str(field.verbose_name)), field


def made_of(
    key: str, label: str, field: models.Field, user: User
) -> ConditionField | None:
    """Return the condition field that suits a model field, or None."""
    options: dict[str, Any] = {"can_be_empty": field.null or field.blank}
    if isinstance(field, models.ForeignKey | models.ManyToManyField):
        return made_of_relation(key, label, field, user)
    if isinstance(field, models.BooleanField):
        return kinds.BooleanField(key, label, can_be_empty=field.null)
    if field.choices:
        is_text = isinstance(field, models.CharField | models.TextField)
        return kinds.ChoiceField(
            key, label, options=field.flatchoices, is_text=is_text, **options
        )
    if isinstance(field, models.DateField):
        has_time = isinstance(field, models.DateTimeField)
        return kinds.DayField(key, label, has_time=has_time, can_be_empty=field.null)
    if isinstance(field, models.IntegerField | models.DecimalField | models.FloatField):
        return kinds.NumberField(key, label, can_be_empty=field.null)
    if isinstance(field, models.CharField | models.TextField):
        return kinds.TextField(key, label, **options)
    return None


def made_of_relation(
    key: str, label: str, field: Any, user: User
) -> ConditionField | None:
    """Return the field for a relation whose rows the person may see."""
    target = field.related_model
    rows = target._default_manager.all()
    if not isinstance(rows, VisibleQuerySet) or not can(user, Verb.VIEW, target):
        return None
    if isinstance(field, models.ManyToManyField):
        return relations.TagsField(key, label, field=field)
    return relations.RelationField(key, label, target=target, can_be_empty=field.null)


class FieldBehind(ConditionField):
    """A field of a related row; rows that the reader may not see never fit."""

    group = "related"

    def __init__(
        self, path: str, label: str, inner: ConditionField, target: type[models.Model]
    ) -> None:
        super().__init__(f"{path}__{inner.key}", label)
        self.path, self.inner, self.target = path, inner, target
        self.kind, self.operators = inner.kind, inner.operators

    def __getattr__(self, name: str) -> Any:
        """Ask the field itself for what only it knows."""
        return getattr(self.inner, name)

    def offered(self) -> list[tuple[str, Any]]:
        return self.inner.offered()

    def q(self, operator: str, values: list[str], user: User) -> Q:
        condition = self.inner.q(operator, values, user)
        rows = self.target._default_manager.visible_to(user).filter(condition)
        return Q(**{f"{self.path}__in": rows.order_by().values("pk")})

    def words(self, operator: str, values: list[str], user: User) -> str:
        return self.inner.words(operator, values, user)

    def choices(self, values: Any, user: User) -> list[tuple[str, Any]]:
        return self.inner.choices(values, user)


def fields_behind(
    path: str, relation: str, target: type[models.Model], user: User
) -> dict[str, ConditionField]:
    """Return the fields of a related row, custom ones too."""
    pages = registry.pages_of(target)
    if pages is None:
        return {}
    found = {}
    for key, label, field in shown_fields(pages, user):
        inner = made_of(key, label, field, user)
        if inner is not None:
            name = f"{relation}: {label}"
            found[f"{path}__{key}"] = FieldBehind(path, name, inner, target)
    for inner in custom_conditions(target, user).values():
        name = f"{relation}: {inner.label}"
        found[f"{path}__{inner.key}"] = FieldBehind(path, name, inner, target)
    return found


def filtered(model: type[models.Model], one: Any, value: Any) -> Q:
    """Return a registered filter's answer as a condition."""
    rows = one.filter(model._default_manager.all(), value)
    return Q(pk__in=rows.order_by().values("pk"))


class RegisteredChoice(kinds.ChoiceField):
    """A class that an upper app found for the row, such as its segment."""

    group = "analysis"
    answer: Any = None

    def one_of(self, values: list[str]) -> Q:
        found = Q(pk__in=[])
        for value in values:
            found |= self.answer(value)
        return found

    def empty(self) -> Q:
        return ~self.one_of(list(self.options))


class RegisteredBoolean(kinds.BooleanField):
    """Yes or no, as an upper app finds it."""

    group = "analysis"
    operators = ("is",)
    answer: Any = None

    def one_of(self, values: list[str]) -> Q:
        return self.answer(values[0] == "yes")


class RegisteredNumber(kinds.NumberField):
    """A figure that an upper app computed for the row, such as its value."""

    group = "analysis"
    answer: Any = None

    def span(self, low: Any, high: Any) -> Q:
        return self.answer(slice(low, high))

    def empty(self) -> Q:
        lowest = -kinds.number_of("1" + "0" * 19)
        return ~self.span(lowest, None)


class RegisteredRelation(relations.RelationField):
    """Another row that an upper app suggests for this one."""

    group = "analysis"
    operators = ("any", "none")
    answer: Any = None

    def one_of(self, rows: dict, values: list[str], user: User) -> Q:
        found = Q(pk__in=[])
        for row in rows.values():
            found |= self.answer(row)
        return found


def made_of_filter(
    model: type[models.Model], name: str, one: django_filters.Filter, user: User
) -> ConditionField | None:
    """Return the condition field that asks a registered filter."""
    label = str(one.label or name)
    one = copy.deepcopy(one)
    # A filter asks its set of filters who reads.
    one.parent = SimpleNamespace(request=SimpleNamespace(user=user))
    if isinstance(one, django_filters.ModelChoiceFilter):
        target = one.extra["queryset"].model
        made = RegisteredRelation(name, label, target=target)
    elif isinstance(one, django_filters.ChoiceFilter):
        made = RegisteredChoice(name, label, options=one.extra["choices"])
    elif isinstance(one, django_filters.BooleanFilter):
        made = RegisteredBoolean(name, label)
    elif isinstance(one, django_filters.RangeFilter):
        made = RegisteredNumber(name, label)
    else:
        return None
    made.answer = partial(filtered, model, one)
    return made


GROUPS = (
    ("own", ""),
    ("custom", _("Custom fields")),
    ("related", _("Related rows")),
    ("analysis", _("Analyses")),
)


def grouped(fields: dict[str, ConditionField]) -> list[tuple[str, list]]:
    """Return the fields as a select shows them: (heading, fields by label)."""
    found = []
    for group, heading in GROUPS:
        inside = [one for one in fields.values() if one.group == group]
        if inside:
            found.append((heading, inside))
    return found

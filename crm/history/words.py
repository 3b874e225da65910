"""Put the history into words of the reader's language."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Scope, Verb, VisibleQuerySet, hidden_fields, scope_of
from crm.custom.definitions import definitions, takes_custom
from crm.custom.kinds import ReferenceKind, kind_of
from crm.generic import formats
from crm.history import plan
from crm.history.tables import silent_columns, tracked_models
from crm.models import AuditEntry, ChangeVerb, DeletedRow

if TYPE_CHECKING:
    from crm.models import Change, CustomField, Operation, User

CUSTOM = "custom"
REASONS = {
    plan.CHANGED: gettext_lazy("It was changed again later."),
    plan.NEEDED: gettext_lazy("Other rows depend on it now."),
    plan.PARENT: gettext_lazy("What it belongs to is gone."),
    plan.PART: gettext_lazy("It belongs to a row that stays."),
    plan.TAKEN: gettext_lazy("Another row has taken its place."),
    plan.GONE: gettext_lazy("It is gone."),
    plan.REACH: gettext_lazy("You may not do this with it."),
    plan.KEPT: gettext_lazy("It would change a field that your role does not change."),
}
ACTIONS = {
    plan.REMOVE: gettext_lazy("is taken away"),
    plan.CHANGE: gettext_lazy("gets its old values"),
    plan.RESTORE: gettext_lazy("comes back"),
}
COUNTS = """
    SELECT operation_id, model, verb, sum(CASE WHEN verb = 'add'
        THEN (SELECT sum(upper(ids) - lower(ids)) FROM unnest(added) ids) ELSE 1 END)
    FROM crm_change WHERE operation_id = ANY(%s) GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC
"""


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after."""

    label: str
    old: str
    new: str


class Values:
    """Stored values as the reader knows them; rows that are hidden stay hidden."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.names: dict[type[models.Model], dict[int, str]] = {}

    def collect(self, changes: Iterable[Change]) -> None:
        """Look up the names of all rows that the changes speak of, once per model."""
        wanted: dict[type[models.Model], set[int]] = defaultdict(set)
        for change in changes:
            links = links_by_column(change.model)
            for values in (change.old or {}, change.new or {}):
                for column, value in values.items():
                    if column in links and isinstance(value, int):
                        wanted[links[column]].add(value)
        for model, ids in wanted.items():
            self.names[model] = names_of(model, ids, self.user)

    def describe(self, change: Change) -> list[FieldChange]:
        """Return the fields that a change is about, in the order of the model."""
        model = tracked_models().get(change.model)
        if model is None:
            return []
        silent = silent_columns(model)
        hidden = hidden_fields(self.user, model)
        new = change.new or {}
        found = [
            FieldChange(
                capfirst(str(one.verbose_name)),
                self.words(model, one, (change.old or {}).get(one.column)),
                self.words(model, one, new[one.column]),
            )
            for one in model._meta.concrete_fields
            if one.column in new
            and one.column not in silent | {CUSTOM}
            and one.name not in hidden
        ]
        return found + self.describe_custom(model, change)

    def describe_custom(
        self, model: type[models.Model], change: Change
    ) -> list[FieldChange]:
        """Return the custom fields that a change is about, retired ones too."""
        if not takes_custom(model) or CUSTOM not in (change.new or {}):
            return []
        if CUSTOM in hidden_fields(self.user, model):
            return []
        old = (change.old or {}).get(CUSTOM) or {}
        new = change.new[CUSTOM] or {}
        known = {one.key: one for one in definitions(model)}
        found = []
        for key in sorted({*old, *new}, key=lambda key: [*known, key].index(key)):
            if old.get(key) == new.get(key):
                continue
            one = known.get(key)
            label = one.title if one else _("A custom field that is gone")
            pair = (self.custom_words(one, values.get(key)) for values in (old, new))
            found.append(FieldChange(label, *pair))
        return found

    def custom_words(self, one: CustomField | None, value: Any) -> str:
        """Return one value of a custom field."""
        if value is None:
            return ""
        kind = kind_of(one) if one else None
        if isinstance(kind, ReferenceKind) and isinstance(value, int):
            known = names_of(kind.target, [value], self.user)
            return known.get(value) or _("a row that you may not see")
        return kind.words(value) if kind else formats.short(value)

    def words(self, model: type[models.Model], one: models.Field, value: Any) -> str:
        """Return one value."""
        if value is None or value == "":
            return ""
        if isinstance(one, models.ForeignKey):
            known = self.names.get(one.related_model, {})
            return known.get(value) or _("a row that you may not see")
        if isinstance(value, dict | list):
            return formats.short(json.dumps(value, ensure_ascii=False))
        labels = formats.words_of(model, one.name)
        if value in labels:
            return labels[value]
        try:
            return formats.short(one.to_python(value))
        except ValidationError:
            return formats.short(value)


def links_by_column(label: str) -> dict[str, type[models.Model]]:
    """Return {column: model} of the foreign keys of a model."""
    model = tracked_models().get(label)
    if model is None:
        return {}
    return {one.column: one.related_model for one in plan.links_of(model)}


def names_of(
    model: type[models.Model], ids: Iterable[int], user: User
) -> dict[int, str]:
    """Return {id: name} of the rows that the person may see."""
    rows = model._base_manager.filter(pk__in=list(ids))
    manager = model._default_manager
    if isinstance(manager.get_queryset(), VisibleQuerySet):
        rows = manager.visible_to(user).filter(pk__in=list(ids))
    return {row.pk: str(row) for row in rows}


def kept_rows(gone: Iterable[Change]) -> models.QuerySet:
    """Return what the trash still has of deleted rows."""
    gone = list(gone)
    return DeletedRow.objects.filter(
        operation__in={one.operation_id for one in gone},
        object_id__in={one.object_id for one in gone},
    )


def name_of(model: type[models.Model], row: dict[str, Any]) -> str:
    """Return what a deleted row was called."""
    values = {}
    for one in model._meta.concrete_fields:
        if one.column in row and not one.generated:
            try:
                values[one.attname] = one.to_python(row[one.column])
            except ValidationError:
                continue
    if model.text_field:
        return str(values.get(model.text_field, ""))
    try:
        return str(model(**values))
    except models.ObjectDoesNotExist:
        # It is called after another row, which is gone, too.
        return str(model._meta.verbose_name)


@dataclass
class Line:
    """An operation as a line of the list."""

    operation: Operation
    title: str
    counts: list[str] = field(default_factory=list)
    undone_by: Operation | None = None

    @property
    def summary(self) -> str:
        """Return what became of how many rows."""
        return " · ".join(self.counts)


def lines_of(operations: list[Operation]) -> list[Line]:
    """Return operations with their titles, counts, and what undid them."""
    entries = AuditEntry.objects.filter(
        operation__in=[one.number for one in operations]
    )
    first = {
        entry.operation: entry
        for entry in entries.order_by("operation", "pk").distinct("operation")
    }
    counts = counts_of(operations)
    model = type(operations[0]) if operations else None
    undos = {}
    if model is not None:
        found = model.objects.filter(undo_of__in=operations).select_related("actor")
        undos = {one.undo_of_id: one for one in found}
    return [
        Line(
            one,
            title_of(one, first.get(one.number)),
            counts.get(one.pk, []),
            undos.get(one.pk),
        )
        for one in operations
    ]


def title_of(operation: Operation, entry: AuditEntry | None) -> str:
    """Return what the operation is known by."""
    from crm.generic.history import verb_of  # it reads changes in words itself

    if operation.title:
        return operation.title
    if entry is not None:
        return f"{verb_of(entry.verb)}: {_(entry.object_text)}"
    return capfirst(str(operation.get_kind_display()))


def counts_of(operations: list[Operation]) -> dict[int, list[str]]:
    """Return {operation: what became of how many rows}."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [[one.pk for one in operations]])
        rows = cursor.fetchall()
    found: dict[int, list[str]] = defaultdict(list)
    for pk, label, verb, number in rows:
        model = tracked_models().get(label)
        if model is not None:
            found[pk].append(count_words(model, verb, int(number)))
    return found


def count_words(model: type[models.Model], verb: str, number: int) -> str:
    """Return for example "3 tags added"."""
    meta = model._meta
    # The table of a many-to-many field has a name of its own only in the code.
    if meta.auto_created:
        name = _("links")
    else:
        name = str(meta.verbose_name if number == 1 else meta.verbose_name_plural)
    return _("%(number)s %(rows)s %(verb)s") % {
        "number": formats.plain(number),
        "rows": name,
        "verb": ChangeVerb(verb).label,
    }


def sees_all(user: User) -> bool:
    """Tell whether the person looks at everybody's operations."""
    from crm.models import Operation

    return scope_of(user, Verb.VIEW, Operation) == Scope.ALL

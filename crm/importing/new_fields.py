"""Columns of a file that match no field: offered, planned and kept as custom fields.

A run says ``mapping[header] = NEW`` and ``options["new_fields"][header]`` is
{"label", "kind"}; once the fields are there, its mapping names them instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, zip_longest
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.custom.adding import column_of, reserve
from crm.custom.definitions import takes_custom
from crm.custom.guessing import guess_kind, label_from
from crm.custom.labels import free_label, taken_labels
from crm.importing import files
from crm.importing.cells import Habits
from crm.importing.dialects import Dialect
from crm.importing.errors import ImportRefused
from crm.importing.importer import KEEP, NEW, Importer
from crm.importing.mapping import Suggestion, names_of, normal
from crm.importing.plan import Plan, as_bool
from crm.importing.reader import Table
from crm.importing.work import Work
from crm.models import CustomField, FieldKind, ImportProfile, ImportRun
from crm.models.custom import PREFIX

OPTION = "new_fields"
# So many rows tell of which kind a column is.
LOOK_ROWS = 200


def proposals(
    run: ImportRun, model: type[models.Model], columns: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    """Return {header: {"label", "kind"}} of what columns would become.

    ``columns`` is {header: cells}. What was chosen counts, else header and cells.
    """
    chosen, habits = run.options.get(OPTION, {}), habits_of(run)
    taken = taken_labels(model)
    found = {}
    for header, cells in columns.items():
        one = dict(chosen.get(header, {}))
        if not one.get("label"):
            one["label"] = free_label(label_from(header), taken)
        if not one.get("kind"):
            one["kind"] = str(guess_kind(header, cells, habits))
        found[header] = one
    return found


def habits_of(run: ImportRun) -> Habits:
    """Return how the file of a run writes numbers and dates, as chosen or guessed."""
    return Habits(
        zone=ZoneInfo(settings.TIME_ZONE),
        decimal=str(run.options.get("decimal", ".")),
        day_first=as_bool(run.options.get("day_first", False)),
    )


def unknown(header: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """Return the columns that no field is chosen for."""
    return [name for name in header if mapping.get(name, "") in ("", NEW)]


def plan_fields(run: ImportRun, plan: Plan) -> list[CustomField]:
    """Return the fields that the run makes, and let the plan fill them.

    Raises ImportRefused where a field cannot be made.
    """
    headers = [name for name in plan.header if plan.mapping.get(name) == NEW]
    if headers and not can_take(plan.importer):
        raise ImportRefused(no_custom_fields(plan.importer))
    chosen = plan.options.get(OPTION, {})
    wanted = {
        name: {"label": label_from(name), "kind": "text", **chosen.get(name, {})}
        for name in headers
    }
    fields = reserve(plan.importer.model, wanted, run.owner)
    plan.new_columns = {name: column_of(one) for name, one in fields.items()}
    return list(fields.values())


def settle(run: ImportRun, work: Work) -> None:
    """Let the run, and what is remembered of its layout, name the fields made."""
    if not work.new_fields:
        return
    old = dict(run.mapping)
    made = iter(work.new_fields)
    run.mapping = {
        name: next(made).name if old.get(name) == NEW else old[name]
        for name in run.header
        if name in old
    }
    run.options = {k: value for k, value in run.options.items() if k != OPTION}
    kept = ImportProfile.objects.filter(owner=run.owner, importer=run.importer)
    kept.filter(mapping=old).update(mapping=run.mapping, options=run.options)


def still_true(importer: Importer, found: Suggestion) -> Suggestion:
    """Leave out of a remembered mapping what is no longer there.

    A column that was to become a custom field goes into the one of its name, if
    somebody made it meanwhile.
    """
    names = {one.key: names_of(one) for one in importer.all_columns}
    chosen = found.options.get(OPTION, {})
    mapping = {}
    for header, key in found.mapping.items():
        if key == NEW:
            label = normal(chosen.get(header, {}).get("label", header))
            same = [
                one
                for one, known in names.items()
                if label in known and one not in mapping.values()
            ]
            mapping[header] = same[0] if same else NEW
        elif key == KEEP or key in names or not key.startswith(PREFIX):
            mapping[header] = key
    found.mapping = mapping
    return found


def can_take(importer: Importer) -> bool:
    """Tell whether columns of a file can become custom fields of the importer's."""
    return importer.fills_custom and takes_custom(importer.model)


def no_custom_fields(importer: Importer) -> str:
    """Say that the rows of an import take no custom fields."""
    return _("%(rows)s take no custom fields.") % {
        "rows": capfirst(str(importer.model._meta.verbose_name_plural))
    }


def propose(
    run: ImportRun, model: type[models.Model], wanted: Sequence[str], *, every: bool
) -> None:
    """Let columns of a run's file become custom fields, as the command names them.

    ``wanted`` are texts COLUMN or COLUMN=KIND; ``every`` takes all that match no field.
    """
    kinds = dict(
        (text, "") if text in run.header or "=" not in text else text.rsplit("=", 1)
        for text in wanted
    )
    if every:
        kinds = dict.fromkeys(unknown(run.header, run.mapping), "") | kinds
    if not kinds:
        return
    with files.local(run.file_path) as path:
        table = Table(path, Dialect.load(run.dialect))
        rows = table.sample(LOOK_ROWS).rows
    columns = cells_of(table.header, rows)
    run.mapping |= dict.fromkeys(kinds, NEW)
    run.options[OPTION] = {name: {"kind": kind} for name, kind in kinds.items() if kind}
    wanted = {name: columns.get(name, ()) for name in kinds}
    run.options[OPTION] = proposals(run, model, wanted)


def cells_of(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Return {header: the cells below it}."""
    columns = zip_longest(*rows, fillvalue="")
    pairs = islice(zip_longest(header, columns, fillvalue=()), len(header))
    return dict(pairs)


def in_words(run: ImportRun) -> str:
    """Return the custom fields that a run would make, each with its kind."""
    labels = dict(FieldKind.choices)
    chosen = run.options.get(OPTION, {})
    return ", ".join(
        f"{chosen[name]['label']} ({labels.get(chosen[name]['kind'], '?')})"
        for name in run.header
        if run.mapping.get(name) == NEW and name in chosen
    )

"""What a role may do, as one flat table: {"app.model:verb": scope, "app.model#field":
mode}. The page shows it, the person sends it back, and two of them are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.access import ANY_MODEL, Scope, Verb, paths_of
from crm.generic.registry import registry
from crm.models import FieldMode, Role

if TYPE_CHECKING:
    from crm.generic.pages import Pages

State = dict[str, str]
# Told by pages that do not exist: without an importer nobody imports.
PAGE_OF_VERB = {Verb.IMPORT: "import", Verb.EXPORT: "export"}
# What no rule can keep back: the row's key, whose it is, and when it was written.
UNRULED = {"id", "is_demo", "created_at", "updated_at", "password"}


def all_roles() -> list[Role]:
    """Return the roles in the order of their making."""
    return list(Role.objects.all())


def state_of(role: Role) -> State:
    """Return the stored rights and field rules of a role."""
    grants = role.grants.values_list("model", "verb", "scope")
    rules = role.field_rules.values_list("model", "field", "mode")
    return {f"{model}:{verb}": scope for model, verb, scope in grants} | {
        f"{model}#{name}": mode for model, name, mode in rules
    }


@cache
def controlled_models() -> dict[str, type[models.Model]]:
    """Return {label: model} of all models that rights are asked about."""
    return {
        model._meta.label_lower: model
        for model in apps.get_models()
        if hasattr(model, "access_path") or getattr(model, "access_shared", False)
    }


def ruled_fields(pages: Pages) -> dict[str, str]:
    """Return {field: label} of what can be kept from a role."""
    model = pages.model
    kept = {*UNRULED, *naming_fields(pages)}
    kept |= {path.partition("__")[0] for path in paths_of(model)}
    return {
        one.name: capfirst(str(one.verbose_name))
        for one in [*model._meta.fields, *model._meta.many_to_many]
        if one.editable and one.name not in kept
    }


def modes() -> list[tuple[str, Any]]:
    """Return what a rule can say of a field."""
    return [("", _("open")), *FieldMode.choices]


def naming_fields(pages: Pages) -> set[str]:
    """Return the fields that a row is called after, which is shown everywhere."""
    from crm.search.declaration import search_of

    search, model = search_of(pages.model), pages.model
    named = set(search.title if search else ()) | set(getattr(model, "name_fields", ()))
    return named | {getattr(model, "text_field", "") or ""}


@cache
def ruled_keys() -> frozenset[str]:
    """Return the keys of all fields that can be kept from a role."""
    return frozenset(
        f"{pages.model._meta.label_lower}#{name}"
        for pages in registry.pages.values()
        for name in ruled_fields(pages)
    )


def is_valid(key: str, value: str) -> bool:
    """Tell whether a key and its value, or no value, can be stored."""
    label, is_rule, _name = key.partition("#")
    if is_rule:
        return key in ruled_keys() and value in dict(modes())
    label, _colon, verb = key.partition(":")
    known = label == ANY_MODEL or label in controlled_models()
    return known and verb in Verb.values and value in ("", *Scope.values)


def in_words(key: str) -> str:
    """Return what a key is about: "Tags: export"."""
    label, is_rule, name = key.partition("#")
    label, _colon, verb = label.partition(":")
    rows = name_of(label)
    if is_rule:
        return f"{rows}: {field_label(label, name)}"
    return f"{rows}: {Verb(verb).label if verb in Verb.values else verb}"


def value_in_words(key: str, value: str) -> str:
    """Return a scope or a mode as people read it."""
    if not value:
        return str(_("open")) if "#" in key else "–"
    words = dict(FieldMode.choices if "#" in key else Scope.choices)
    return str(words.get(value, value))


def name_of(label: str) -> str:
    """Return what the rows of a model are called."""
    if label == ANY_MODEL:
        return str(_("Every kind of row"))
    model = controlled_models().get(label)
    return capfirst(str(model._meta.verbose_name_plural)) if model else label


def field_label(label: str, name: str) -> str:
    """Return what a field is called."""
    model = controlled_models().get(label)
    pages = registry.pages_of(model) if model else None
    return ruled_fields(pages).get(name, name) if pages else name


# --- For the page ---------------------------------------------------------------------


@dataclass
class Cell:
    """One select: its name, its choices, and whether it is as it was stored."""

    key: str
    label: str
    value: str
    choices: list[tuple[str, Any]]
    is_changed: bool = False


@dataclass
class Line:
    """One model; a cell per verb, None where the verb makes no sense."""

    label: str
    cells: list[tuple[str, Cell | None]] = field(default_factory=list)


@dataclass
class Section:
    """The models of one app."""

    key: str
    title: str
    lines: list[Line]

    @property
    def is_used(self) -> bool:
        """Tell whether the role may do anything here."""
        cells = [cell for line in self.lines for _verb, cell in line.cells if cell]
        return any(cell.value or cell.is_changed for cell in cells)


def sections(state: Mapping[str, str], stored: Mapping[str, str]) -> list[Section]:
    """Return the matrix of a role, grouped by app, "every kind" first."""
    found = [Section("any", _("Everything"), [line_of(ANY_MODEL, state, stored)])]
    # The framework's own rows are the last that anybody looks for.
    for config in sorted(apps.get_app_configs(), key=lambda one: one.label == "crm"):
        lines = [
            line_of(label, state, stored)
            for label, model in controlled_models().items()
            if model._meta.app_config is config
        ]
        lines.sort(key=lambda line: line.label)
        if lines:
            found.append(Section(config.label, str(config.verbose_name), lines))
    return found


def line_of(label: str, state: Mapping[str, str], stored: Mapping[str, str]) -> Line:
    """Return the cells of one model."""
    line = Line(name_of(label))
    for verb in Verb:
        key = f"{label}:{verb}"
        value = state.get(key, "")
        cell = None
        if value or stored.get(key) or makes_sense(label, verb):
            cell = Cell(key, f"{line.label}: {verb.label}", value, [])
            cell.choices = scopes_for(label, value)
            cell.is_changed = value != stored.get(key, "")
        line.cells.append((str(verb.label), cell))
    return line


def scopes_for(label: str, value: str) -> list[tuple[str, Any]]:
    """Return the scopes that differ for a model: rows of nobody are open or not."""
    model = controlled_models().get(label)
    choices = [("", "–"), *Scope.choices]
    if model is None or not getattr(model, "access_shared", False):
        return choices
    return [one for one in choices if one[0] in ("", Scope.ALL, value)]


@cache
def makes_sense(label: str, verb: str) -> bool:
    """Tell whether the verb can be used on rows of the model at all."""
    model = controlled_models().get(label)
    pages = registry.pages_of(model) if model else None
    page = PAGE_OF_VERB.get(verb)
    return page is None or pages is None or page in pages.routes()


def rules(state: Mapping[str, str], stored: Mapping[str, str]) -> list[Cell]:
    """Return the field rules of a role, those just lifted, too."""
    keys = sorted({key for key in (*state, *stored) if "#" in key}, key=in_words)
    return [
        Cell(
            key,
            in_words(key),
            state.get(key, ""),
            modes(),
            state.get(key, "") != stored.get(key, ""),
        )
        for key in keys
    ]


def free_fields(state: Mapping[str, str]) -> Iterator[tuple[str, list]]:
    """Yield (model, [(key, field), …]) of the fields that no rule speaks of yet."""
    for pages in registry.pages.values():
        label = pages.model._meta.label_lower
        offered = [
            (f"{label}#{name}", words)
            for name, words in ruled_fields(pages).items()
            if f"{label}#{name}" not in state
        ]
        if offered:
            yield name_of(label), offered

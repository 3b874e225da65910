"""Importers: what can be filled from a flat file, declared in ``<app>/imports.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can, is_among, read_only_fields
from crm.custom.importing import import_columns
from crm.importing.cells import Column

if TYPE_CHECKING:
    from crm.importing.work import Work
    from crm.models import User

# A mapping may send any number of headers here: they are kept as they are.
KEEP = "details"
# … or here: each becomes a custom field of its own (crm/custom/adding.py).
NEW = "new"


class Mode:
    """What an import does with rows that exist and rows that do not."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    choices = (
        (UPSERT, _("Add new rows and change those that exist")),
        (CREATE, _("Only add new rows")),
        (UPDATE, _("Only change rows that exist")),
    )
    values = (UPSERT, CREATE, UPDATE)


@dataclass(frozen=True)
class Profile:
    """How one kind of file fills an importer.

    ``mapping`` is {header: column key}; ``constants`` are cells that every row has;
    ``options`` are time_zone, decimal and day_first, and what the importer knows.
    """

    code: str
    label: Any
    mapping: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    # False for layouts so plain that other files have them too.
    by_header: bool = True


class Importer:
    """What one kind of file can fill: columns, how rows are recognised, rights.

    ``model`` is the main thing, for which the verb ``import`` is needed; ``creates``
    are further models that rows may be added to. ``match_on`` lists the ways in which
    a row is recognised, each a tuple of column keys, the surest first: the first whose
    cells are filled decides.
    """

    name: ClassVar[str]
    label: ClassVar[Any]
    model: ClassVar[type[models.Model]]
    aliases: ClassVar[tuple[str, ...]] = ()
    creates: ClassVar[tuple[type[models.Model], ...]] = ()
    columns: ClassVar[Sequence[Column]] = ()
    match_on: ClassVar[Sequence[tuple[str, ...]]] = ()
    profiles: ClassVar[Sequence[Profile]] = ()
    keeps_details: ClassVar[bool] = False
    # Whether custom fields of the model can be filled, too.
    fills_custom: ClassVar[bool] = False
    help: ClassVar[Any] = ""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Return the declared columns and those of custom fields."""
        custom = import_columns(self.model) if self.fills_custom else ()
        return (*self.columns, *custom)

    @property
    def by_key(self) -> dict[str, Column]:
        """Return the columns by key."""
        return {column.key: column for column in self.all_columns}

    def profile(self, code: str) -> Profile | None:
        """Return a shipped profile."""
        return next((one for one in self.profiles if one.code == code), None)

    def missing_rights(self, user: User | None) -> list[type[models.Model]]:
        """Return the models for which the person lacks the right to do this."""
        if user is None:
            return []
        lacking = [] if can(user, Verb.IMPORT, self.model) else [self.model]
        return lacking + [
            model
            for model in self.creates
            if not (can(user, Verb.ADD, model) or can(user, Verb.IMPORT, model))
        ]

    def columns_for(self, user: User | None) -> list[Column]:
        """Return the columns that a person may fill; None is the program itself."""
        if user is None:
            return list(self.all_columns)
        kept = {
            name
            for model in (self.model, *self.creates)
            for name in read_only_fields(user, model)
        }
        return [
            column
            for column in self.all_columns
            if column.required
            or not any(is_among(one, kept) for one in (column.key, *column.fills))
        ]

    def check_mapping(self, keys: set[str]) -> str:
        """Return what is still missing in a mapping, or an empty text."""
        for column in self.all_columns:
            if column.required and column.key not in keys:
                return str(
                    _("No column of the file is chosen for “%s”.") % column.label
                )
        return ""

    def constants_for(self, file_name: str) -> dict[str, str]:
        """Return cells that the name of the file tells; given ones win."""
        return {}

    def default_constants(self, keys: set[str]) -> dict[str, str]:
        """Return cells that follow from what is mapped; given ones win."""
        if "external_id" in keys and "external_system" in self.by_key:
            return {"external_system": "import"}
        return {}

    def reject_columns(self, work: Work) -> list[tuple[str, str]]:
        """Return (header, SQL over the staged row s) to add to the rejected rows."""
        return []

    def prepare(self, work: Work) -> None:
        """Recognise, check and compare: fill the work tables, reject, count."""
        raise NotImplementedError

    def write(self, work: Work) -> None:
        """Write what prepare() found, in the same transaction; not in a dry run."""
        raise NotImplementedError


_importers: dict[str, Importer] = {}


def register_importer(importer_class: type[Importer]) -> type[Importer]:
    """Make an importer known by its name and aliases (class decorator)."""
    importer = importer_class()
    for name in (importer.name, *importer.aliases):
        known = _importers.get(name)
        if known is not None and type(known).__module__ != importer_class.__module__:
            msg = f"Two importers are called {name!r}."
            raise ImproperlyConfigured(msg)
        _importers[name] = importer
    return importer_class


def get_importer(name: str) -> Importer | None:
    """Return the importer of a name or alias, in any case."""
    return _importers.get(name.lower().strip())


def all_importers() -> list[Importer]:
    """Return each importer once, in the sequence of the apps."""
    return list({id(one): one for one in _importers.values()}.values())

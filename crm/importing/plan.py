"""Everything decided before the first row is read: mapping, constants, options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.utils.translation import gettext as _

from crm.importing.cells import Bad, Cleaner, Column, Habits
from crm.importing.columns import Boolean
from crm.importing.errors import ImportRefused
from crm.importing.importer import KEEP, NEW, Importer

OPTIONS = ("time_zone", "decimal", "day_first")


@dataclass
class Plan:
    """Which column goes where, and what every row has besides."""

    importer: Importer
    header: list[str]
    mapping: Mapping[str, str]
    constants: dict[str, str | None] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    # {header: what fills a custom field that the import makes}
    new_columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        importer: Importer,
        header: list[str],
        mapping: Mapping[str, str],
        constants: Mapping[str, str],
        options: Mapping[str, Any],
    ) -> Plan:
        """Return a plan that can be carried out; raise ImportRefused with why not."""
        mapping = {name: key for name, key in mapping.items() if key}
        plan = cls(importer, header, mapping, options=dict(options))
        plan._check_names()
        plan._clean_constants(constants)
        defaults = importer.default_constants(plan.staged)
        plan._clean_constants(
            {key: cell for key, cell in defaults.items() if key not in plan.staged}
        )
        missing = importer.check_mapping(plan.staged)
        if missing:
            raise ImportRefused(missing)
        return plan

    def _check_names(self) -> None:
        for name in self.mapping:
            if name not in self.header:
                raise ImportRefused(
                    _("The file has no column “%(name)s”.") % {"name": name}
                )
        keys = [key for key in self.mapping.values() if key not in (KEEP, NEW)]
        for key in keys:
            if key not in self.importer.by_key:
                raise ImportRefused(_("There is no field “%(key)s”.") % {"key": key})
            if keys.count(key) > 1:
                label = self.importer.by_key[key].label
                raise ImportRefused(
                    _("Two columns of the file are chosen for “%(label)s”.")
                    % {"label": label}
                )

    def _clean_constants(self, constants: Mapping[str, str]) -> None:
        """Clean what every row has by the rules of its column."""
        for key, cell in constants.items():
            column = self.importer.by_key.get(key)
            if column is None:
                raise ImportRefused(_("There is no field “%(key)s”.") % {"key": key})
            if key in self.mapping.values() or not str(cell).strip():
                continue
            value = Cleaner(column, self.habits).memo[str(cell)]
            if type(value) is Bad:
                raise ImportRefused(f"{column.label}: {value}")
            self.constants[key] = value

    @property
    def staged(self) -> set[str]:
        """Return the keys that have values."""
        given = {key for key in self.mapping.values() if key not in (KEEP, NEW)}
        new = {column.key for column in self.new_columns.values()}
        return given | new | set(self.constants)

    @property
    def columns(self) -> list[Column]:
        """Return all columns that there could be, those of new fields too."""
        return [*self.importer.all_columns, *self.new_columns.values()]

    @property
    def habits(self) -> Habits:
        """Return how the file writes numbers and dates."""
        name = self.options.get("time_zone") or settings.TIME_ZONE
        if name not in available_timezones():
            raise ImportRefused(_("There is no time zone “%(name)s”.") % {"name": name})
        return Habits(
            zone=ZoneInfo(name),
            decimal="," if self.options.get("decimal") == "," else ".",
            day_first=as_bool(self.options.get("day_first", False)),
        )

    def cleaners(self) -> dict[int, Cleaner]:
        """Return {position in the row: what cleans the cells there}."""
        places = {name: place for place, name in enumerate(self.header)}
        by_key = self.importer.by_key
        found = {
            places[name]: by_key[key]
            for name, key in self.mapping.items()
            if key not in (KEEP, NEW)
        }
        found |= {places[name]: one for name, one in self.new_columns.items()}
        return {place: Cleaner(one, self.habits) for place, one in found.items()}

    def kept(self) -> dict[int, str]:
        """Return {position in the row: name} of what is kept as it is."""
        places = {name: place for place, name in enumerate(self.header)}
        return {places[name]: name for name, key in self.mapping.items() if key == KEEP}


def as_bool(value: Any) -> bool:
    """Read a yes or no that may come from a command line."""
    return value is True or Boolean.words.get(str(value).lower()) == "true"

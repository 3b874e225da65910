"""Importers whose rows are each one object of one model."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _

from crm.access import Verb
from crm.custom.importing import find_references, values_sql
from crm.importing.columns import Email
from crm.importing.importer import Importer, Mode
from crm.importing.staging import quoted
from crm.importing.work import Work, mode_reasons, sequence

# One narrow row per row of the file; the values stay in the staging table.
PICKED = """
CREATE TEMP TABLE picked ON COMMIT DROP AS
SELECT line, kind, key, NULL::bigint AS id, 0 AS matches, false AS is_new,
    false AS is_changed
FROM (SELECT s.line, {kind} AS kind, {key} AS key FROM {staging} s WHERE NOT s.bad) x
"""
TWINS = """
SELECT line, shown, first::text FROM (
    SELECT p.line, {shown} AS shown,
        first_value(p.line) OVER (PARTITION BY {by} ORDER BY p.line) AS first
    FROM picked p JOIN {staging} s USING (line)
    WHERE NOT s.bad AND {known}
) x WHERE line <> first
"""
MATCH = """
UPDATE picked p SET id = f.id, matches = f.matches FROM (
    SELECT p.line, min(m.id) AS id, count(*) AS matches
    FROM picked p JOIN {staging} s USING (line) JOIN {target} m ON {on}
    WHERE p.kind = {kind} AND NOT s.bad GROUP BY p.line
) f WHERE f.line = p.line
"""
CHANGED = """
UPDATE picked p SET is_changed = true FROM {staging} s, {target} m
WHERE s.line = p.line AND m.id = p.id AND NOT p.is_new AND NOT s.bad
    AND ({compare})
"""
COUNT = """
SELECT count(*) FILTER (WHERE p.is_new), count(*) FILTER (WHERE p.is_changed), count(*)
FROM picked p JOIN {staging} s USING (line) WHERE NOT s.bad
"""


class RowImporter(Importer):
    """One row of the file is one row of the model.

    ``lookups`` are SQL over the staged row ``s`` for columns of the database that a
    staged column fills by way of another table: {database column: (key, SQL)}.
    ``fallbacks`` are SQL for what a new row has where the file says nothing.
    """

    fills_custom = True
    lookups: ClassVar[dict[str, tuple[str, str]]] = {}
    fallbacks: ClassVar[dict[str, str]] = {}

    def check_mapping(self, keys: set[str]) -> str:
        """Ask for a column by which rows are recognised, too."""
        missing = super().check_mapping(keys)
        if missing or any(keys.issuperset(way) for way in self.match_on):
            return missing
        labels = " · ".join(
            " + ".join(str(self.by_key[key].label) for key in way)
            for way in self.match_on
        )
        return (
            _("Choose at least one column by which rows are recognised: %s.") % labels
        )

    # --- Prepare --------------------------------------------------------------------

    def prepare(self, work: Work) -> None:
        """Recognise the rows, reject what cannot go in, and compare."""
        self.complete(work)
        work.check_owner(self.model)
        find_references(work)
        self.check(work)
        ways = [way for way in self.match_on if work.has(*way)]
        self._pick(work, ways)
        self._match(work, ways)
        self._check_reach(work)
        self._check_mode(work)
        work.run(
            f"UPDATE picked p SET is_new = true, id = {sequence(self.model)}"
            " FROM {staging} s WHERE s.line = p.line AND NOT s.bad AND p.id IS NULL"
        )
        self._compare(work)
        created, updated, total = work.fetch(COUNT)[0]
        work.counts.created, work.counts.updated = created, updated
        work.counts.unchanged = total - created - updated
        work.counts.add(self.model, created, updated)

    def complete(self, work: Work) -> None:
        """Fill staged cells that follow from others; a place for subclasses."""

    def check(self, work: Work) -> None:
        """Reject rows by rules over several columns; a place for subclasses."""

    def _pick(self, work: Work, ways: list[tuple[str, ...]]) -> None:
        """Find for each row the surest way in which it is recognised."""
        filled = [
            " AND ".join(f"s.{quoted(k)} IS NOT NULL" for k in way) for way in ways
        ]
        keys = [
            "concat_ws(E'\\x1f', " + ", ".join(map(self._comparable, way)) + ")"
            for way in ways
        ]
        kind = "".join(f" WHEN {test} THEN {n}" for n, test in enumerate(filled))
        key = "".join(
            f" WHEN {test} THEN {key}" for test, key in zip(filled, keys, strict=True)
        )
        work.run(PICKED, kind=f"CASE{kind} END", key=f"CASE{key} END")
        work.run("ANALYZE picked")
        labels = ", ".join(str(self.by_key[key].label) for way in ways for key in way)
        work.reject(
            "SELECT p.line, '', NULL FROM picked p WHERE p.kind IS NULL",
            _("The row has nothing by which it could be recognised (%s).") % labels,
        )
        self._reject_twins(work, "p.kind, p.key", "replace(p.key, E'\\x1f', ' ')")

    def _reject_twins(self, work: Work, by: str, shown: str) -> None:
        work.reject(
            TWINS,
            _("Row [other] of the file is about the same; only the first counts."),
            by=by,
            shown=shown,
            known="p.kind IS NOT NULL" if "kind" in by else "p.id IS NOT NULL",
        )

    def _comparable(self, key: str, alias: str = "s") -> str:
        name = f"{alias}.{quoted(key)}"
        is_folded = isinstance(self.by_key[key], Email)
        return f"lower({name})" if is_folded else f"{name}::text"

    def match_condition(self, key: str) -> str:
        """Return SQL that compares a staged cell with the model's column."""
        staged, stored = f"s.{quoted(key)}", f"m.{quoted(key)}"
        if isinstance(self.by_key[key], Email):
            return f"lower({stored}) = lower({staged})"
        return f"{stored} = {staged}"

    def _match(self, work: Work, ways: list[tuple[str, ...]]) -> None:
        """Find the rows that exist; reject what could be meant for several."""
        target = quoted(self.model._meta.db_table)
        for number, way in enumerate(ways):
            on = " AND ".join(self.match_condition(key) for key in way)
            work.run(MATCH, target=target, on=on, kind=str(number))
        work.reject(
            "SELECT p.line, replace(p.key, E'\\x1f', ' '), p.matches::text"
            " FROM picked p WHERE p.matches > 1",
            _("There are [other] rows that this could be; nothing was changed."),
        )
        self._reject_twins(work, "p.id", "replace(p.key, E'\\x1f', ' ')")

    def _check_reach(self, work: Work) -> None:
        """Reject rows that exist but are not the actor's to change."""
        beyond = work.out_of_reach(self.model, Verb.CHANGE, "p.id")
        if beyond:
            work.reject(
                "SELECT p.line, replace(p.key, E'\\x1f', ' '), NULL FROM picked p"
                f" WHERE p.id IS NOT NULL AND {beyond}",
                _("This exists, and it is not yours to change."),
            )

    def _check_mode(self, work: Work) -> None:
        if work.mode == Mode.UPSERT:
            return
        test = "IS NOT NULL" if work.mode == Mode.CREATE else "IS NULL"
        work.reject(
            "SELECT p.line, replace(p.key, E'\\x1f', ' '), NULL FROM picked p"
            f" WHERE p.id {test}",
            mode_reasons()[work.mode],
        )

    def _compare(self, work: Work) -> None:
        compare = [
            f"({given}) IS NOT NULL AND m.{quoted(name)} IS DISTINCT FROM ({given})"
            for name, given in self.changes(work)
        ]
        if compare:
            target = quoted(self.model._meta.db_table)
            work.run(CHANGED, target=target, compare=" OR ".join(compare))

    # --- Values -----------------------------------------------------------------------

    def values(self, work: Work) -> dict[str, str]:
        """Return {database column: SQL over the staged row s} of all that is given."""
        found = {}
        for model_field in self.model._meta.concrete_fields:
            if not model_field.is_relation and work.has(model_field.name):
                given = f"s.{quoted(model_field.name)}"
                found[model_field.column] = self._cast(model_field, given)
        if "external_system" in found:
            # A row recognised by something else keeps where it came from.
            system = found["external_system"]
            found["external_system"] = (
                f"CASE WHEN s.external_id IS NOT NULL THEN {system} END"
                if work.has("external_id")
                else system
            )
        for name, (key, expression) in self.lookups.items():
            if work.has(key):
                found[name] = expression
        if self.has_owner():
            found["owner_id"] = work.owner_id()
        if self.keeps_details:
            found["details"] = "s.details"
        custom = values_sql(work)
        if custom:
            found["custom"] = custom
        return found

    def has_owner(self) -> bool:
        """Tell whether the model's rows belong to somebody."""
        return getattr(self.model, "access_path", "") == "owner"

    def _cast(self, model_field: models.Field, given: str) -> str:
        """Return the value with the digits that the column keeps, to compare equal."""
        if isinstance(model_field, models.DecimalField):
            places = f"{model_field.max_digits},{model_field.decimal_places}"
            return f"{given}::numeric({places})"
        return given

    def changes(self, work: Work) -> Iterator[tuple[str, str]]:
        """Yield (database column, SQL) of what may change; empty cells do not count."""
        for name, given in self.values(work).items():
            if name == "owner_id":
                if not work.has("owner"):
                    continue
                given = f"CASE WHEN s.owner IS NOT NULL THEN {given} END"
            if name in ("details", "custom"):
                given = f"m.{name} || {given}"
            yield name, given

    # --- Write ------------------------------------------------------------------------

    def write(self, work: Work) -> None:
        """Add the new rows and change the others."""
        values = {"id": "p.id", **self.values(work)}
        for name, fallback in self.fallbacks.items():
            given = values.get(name)
            values[name] = f"coalesce({given}, {fallback})" if given else fallback
        if work.counts.created:
            work.insert(
                self.model,
                values,
                " FROM picked p JOIN {staging} s USING (line)"
                " WHERE p.is_new AND NOT s.bad ORDER BY p.line",
            )
        if work.counts.updated:
            self._update(work)

    def _update(self, work: Work) -> None:
        sets = [
            f"{quoted(name)} = coalesce({given}, m.{quoted(name)})"
            for name, given in self.changes(work)
        ]
        params: list[Any] = [work.now]
        work.run(
            "UPDATE {target} m SET {sets}, updated_at = %s FROM picked p, {staging} s"
            " WHERE s.line = p.line AND m.id = p.id AND p.is_changed AND NOT s.bad",
            params,
            target=quoted(self.model._meta.db_table),
            sets=", ".join(sets),
        )

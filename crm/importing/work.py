"""What an importer has in hand between the staging table and the real tables."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.access import Scope, Verb, owner_condition, scope_of
from crm.importing.importer import Importer, Mode
from crm.importing.staging import Staging, fetch_all, quoted, run_sql
from crm.models import CustomField, User


@dataclass
class Counts:
    """What became of the rows."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    objects: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, model: type[models.Model], created: int, updated: int = 0) -> None:
        """Note how many rows of a model were added and changed."""
        if created or updated:
            self.objects[model._meta.label_lower] = {
                "created": created,
                "updated": updated,
            }


@dataclass
class Work:
    """One run, as an importer sees it: the staged rows, the actor, the mode."""

    importer: Importer
    staging: Staging
    actor: User | None
    mode: str
    staged: frozenset[str]
    options: Mapping[str, Any]
    file_hash: str
    header_row: int
    # Custom fields that the import makes, with their keys but perhaps not stored yet.
    new_fields: Sequence[CustomField] = ()
    counts: Counts = field(default_factory=Counts)
    say: Callable[[str], None] = lambda text: None

    @property
    def now(self) -> Any:
        """Return the moment for the time stamps of all rows of the run."""
        return self._now

    def __post_init__(self) -> None:
        self._now = timezone.now()

    def has(self, *keys: str) -> bool:
        """Tell whether the columns are filled from the file or by a constant."""
        return self.staged.issuperset(keys)

    # --- SQL ---------------------------------------------------------------------

    def run(self, template: str, params: Sequence[Any] = (), **names: str) -> int:
        """Run a statement; {staging} is the table with the file's rows."""
        return run_sql(template, params, staging=self.staging.table, **names)

    def fetch(
        self, template: str, params: Sequence[Any] = (), **names: str
    ) -> list[tuple]:
        """Return the rows of a query."""
        return fetch_all(template, params, staging=self.staging.table, **names)

    def reject(
        self,
        select: str,
        reason: str,
        *,
        column: str = "",
        params: Sequence[Any] = (),
        **names: str,
    ) -> int:
        """Reject the rows that a query finds as (line, value, other).

        ``other`` takes the place of ``[other]`` in the reason. Rows that are bad
        already are left as they are.
        """
        found = self.run(
            "INSERT INTO {rejects} (line, col, value, reason)"
            " SELECT x.line, %s, left(coalesce(x.value, ''), 300),"
            " left(replace(%s, '[other]', coalesce(x.other, '')), 300)"
            " FROM (" + select + ") x (line, value, other)"
            " WHERE NOT EXISTS (SELECT 1 FROM {rejects} r WHERE r.line = x.line)",
            [column, reason, *params],
            rejects=self.staging.rejects,
            **names,
        )
        if found:
            self.run(
                "UPDATE {staging} s SET bad = true FROM {rejects} r"
                " WHERE r.line = s.line AND NOT s.bad",
                rejects=self.staging.rejects,
            )
        return found

    # --- Rights -------------------------------------------------------------------

    def out_of_reach(
        self, model: type[models.Model], verb: str, expression: str
    ) -> str:
        """Return SQL that is true where the row with this id is not the actor's to use.

        Empty text means that the actor reaches every row; no row at all (NULL) is out
        of reach. The condition comes from crm/access.py, so that an import and a page
        cannot differ.
        """
        if self.actor is None:
            return ""
        scope = scope_of(self.actor, verb, model)
        if scope == Scope.ALL:
            return ""
        if scope is None:
            return "true"
        condition = owner_condition(model, self.actor, scope)
        ids = model._base_manager.filter(condition).order_by().values("pk")
        try:
            sql, params = ids.query.sql_with_params()
        except EmptyResultSet:
            return "true"
        with connection.cursor() as cursor:
            sql = cursor.mogrify(sql, params)
        # The statement goes through the parameters' percent signs once more.
        # NOT IN would keep every id that the actor reaches in memory and, where they do
        # not fit, read through them for each row of the file.
        return (
            f"NOT EXISTS (SELECT 1 FROM ({sql.replace('%', '%%')}) reached (id)"
            f" WHERE reached.id = {expression})"
        )

    def owner_id(self) -> str:
        """Return SQL for the owner of a new row: the mapped colleague or the actor."""
        own = str(self.actor.pk) if self.actor else "NULL"
        if not self.has("owner"):
            return f"{own}::bigint"
        return f"coalesce({OWNER}, {own}::bigint)"

    def check_owner(self, model: type[models.Model]) -> None:
        """Reject rows for an owner who is unknown or not the actor's to choose."""
        if not self.has("owner"):
            return
        unknown = "SELECT s.line, s.owner, NULL FROM {staging} s WHERE NOT s.bad AND "
        self.reject(
            unknown + f"s.owner IS NOT NULL AND {OWNER} IS NULL",
            _("No active colleague has this email address or user name."),
            column=str(self.importer.by_key["owner"].label),
        )
        scope = self.actor and scope_of(self.actor, Verb.IMPORT, model)
        if not scope or scope == Scope.ALL:
            return
        allowed = User.objects.filter(pk=self.actor.pk)
        if scope == Scope.TEAM and self.actor.team_id:
            allowed |= User.objects.filter(team=self.actor.team_id)
        elif scope == Scope.SUBTREE and self.actor.team_id:
            allowed |= User.objects.filter(team__path__startswith=self.actor.team.path)
        self.reject(
            unknown + f"s.owner IS NOT NULL AND {OWNER} <> ALL (%s)",
            _("You may not give rows to this colleague."),
            column=str(self.importer.by_key["owner"].label),
            params=[list(allowed.values_list("pk", flat=True))],
        )

    def require_right(self, model: type[models.Model], verb: str) -> bool:
        """Tell whether the actor holds the verb on the model at all."""
        return self.actor is None or scope_of(self.actor, verb, model) is not None

    # --- Writing -------------------------------------------------------------------

    def insert(
        self,
        model: type[models.Model],
        values: Mapping[str, str],
        source: str,
        params: Sequence[Any] = (),
        **names: str,
    ) -> int:
        """Add rows: ``values`` is {database column: SQL}, ``source`` what follows FROM.

        Columns that are not given, and given ones that are NULL where the model has a
        default, get the default of the model.
        """
        columns, expressions, defaults = [], [], []
        for model_field in model._meta.concrete_fields:
            name = model_field.column
            if model_field.generated or (
                name not in values and model_field.primary_key
            ):
                continue
            columns.append(quoted(name))
            default = self._default(model_field)
            given = values.get(name)
            if given is None:
                expressions.append("%s")
                defaults.append(default)
            elif default is None:
                expressions.append(given)
            else:
                expressions.append(f"coalesce({given}, %s)")
                defaults.append(default)
        target = quoted(model._meta.db_table)
        added = self.run(
            "INSERT INTO {target} ({columns}) SELECT "
            + ", ".join(expressions)
            + " "
            + source,
            [*defaults, *params],
            target=target,
            columns=", ".join(columns),
            **names,
        )
        if added >= MANY_ROWS:
            # A vacuum that passes now would take the new rows for dead ones, and the
            # planner the table for empty: statements of seconds became minutes. This
            # counts them, and its lock keeps vacuums away until the end.
            run_sql("ANALYZE {table}", table=target)
        return added

    def _default(self, model_field: models.Field) -> Any:
        """Return the value of a new row where nothing is given, as for the database."""
        if getattr(model_field, "auto_now", False) or getattr(
            model_field, "auto_now_add", False
        ):
            return self.now
        if model_field.has_default():
            value = model_field.get_default()
        elif model_field.null:
            return None
        else:
            value = "" if model_field.empty_strings_allowed else None
        return model_field.get_db_prep_save(value, connection)


# So many new rows change what the planner should expect.
MANY_ROWS = 500
OWNER = (
    "(SELECT u.id FROM crm_user u WHERE u.is_active"
    " AND (lower(u.email) = lower(s.owner) OR u.username = s.owner)"
    " ORDER BY u.username = s.owner DESC LIMIT 1)"
)


def sequence(model: type[models.Model]) -> str:
    """Return SQL for the next id of a model."""
    names = [model._meta.db_table, model._meta.pk.column]
    # Looked up once: inside the statement it would be looked up for every row.
    found = fetch_all("SELECT pg_get_serial_sequence(%s, %s)", names)
    return f"nextval('{found[0][0]}'::regclass)"


def mode_reasons() -> dict[str, str]:
    """Return why a mode refuses a row."""
    return {
        Mode.CREATE: _("This exists already, and this import only adds."),
        Mode.UPDATE: _("This does not exist yet, and this import only changes."),
    }

"""A part of the chosen rows, locked and judged afresh, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from django.template.defaultfilters import truncatechars
from django.utils.translation import gettext as _

from crm.access import OutOfReachError, require_in_reach
from crm.audit import record_many
from crm.exceptions import UserVisibleError
from crm.generic.delete import groups
from crm.generic.forms import word_of
from crm.reach import reachable_now

if TYPE_CHECKING:
    from django import forms

    from crm.generic.pages import Pages
    from crm.models import User

# So many refused rows are named; the others are counted.
MAX_REASONS = 100
REFUSALS = (
    IntegrityError,
    PermissionDenied,
    ProtectedError,
    RestrictedError,
    UserVisibleError,
    ValidationError,
)


@dataclass
class Outcome:
    """What became of the rows so far; it can be kept as JSON."""

    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    # Chosen rows that were gone, did not fit any more or were out of reach.
    left: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Return how many rows were looked at."""
        return self.changed + self.unchanged + self.refused

    def refuse(self, pk: Any, name: str, reason: str) -> None:
        """Count a row that was left as it was, and keep why."""
        self.refused += 1
        if len(self.reasons) < MAX_REASONS:
            reason = truncatechars(reason, 500)
            self.reasons.append({"pk": pk, "name": name, "reason": reason})

    def as_result(self) -> dict[str, Any]:
        """Return it as a job's result holds it."""
        return asdict(self)

    @classmethod
    def from_result(cls, result: dict[str, Any]) -> Outcome:
        """Read what an earlier attempt of a job left."""
        return cls(**{name: result[name] for name in asdict(cls()) if name in result})


@dataclass
class Batch:
    """Locked rows that the person may treat so, with what to do with them."""

    pages: Pages
    actor: User
    verb: str
    form: forms.Form | None
    rows: list[models.Model]
    outcome: Outcome

    @property
    def model(self) -> type[models.Model]:
        """Return the model of the rows."""
        return self.pages.model

    def each(
        self,
        change: Callable[[models.Model], bool],
        rows: list[models.Model] | None = None,
    ) -> None:
        """Change row after row; one that is refused does not stop the others.

        ``change`` returns whether there was anything to change.
        """
        for row in self.rows if rows is None else rows:
            pk, name = row.pk, str(row)
            try:
                # A savepoint for each: a refused row leaves nothing behind.
                with transaction.atomic():
                    changed = change(row)
                    if changed and row.pk is not None:
                        require_in_reach(self.actor, self.verb, row)
            except REFUSALS as error:
                self.outcome.refuse(pk, name, reason_of(error, self.actor))
            else:
                self.outcome.changed += changed
                self.outcome.unchanged += not changed

    def set_values(
        self, values: dict[str, Any], one_by_one: Callable[[models.Model], bool]
    ) -> None:
        """Give all rows the same values in one statement, checked row by row.

        Where the database refuses the whole, ``one_by_one`` finds the row it is about.
        """
        wanted = []
        for row in self.rows:
            changes = changed_values(self.form, row, values)
            if not changes:
                self.outcome.unchanged += 1
                continue
            name = str(row)
            for field_name, value in values.items():
                setattr(row, field_name, value)
            try:
                row.clean()
            except ValidationError as error:
                self.outcome.refuse(row.pk, name, reason_of(error, self.actor))
            else:
                wanted.append((row, changes))
        try:
            with transaction.atomic():
                self._update(wanted, values)
        except IntegrityError:
            fresh = self.model._base_manager.in_bulk([row.pk for row, _ in wanted])
            self.each(one_by_one, [fresh[row.pk] for row, _ in wanted])

    def _update(
        self,
        wanted: list[tuple[models.Model, dict[str, Any]]],
        values: dict[str, Any],
    ) -> None:
        """Write, then take back those rows that left the actor's reach."""
        keys = {row.pk for row, _changes in wanted}
        lost = keys - self._write(keys, values)
        if lost:
            reason = reason_of(OutOfReachError(), self.actor)
            for row, _changes in wanted:
                if row.pk in lost:
                    self.outcome.refuse(row.pk, str(row), reason)
            wanted = [(row, changes) for row, changes in wanted if row.pk not in lost]
            self._write(keys - lost, values)
        record_many(self.actor, "changed", wanted)
        self.outcome.changed += len(wanted)

    def _write(self, keys: set[Any], values: dict[str, Any]) -> set[Any]:
        """Write and return the keys still in reach; nothing is written if some left."""
        rows = self.model._base_manager.filter(pk__in=keys)
        with transaction.atomic():
            rows.update(**values, **self.pages.touched())
            kept = reachable_now(self.actor, self.verb, self.model, keys)
            if kept != keys:
                transaction.set_rollback(True)
        return kept


def changed_values(
    form: forms.Form, row: models.Model, values: dict[str, Any]
) -> dict[str, list[Any]]:
    """Return {field: [old, new]} in the words of the audit log, where they differ."""
    found = {}
    for name, value in values.items():
        old = getattr(row, name)
        if old != value:
            field = form.fields[name]
            found[name] = [word_of(field, old), word_of(field, value)]
    return found


def reason_of(error: Exception, actor: User) -> str:
    """Say why a row was left as it was."""
    if isinstance(error, OutOfReachError):
        return _("With these values you could not reach it yourself.")
    if isinstance(error, PermissionDenied):
        return _("You may not do this.")
    if isinstance(error, ProtectedError | RestrictedError):
        held = getattr(error, "protected_objects", None) or error.restricted_objects
        parts = [f"{one.count} {one.label}" for one in groups(held, actor)]
        return _("These belong to it and are kept: %(rows)s") % {
            "rows": ", ".join(parts)
        }
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, IntegrityError):
        return _("The values do not fit with the other rows.")
    return str(error)

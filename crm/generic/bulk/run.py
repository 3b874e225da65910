"""One bulk run: who does what with which rows, batch after batch."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connection, models
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError
from crm.generic.bulk.batch import Batch, Outcome
from crm.generic.registry import registry
from crm.generic.selection import Selection
from crm.history.context import acting
from crm.models import AuditEntry, Job, OperationKind, User

if TYPE_CHECKING:
    from django import forms

    from crm.generic.bulk.actions import BulkAction
    from crm.generic.pages import Pages

BATCH = 500
KIND = "bulk"


@dataclass(frozen=True)
class BulkRun:
    """A run as it was previewed; it can be carried out now or by a job."""

    pages: Pages
    action: BulkAction
    actor: User
    selection: Selection
    data: str
    number: uuid.UUID
    previewed_at: datetime.datetime
    # How many rows the preview promised; None where they were not counted to the end.
    expected: int | None

    def params(self) -> dict[str, Any]:
        """Return the run as the parameters of a job."""
        return {
            "model": self.pages.model._meta.label_lower,
            "action": self.action.key,
            "selection": self.selection.params(),
            "data": self.data,
            "number": str(self.number),
            "previewed_at": self.previewed_at.isoformat(),
            "expected": self.expected,
        }

    @classmethod
    def from_params(cls, actor: User, params: dict[str, Any]) -> BulkRun:
        """Read the parameters of a job."""
        pages = registry.pages_of(apps.get_model(params["model"]))
        return cls(
            pages,
            pages.bulk_action(params["action"]),
            actor,
            Selection.from_params(params["selection"]),
            params["data"],
            uuid.UUID(params["number"]),
            datetime.datetime.fromisoformat(params["previewed_at"]),
            params["expected"],
        )

    @property
    def title(self) -> str:
        """Return what is done, and with what."""
        names = capfirst(str(self.pages.model._meta.verbose_name_plural))
        return f"{self.action.label}: {names}"

    @property
    def key(self) -> str:
        """Return what the run is known by among jobs."""
        return f"{KIND}:{self.number}"

    @cached_property
    def form(self) -> forms.Form | None:
        """Return the filled-in form, checked again with the person's rights of now."""
        data = QueryDict(self.data)
        form = self.action.make_form(self.pages, self.actor, data)
        if form is not None and not form.is_valid():
            errors = [text for texts in form.errors.values() for text in texts]
            raise UserVisibleError(" ".join(errors))
        return form

    def as_today(self) -> BulkRun:
        """Return the run with the rights that its person holds at this moment."""
        actor = User.objects.filter(pk=self.actor.pk).first()
        if actor is None:
            raise UserVisibleError(_("The person who started this is gone."))
        return replace(self, actor=actor)

    def rows(self) -> models.QuerySet:
        """Return the chosen rows in reach; none that was added after the preview."""
        listing = self.selection.listing(self.pages, self.actor, self.action.verb)
        rows = listing.matching.order_by()
        if self.selection.ids is None and hasattr(self.pages.model, "created_at"):
            rows = rows.filter(created_at__lte=self.previewed_at)
        return rows

    def step(self, after: int, outcome: Outcome, size: int = BATCH) -> int | None:
        """Treat the next rows in the caller's transaction; return the last one's key.

        Rows are locked in the order of their keys, so that two runs never wait for
        each other in a circle, and judged again once they are locked.
        """
        rows = self.rows()
        keys = rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
        keys = list(dict.fromkeys(keys[:size]))
        if not keys:
            return None
        locked = list(
            self.pages.queryset()
            .select_related(*self.pages.related_names())
            .filter(pk__in=keys)
            .order_by("pk")
            .select_for_update(of=("self",))
        )
        still = set(rows.filter(pk__in=keys).values_list("pk", flat=True))
        batch = Batch(
            self.pages,
            self.actor,
            self.action.verb,
            self.form,
            [row for row in locked if row.pk in still],
            outcome,
        )
        with acting(
            OperationKind.BULK, self.actor, number=self.number, title=self.title
        ):
            self.action.apply(batch)
        return keys[-1]

    def finish(self, outcome: Outcome) -> Outcome:
        """Count the promised rows that were not met."""
        if self.expected is not None:
            outcome.left = max(0, self.expected - outcome.seen)
        return outcome

    def result_of(self, outcome: Outcome) -> dict[str, Any]:
        """Return the outcome with the way to take it back."""
        operation = str(self.number) if outcome.changed else ""
        return {**outcome.as_result(), "operation": operation}

    def is_known(self) -> bool:
        """Tell whether it was started before; a second request waits for the first."""
        with connection.cursor() as cursor:
            number = self.number.int % 2**63
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        return (
            AuditEntry.objects.filter(operation=self.number).exists()
            or Job.objects.filter(dedupe_key=self.key).exists()
        )

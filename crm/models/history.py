"""What happened to rows: operations, their changes, and deleted rows for a while."""

import decimal
import json
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex, GistIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.access import VisibleManager


class OperationKind(models.TextChoices):
    """By what something was done."""

    PAGE = "page", _("page")
    BULK = "bulk", _("change of many rows")
    IMPORT = "import", _("import")
    JOB = "job", _("job")
    ADMIN = "admin", _("administration")
    COMMAND = "command", _("command")
    MERGE = "merge", _("merge")
    UNDO = "undo", _("undo")
    DATABASE = "database", _("database")


class Operation(models.Model):
    """A piece of work that can be undone as a whole; written by the triggers."""

    # By this the program knows it before the database has made its row.
    number = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("time"), auto_now_add=True)
    kind = models.CharField(_("by"), max_length=10, choices=OperationKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    # What the person knows it by, such as the name of a file; may be empty.
    title = models.CharField(_("title"), max_length=300, blank=True, db_default="")
    undo_of = models.ForeignKey(
        "self",
        verbose_name=_("undoes"),
        on_delete=models.PROTECT,
        null=True,
        related_name="undos",
    )

    objects = VisibleManager()
    access_path = "actor"

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=["-at", "-id"], name="operation_by_time"),
            models.Index(fields=["actor", "-at", "-id"], name="operation_by_actor"),
        )
        constraints = (
            # Whoever undoes it again undoes the undo.
            models.UniqueConstraint(fields=["undo_of"], name="operation_undone_once"),
        )

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())


class Ranges(models.Field):
    """Sets of ids, as PostgreSQL's ``int8multirange``; only the database writes it."""

    def db_type(self, connection: object) -> str:
        """Return the type of the column."""
        return "int8multirange"


@Ranges.register_lookup
class HasId(models.Lookup):
    """``added__has_id=5``: the set holds the id."""

    lookup_name = "has_id"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the condition that the index on the sets serves."""
        left, params = self.process_lhs(compiler, connection)
        return f"{left} @> %s::bigint", [*params, int(self.rhs)]


class ChangeVerb(models.TextChoices):
    """What became of a row."""

    ADD = "add", pgettext_lazy("what was done", "added")
    CHANGE = "change", pgettext_lazy("what was done", "changed")
    DELETE = "delete", pgettext_lazy("what was done", "deleted")


class ExactDecoder(json.JSONDecoder):
    """Read numbers as the database wrote them: 12.50 stays 12.50."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "parse_float": decimal.Decimal})


class Change(models.Model):
    """Rows that one statement added, or one row that it changed or deleted.

    The database refuses to change or delete it. ``old`` and ``new`` hold the values of
    the columns that differ, as PostgreSQL's ``to_jsonb`` writes them.
    """

    # No constraint: the trigger writes both, and checking costs a probe per row.
    operation = models.ForeignKey(
        Operation,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="changes",
    )
    at = models.DateTimeField(_("time"))
    model = models.CharField(max_length=100)
    verb = models.CharField(max_length=6, choices=ChangeVerb.choices)
    object_id = models.BigIntegerField(null=True)
    added = Ranges(null=True)
    old = models.JSONField(null=True, decoder=ExactDecoder)
    new = models.JSONField(null=True, decoder=ExactDecoder)

    # The log as a whole is for those whom a grant names.
    access_shared = True

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=["model", "object_id", "-id"], name="change_by_object"),
            models.Index(fields=["operation", "model"], name="change_by_operation"),
            # Small: the log is written in the order of time.
            BrinIndex(fields=["at"], name="change_by_time"),
            GistIndex(
                fields=["added"],
                name="change_by_added",
                condition=models.Q(verb="add"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.model} {self.object_id or self.added}"

    @staticmethod
    def added_has(pk: int) -> models.Q:
        """Return the condition that a statement added the row with this id."""
        return models.Q(verb=ChangeVerb.ADD, added__has_id=pk)

    @property
    def number_added(self) -> int:
        """Return how many rows the statement added."""
        return sum(part.upper - part.lower for part in self.added or ())


class DeletedRow(models.Model):
    """All columns of a deleted row, until the trash is emptied."""

    operation = models.ForeignKey(
        Operation, on_delete=models.DO_NOTHING, db_constraint=False
    )
    at = models.DateTimeField(_("deleted"))
    model = models.CharField(max_length=100)
    object_id = models.BigIntegerField()
    row = models.JSONField(decoder=ExactDecoder)

    # Which rows a person sees follows from the right to delete (crm/history/trash.py).
    access_shared = True

    class Meta:
        verbose_name = _("deleted row")
        verbose_name_plural = _("deleted rows")
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=["operation", "model"], name="deleted_by_operation"),
            models.Index(fields=["model", "-id"], name="deleted_by_model"),
            models.Index(fields=["at"], name="deleted_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}"

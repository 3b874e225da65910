"""The index of a custom field that is often filtered by, made and dropped by a job."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.jobs import JobHandle, enqueue, job
from crm.models import CustomField, FieldKind, User

KIND = "custom-field-index"
INVALID = """
    SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)
"""


def index_name(pk: int) -> str:
    """Return what a field's index is called; the number is never given twice."""
    return f"custom_field_{pk}"


def index_sql(field: CustomField) -> str:
    """Return the index that comparisons use.

    Rows without a value are in it, too: of an index with a condition the planner does
    not use the statistics, and then takes the index of the list's order instead.
    """
    table = connection.ops.quote_name(apps.get_model(field.model)._meta.db_table)
    value = f"(custom -> '{field.key}')"
    by = f"gin ({value} jsonb_path_ops)"
    if field.kind != FieldKind.CHOICES:
        by = f"btree ({value})"
    return f"{index_name(field.pk)} ON {table} USING {by}"


def keep_index(field: CustomField, actor: User) -> None:
    """Have the index made or dropped where it is not as the field wants it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [index_name(field.pk)])
        if cursor.fetchone()[0] != field.often_filtered:
            enqueue(
                KIND,
                owner=actor,
                params={"pk": field.pk},
                dedupe_key=f"{KIND}:{field.pk}",
                title=_("Index: %(field)s") % {"field": field.title},
            )


@job(KIND, queue="analytics", label=gettext_lazy("Index of a custom field"))
def make_index(handle: JobHandle, pk: int) -> dict[str, Any]:
    """Make or drop a field's index while everybody goes on working."""
    field = CustomField.objects.filter(pk=pk).first()
    name = index_name(pk)
    # The database refuses to do it concurrently inside a transaction.
    gently = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        cursor.execute(INVALID, [name])
        is_broken = (cursor.fetchone() or (False,))[0]
        if is_broken or field is None or not field.often_filtered:
            cursor.execute(f"DROP INDEX {gently} IF EXISTS {name}")
        if field is not None and field.often_filtered:
            cursor.execute(f"CREATE INDEX {gently} IF NOT EXISTS {index_sql(field)}")
            # What stands in the index is counted only by this.
            table = apps.get_model(field.model)._meta.db_table
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
    return {"field": field.title if field else name}

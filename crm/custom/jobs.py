"""The indexes of a custom field, made and dropped by a job."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.custom.indexes import (
    field_of_index,
    filter_index,
    ready_indexes,
    sort_index,
    wanted_indexes,
)
from crm.custom.services import announce_change
from crm.jobs import JobHandle, enqueue, job
from crm.models import CustomField, User

KIND = "custom-field-index"


def keep_index(field: CustomField, actor: User) -> None:
    """Have indexes made or dropped where they are not as the field wants them."""
    _keep(field.pk, field, ready_indexes(), actor)


def keep_all_indexes() -> int:
    """Do the same for all fields, and for indexes whose field is gone.

    After a restore the fields are there without their indexes, after an undo it may be
    the other way round. Returns how many jobs are queued.
    """
    ready = ready_indexes()
    fields = {one.pk: one for one in CustomField.objects.all()}
    keys = fields.keys() | {field_of_index(name) for name in ready}
    return sum(_keep(pk, fields.get(pk), ready, None) for pk in sorted(keys))


def _keep(
    pk: int, field: CustomField | None, ready: set[str], actor: User | None
) -> bool:
    wanted = wanted_indexes(field).keys() if field else set()
    if ready & {filter_index(pk), sort_index(pk)} == wanted:
        return False
    enqueue(
        KIND,
        owner=actor,
        params={"pk": pk},
        dedupe_key=f"{KIND}:{pk}",
        title=_("Index: %(field)s") % {"field": field.title if field else pk},
    )
    return True


@job(KIND, queue="analytics", label=gettext_lazy("Index of a custom field"))
def make_index(handle: JobHandle, pk: int) -> dict[str, Any]:
    """Make or drop a field's indexes while everybody goes on working."""
    field = CustomField.objects.filter(pk=pk).first()
    wanted = wanted_indexes(field) if field else {}
    ready = ready_indexes()
    # The database refuses to do it concurrently inside a transaction.
    gently = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        for name in (filter_index(pk), sort_index(pk)):
            # One that is not ready may be there, broken by a killed worker.
            if name not in wanted or name not in ready:
                cursor.execute(f"DROP INDEX {gently} IF EXISTS {name}")
            if name in wanted and name not in ready:
                cursor.execute(f"CREATE INDEX {gently} {name} {wanted[name]}")
        if wanted.keys() - ready:
            # What stands in the index is counted only by this.
            table = apps.get_model(field.model)._meta.db_table
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
    announce_change()
    return {"field": field.title if field else filter_index(pk)}

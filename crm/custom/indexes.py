"""The indexes of custom fields: which there should be, which there are."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

from crm.models.custom import CustomField, FieldKind

# Only a value that is one figure, day or text has a place among the others: choices
# are stored by their keys, references by their ids.
SORTABLE = (
    FieldKind.TEXT,
    FieldKind.NUMBER,
    FieldKind.MONEY,
    FieldKind.DATE,
    FieldKind.BOOLEAN,
    FieldKind.LINK,
)
READY = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indisvalid AND c.relname ~ '^custom_field_[0-9]+(_sort)?$'
        AND pg_table_is_visible(c.oid)
"""


def filter_index(pk: int) -> str:
    """Return the name of the index for filters; the number is never given twice."""
    return f"custom_field_{pk}"


def sort_index(pk: int) -> str:
    """Return the name of the index for sorting."""
    return f"custom_field_{pk}_sort"


def field_of_index(name: str) -> int:
    """Return the number of the field that an index is of."""
    return int(name.removeprefix("custom_field_").removesuffix("_sort"))


def wanted_indexes(field: CustomField) -> dict[str, str]:
    """Return {name: SQL} of the indexes that a field's ticks ask for.

    Rows without a value are in it, too: of an index with a condition the planner does
    not use the statistics, and then takes the index of the list's order instead.
    """
    table = connection.ops.quote_name(apps.get_model(field.model)._meta.db_table)
    value = f"(custom -> '{field.key}')"
    found = {}
    if field.sortable and field.kind in SORTABLE:
        # It serves filters as well.
        found[sort_index(field.pk)] = f"ON {table} USING btree ({value}, id)"
    elif field.often_filtered and field.kind == FieldKind.CHOICES:
        by = f"gin ({value} jsonb_path_ops)"
        found[filter_index(field.pk)] = f"ON {table} USING {by}"
    elif field.often_filtered:
        found[filter_index(field.pk)] = f"ON {table} USING btree ({value})"
    return found


def ready_indexes() -> set[str]:
    """Return the names of all indexes of custom fields that are whole."""
    with connection.cursor() as cursor:
        cursor.execute(READY)
        return {name for (name,) in cursor.fetchall()}

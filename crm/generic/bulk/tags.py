"""Tags of many rows, written in a few statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.audit import record_many
from crm.models import Tag

if TYPE_CHECKING:
    from crm.generic.bulk.batch import Batch


def change_tags(batch: Batch) -> None:
    """Add and take away the chosen tags, and note it for each row that changes."""
    add = {tag.pk for tag in batch.form.cleaned_data["add"]}
    remove = {tag.pk for tag in batch.form.cleaned_data["remove"]}
    relation = batch.model._meta.get_field("tags")
    through, source = relation.remote_field.through, relation.m2m_column_name()
    target = relation.m2m_reverse_name()
    links = through._default_manager.filter(
        **{f"{source}__in": [row.pk for row in batch.rows]}
    )
    had: dict[int, set[int]] = {row.pk: set() for row in batch.rows}
    for row_id, tag_id in links.values_list(source, target):
        had[row_id].add(tag_id)
    changed = [row for row in batch.rows if (had[row.pk] | add) - remove != had[row.pk]]
    links.filter(**{f"{target}__in": remove}).delete()
    through._default_manager.bulk_create(
        [
            through(**{source: row.pk, target: tag_id})
            for row in changed
            for tag_id in add - had[row.pk]
        ],
        ignore_conflicts=True,
    )
    touched = batch.pages.touched()
    if touched:
        keys = [row.pk for row in changed]
        batch.model._base_manager.filter(pk__in=keys).update(**touched)
    ids = set().union(add, *had.values())
    names = dict(Tag._base_manager.filter(pk__in=ids).values_list("pk", "name"))

    def words(tags: set[int]) -> str | None:
        return ", ".join(sorted(names[tag] for tag in tags if tag in names)) or None

    record_many(
        batch.actor,
        "changed",
        [
            (row, {"tags": [words(had[row.pk]), words((had[row.pk] | add) - remove)]})
            for row in changed
        ],
    )
    batch.outcome.changed += len(changed)
    batch.outcome.unchanged += len(batch.rows) - len(changed)

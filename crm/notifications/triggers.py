"""What the triggers of a table put into the outbox: statements of SQL.

They are part of the function that writes the history, so ``COPY``, bulk work, imports
are seen like a form's save. Nobody is told of an own act, so most work adds nothing.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
from __future__ import annotations

from django.db import connection, models

INTO = """
        INSERT INTO crm_notice (kind, model, recipient_id, actor_id, operation, rows)
"""
# Rows that come with an owner, or to another owner.
GIVEN = """{into}
        SELECT 'handover', '{label}', n.{owner}, a.person, a.number,
            range_agg(int8range(n.{pk}, n.{pk}, '[]'))
        FROM new_rows n {join}, crm_acting_now() a
        WHERE a.tells AND n.{owner} IS NOT NULL
            AND n.{owner} IS DISTINCT FROM a.person {changed}
        GROUP BY n.{owner}, a.person, a.number;
"""
FOLLOWED = """{into}
        SELECT 'change', '{label}', f.person_id, a.person, a.number,
            range_agg(int8range(n.{pk}, n.{pk}, '[]'))
        FROM old_rows o JOIN new_rows n ON n.{pk} = o.{pk}
        JOIN crm_follow f ON f.model = '{label}' AND f.object_id = n.{pk}
            AND NOT f.is_muted, crm_acting_now() a
        WHERE a.tells AND f.person_id IS DISTINCT FROM a.person
            AND ({before}) IS DISTINCT FROM ({after})
        GROUP BY f.person_id, a.person, a.number;
"""
# What people write below a row; many at once, such as an import, are no conversation.
WRITTEN = """{into}
        SELECT 'comment', '{parent}', NULL, a.person, a.number,
            range_agg(int8range(n.{link}, n.{link}, '[]'))
        FROM new_rows n, crm_acting_now() a
        WHERE a.kind IN ('page', 'admin') AND n.{link} IS NOT NULL
        GROUP BY a.person, a.number;
"""


def owner_column(model: type[models.Model]) -> str:
    """Return the column that says to whom a row belongs, if it is on the row."""
    path = getattr(model, "access_path", "")
    found = {one.name: one for one in model._meta.concrete_fields}.get(path)
    is_link = isinstance(found, models.ForeignKey)
    # Of a note or a file it says who wrote it.
    return found.column if is_link and found.editable else ""


def comment_link(model: type[models.Model]) -> models.ForeignKey | None:
    """Return the relation to the row that a row of the model is a comment on."""
    name = getattr(model, "comments_on", "")
    return model._meta.get_field(name) if name else None


def after_insert(model: type[models.Model]) -> str:
    """Return what is noticed of new rows."""
    names = _names(model)
    parts = []
    if names["owner"]:
        parts.append(GIVEN.format(**names, join="", changed=""))
    link = comment_link(model)
    if link is not None:
        parent = link.related_model._meta.label_lower
        column = connection.ops.quote_name(link.column)
        parts.append(WRITTEN.format(into=INTO, parent=parent, link=column))
    return "".join(parts)


def after_update(model: type[models.Model], before: str, after: str) -> str:
    """Return what is noticed of changed rows."""
    if model._meta.auto_created:
        return ""
    names = _names(model)
    text = FOLLOWED.format(**names, before=before, after=after)
    if names["owner"]:
        text += GIVEN.format(
            **names,
            join="JOIN old_rows o ON o.{pk} = n.{pk}".format(**names),
            changed="AND o.{owner} IS DISTINCT FROM n.{owner}".format(**names),
        )
    return text


def _names(model: type[models.Model]) -> dict[str, str]:
    quote = connection.ops.quote_name
    owner = owner_column(model)
    return {
        "into": INTO,
        "label": model._meta.label_lower,
        "pk": quote(model._meta.pk.column),
        "owner": quote(owner) if owner else "",
    }

"""Take the demo data away, and nothing else.

Models with a field ``is_demo`` are found by looking. A demo row stays where a real row
refers to it, together with what it refers to itself and what is part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction

from crm.history.context import acting
from crm.models import AuditEntry, DeletedRow, OperationKind, User
from crm.seeding import LOCK

Model = type[models.Model]


@dataclass
class Removal:
    """What was deleted, and what stayed for which reason."""

    deleted: dict[Model, int] = field(default_factory=dict)
    kept: dict[Model, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))


@transaction.atomic
def remove_all() -> Removal:
    """Delete every demo row that no real row needs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    removal = Removal(kept=rows_to_keep())
    delete_audit_entries(removal.kept)
    with acting(OperationKind.COMMAND, title="Demo data removed") as number:
        for model in children_first(demo_models()):
            rows = demo_rows(model).exclude(pk__in=removal.kept[model])
            delete_what_hangs_on(rows)
            # Nothing refers to these rows any more: there is nothing to collect first.
            removal.deleted[model] = rows._raw_delete(rows.db)
        lock_out(removal.kept[User])
    # Made up as it was, it needs no place in the trash.
    DeletedRow.objects.filter(operation__number=number).delete()
    return removal


def demo_models() -> list[Model]:
    """Return the models whose rows may be demo data."""
    return [model for model in apps.get_models() if has_flag(model)]


def has_flag(model: Model) -> bool:
    """Tell whether rows of the model can be told apart."""
    try:
        model._meta.get_field("is_demo")
    except FieldDoesNotExist:
        return False
    return True


def demo_rows(model: Model) -> models.QuerySet:
    """Return the demo rows of a model."""
    return model._base_manager.filter(is_demo=True)


def relations(model: Model) -> list[models.ForeignKey]:
    """Return the foreign keys of a model that lead to models with demo rows.

    One without a constraint only notes who it was, and holds nobody back.
    """
    return [
        one
        for one in model._meta.concrete_fields
        if isinstance(one, models.ForeignKey)
        and one.db_constraint
        and has_flag(one.related_model)
    ]


def children_first(found: list[Model]) -> list[Model]:
    """Sort models so that each comes before those it refers to."""
    done: list[Model] = []
    seen: set[Model] = set()

    def visit(model: Model) -> None:
        if model not in seen:
            seen.add(model)
            for relation in relations(model):
                visit(relation.related_model)
            done.append(model)

    for model in found:
        visit(model)
    return done[::-1]


# --- What stays -----------------------------------------------------------------------


def rows_to_keep() -> dict[Model, dict[int, str]]:
    """Return the demo rows that have to stay, each with the reason."""
    kept: dict[Model, dict[int, str]] = defaultdict(dict)
    news = merge(kept, wanted_by_real_rows())
    while news:
        found = [*wanted_by_kept(news), *parts_of_kept(news)]
        news = merge(kept, found)
    return kept


Finding = tuple[Model, int, str]


def merge(
    kept: dict[Model, dict[int, str]], found: Iterable[Finding]
) -> dict[Model, set[int]]:
    """Take up what is new and return it."""
    news: dict[Model, set[int]] = defaultdict(set)
    for model, pk, reason in found:
        if pk not in kept[model]:
            kept[model][pk] = reason
            news[model].add(pk)
    return news


def wanted_by_real_rows() -> Iterator[Finding]:
    """Find the demo rows that a real row refers to."""
    for model in apps.get_models():
        # A row without the flag that only hangs on another goes with it; any other
        # (a job, an import, the log of what was done to a real row) counts as real.
        for relation in relations(model):
            if not has_flag(model) and goes_along(relation):
                continue
            rows = real_rows(model).filter(**{f"{relation.name}__is_demo": True})
            name = model._meta.verbose_name
            for pk, target in rows.values_list("pk", relation.attname):
                yield relation.related_model, target, f"{name} {pk} refers to it"
        for relation in model._meta.many_to_many:
            if has_flag(relation.related_model):
                yield from wanted_by_links(model, relation)


def wanted_by_links(
    model: Model, relation: models.ManyToManyField
) -> Iterator[Finding]:
    """Find the demo rows that a real row lists."""
    rows = real_rows(model).filter(**{f"{relation.name}__is_demo": True})
    for pk, target in rows.values_list("pk", f"{relation.name}__pk"):
        reason = f"{model._meta.verbose_name} {pk} refers to it"
        yield relation.related_model, target, reason


def real_rows(model: Model) -> models.QuerySet:
    """Return the rows that nobody seeded."""
    rows = model._base_manager.all()
    if model is AuditEntry:
        return rows.exclude(pk__in=audit_of_demo_rows({}))
    return rows.filter(is_demo=False) if has_flag(model) else rows


def goes_along(relation: models.ForeignKey) -> bool:
    """Tell whether a row goes when the one it refers to goes."""
    return relation.remote_field.on_delete is models.CASCADE


def wanted_by_kept(news: dict[Model, set[int]]) -> Iterator[Finding]:
    """Find what the kept rows refer to themselves."""
    for model, ids in news.items():
        for relation in relations(model):
            rows = model._base_manager.filter(
                pk__in=ids, **{f"{relation.name}__is_demo": True}
            )
            name = model._meta.verbose_name
            for pk, target in rows.values_list("pk", relation.attname):
                yield relation.related_model, target, f"{name} {pk} refers to it"


def parts_of_kept(news: dict[Model, set[int]]) -> Iterator[Finding]:
    """Find what is part of the kept rows, so that what stays is whole."""
    for model in demo_models():
        for relation in relations(model):
            ids = news.get(relation.related_model)
            if ids and goes_along(relation):
                rows = demo_rows(model).filter(**{f"{relation.name}__in": ids})
                name = relation.related_model._meta.verbose_name
                for pk, target in rows.values_list("pk", relation.attname):
                    yield model, pk, f"it is part of {name} {target}"


# --- What goes ------------------------------------------------------------------------


def audit_of_demo_rows(kept: dict[Model, dict[int, str]]) -> models.QuerySet:
    """Return the log entries about demo rows that do not stay."""
    condition = models.Q(pk__in=[])
    for model in demo_models():
        kind = ContentType.objects.get_for_model(model)
        rows = demo_rows(model).exclude(pk__in=kept.get(model, {})).values("pk")
        condition |= models.Q(content_type=kind, object_id__in=rows)
    return AuditEntry.objects.filter(condition).values("pk")


def delete_what_hangs_on(rows: models.QuerySet) -> None:
    """Delete rows without the flag that go along, such as links."""
    related = rows.model._meta.get_fields(include_hidden=True)
    for one in related:
        if (one.one_to_many or one.one_to_one) and one.auto_created:
            model, relation = one.related_model, one.field
            if not has_flag(model) and goes_along(relation):
                hanging = model._base_manager.filter(
                    **{f"{relation.name}__in": rows.values("pk")}
                )
                hanging.delete()


def delete_audit_entries(kept: dict[Model, dict[int, str]]) -> None:
    """Delete the log of rows that are about to go."""
    AuditEntry.objects.filter(pk__in=audit_of_demo_rows(kept)).delete()


def lock_out(users: dict[int, str]) -> None:
    """Let nobody sign in with a password that the documentation tells."""
    for user in User.objects.filter(pk__in=users):
        user.set_unusable_password()
        user.is_active = False
        user.save(update_fields=["password", "is_active"])

"""Read a file, clean it, stage it, and put it in with one transaction."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit import record
from crm.custom.adding import add_fields, prepare_fields
from crm.exceptions import UserVisibleError
from crm.history.context import acting
from crm.importing import files, new_fields
from crm.importing.dialects import Dialect
from crm.importing.errors import ImportRefused
from crm.importing.importer import get_importer
from crm.importing.plan import Plan
from crm.importing.reader import Table
from crm.importing.rejects import write_rejects
from crm.importing.staging import (
    Stager,
    Staging,
    fetch_all,
    quoted,
    run_sql,
    sweep_staging,
)
from crm.importing.work import Work
from crm.models import (
    CustomField,
    ImportRun,
    ImportState,
    OperationKind,
    RejectedRow,
)
from crm.search.filing import filed_beside
from crm.storing import full_disk_in_words

logger = logging.getLogger(__name__)

OnProgress = Callable[[int, int, str], None]
Publish = Callable[[], AbstractContextManager]
# Two imports at once would look for the same rows and add them twice.
LOCK_WRITING = 7_301_997
# The pages list so many; the file of rejected rows has all.
LISTED_REJECTS = 100_000


def silent(done: int, total: int, message: str) -> None:
    """Report to nobody."""


def run_import(
    run: ImportRun,
    *,
    dry_run: bool = False,
    on_progress: OnProgress = silent,
    publish: Publish = transaction.atomic,
) -> ImportRun:
    """Carry out an import, or only say what it would do.

    Until ``publish`` opens its transaction nothing but the staging tables is touched,
    and that transaction holds everything else: a process killed at any point leaves
    the data as they were, and the run can be started again from the beginning.
    """
    _bury_the_dead(run)
    try:
        with full_disk_in_words(), files.local(run.file_path) as path:
            plan, table = _plan(run, path)
            fields = new_fields.plan_fields(run, plan)
            with Staging(run.pk).held() as staging:
                rows = _stage(staging, plan, table, on_progress)
                work = _work(run, staging, plan, fields)
                work.counts.rows = rows
                work.say = lambda text: on_progress(table.size, table.size, text)
                _finish(run, work, table, publish, dry_run)
    except IntegrityError as error:
        raise UserVisibleError(_explain(error)) from error
    run.refresh_from_db()
    return run


def _bury_the_dead(run: ImportRun) -> None:
    """Clear up after processes that were killed; runs with a job are the job's."""
    left = sweep_staging()
    ImportRun.objects.filter(
        pk__in=left, job=None, state__in=(ImportState.RUNNING, ImportState.CHECKING)
    ).exclude(pk=run.pk).update(
        state=ImportState.FAILED,
        error=_("The import was interrupted; nothing was changed."),
        finished_at=timezone.now(),
    )


def _plan(run: ImportRun, path: Path) -> tuple[Plan, Table]:
    """Check rights and mapping before anything is read at length."""
    importer = get_importer(run.importer)
    if importer is None:
        raise ImportRefused(_("This kind of import does not exist."))
    lacking = importer.missing_rights(run.owner)
    if lacking:
        names = ", ".join(str(model._meta.verbose_name_plural) for model in lacking)
        raise ImportRefused(
            _("You may not import these: %(names)s.") % {"names": names}
        )
    table = Table(path, Dialect.load(run.dialect))
    header = table.read_header()
    options = dict(run.options)
    constants = options.pop("constants", {})
    plan = Plan.make(importer, header, run.mapping, constants, options)
    open_keys = {column.key for column in importer.columns_for(run.owner)}
    kept = [importer.by_key[key].label for key in sorted(plan.staged - open_keys)]
    if kept and run.owner is not None:
        names = ", ".join(map(str, kept))
        raise ImportRefused(
            _("You may not fill these fields: %(names)s.") % {"names": names}
        )
    if not run.file_hash:
        run.file_hash = hash_of(path)
        ImportRun.objects.filter(pk=run.pk).update(file_hash=run.file_hash)
    return plan, table


def hash_of(path: Path) -> str:
    """Return the SHA-256 of the file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stage(staging: Staging, plan: Plan, table: Table, on_progress: OnProgress) -> int:
    """Copy the cleaned rows into the staging table; return how many there are."""
    stager = Stager(staging, plan.header, plan.cleaners())
    stager.keep(plan.kept())
    with transaction.atomic():
        staging.create(plan.columns, plan.constants)
        with stager.copying() as copy:
            for batch in table.batches():
                stager.add(copy, batch)
                message = _("%(rows)s rows read") % {"rows": f"{stager.rows:,}"}
                on_progress(table.position, table.size, message)
    staging.analyze()
    return stager.rows


def _work(
    run: ImportRun, staging: Staging, plan: Plan, fields: Sequence[CustomField]
) -> Work:
    return Work(
        importer=plan.importer,
        staging=staging,
        actor=run.owner,
        mode=run.mode,
        staged=frozenset(plan.staged),
        options=plan.options,
        file_hash=run.file_hash,
        header_row=Dialect.load(run.dialect).header_row,
        new_fields=fields,
    )


def _finish(
    run: ImportRun, work: Work, table: Table, publish: Publish, dry_run: bool
) -> None:
    """Recognise, compare and, unless it is a dry run, write; all in one transaction."""
    work.say(_("Comparing with what is there"))
    context = transaction.atomic() if dry_run else publish()
    with context:
        run_sql("SELECT pg_advisory_xact_lock(%s)", [LOCK_WRITING])
        run_sql("SET LOCAL work_mem = '64MB'")
        _drop_work_tables()
        prepare_fields(work)
        work.importer.prepare(work)
        _count_rejected(work)
        if not dry_run:
            work.say(_("Writing"))
            with (
                acting(OperationKind.IMPORT, run.owner, title=run.file_name) as number,
                filed_beside(work.counts.created + work.counts.updated),
            ):
                add_fields(work)
                work.importer.write(work)
            run.operation = number
            new_fields.settle(run, work)
        _list_rejects(run, work)
        rejects = _save_rejects(run, work, table) if work.counts.rejected else ""
        _save_result(run, work, rejects, dry_run)
        if not dry_run:
            # Foreign keys are checked here, so that an error has its sentence.
            run_sql("SET CONSTRAINTS ALL IMMEDIATE")


def _drop_work_tables() -> None:
    """Drop the temporary tables of an earlier run in the same transaction."""
    left = fetch_all(
        "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = pg_my_temp_schema()"
    )
    for (name,) in left:
        run_sql("DROP TABLE pg_temp.{name}", name=quoted(name))


def _count_rejected(work: Work) -> None:
    query = "SELECT count(*) FROM {staging} WHERE bad"
    work.counts.rejected = work.fetch(query)[0][0]


def _list_rejects(run: ImportRun, work: Work) -> None:
    """Keep the reasons for the pages, in the sequence of the file."""
    RejectedRow.objects.filter(run=run).delete()
    work.run(
        'INSERT INTO crm_rejectedrow (run_id, line, "column", value, reason)'
        " SELECT %s, line, left(col, 200), value, reason FROM {rejects}"
        " WHERE line IN (SELECT DISTINCT line FROM {rejects} ORDER BY line LIMIT %s)"
        " ORDER BY line",
        [run.pk, LISTED_REJECTS],
        rejects=work.staging.rejects,
    )


def _save_rejects(run: ImportRun, work: Work, table: Table) -> str:
    """Write the file of rejected rows into the storage; return its name there."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "rejected.csv"
        write_rejects(work, table, target)
        return files.store(target, suffix="-rejected.csv")


def _save_result(run: ImportRun, work: Work, rejects: str, dry_run: bool) -> None:
    counts = work.counts
    old = run.rejects_path
    run.rows, run.created, run.updated = counts.rows, counts.created, counts.updated
    run.unchanged, run.rejected = counts.unchanged, counts.rejected
    run.objects_changed = counts.objects
    run.rejects_path, run.error = rejects, ""
    run.state = ImportState.CHECKED if dry_run else ImportState.DONE
    run.finished_at = timezone.now()
    run.save()
    if not dry_run and run.owner:
        record(run.owner, "imported", run)
    if old:
        transaction.on_commit(lambda: files.remove(old))


def _explain(error: IntegrityError) -> str:
    """Return a sentence for a rule of the database that no earlier check knew."""
    cause = error.__cause__
    name = getattr(getattr(cause, "diag", None), "constraint_name", "") or ""
    logger.warning("An import broke the constraint %s: %s", name, error)
    return _(
        "Nothing was imported, because a rule of the database was broken (%(name)s). "
        "If somebody saved the same rows meanwhile, start the import again."
    ) % {"name": name or "?"}

"""Begin an import: look at the file, suggest a mapping, remember a person's choice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.importing import files, new_fields
from crm.importing.dialects import Dialect
from crm.importing.errors import FileError, ImportRefused
from crm.importing.importer import Importer, Profile
from crm.importing.mapping import Suggestion, matching_profile, suggest
from crm.importing.notes import run_in_name
from crm.importing.reader import Table, sniff
from crm.importing.rejects import escape_formula
from crm.jobs import enqueue
from crm.models import (
    ImportProfile,
    ImportRun,
    ImportState,
    JobState,
    Operation,
    User,
)

SAMPLE_ROWS = 10
# How long an uploaded file is kept for another try.
KEEP_DAYS = 7


def header_key(header: Sequence[str]) -> str:
    """Return what tells one file layout from another."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()


def make_suggestion(
    importer: Importer,
    table: Table,
    *,
    owner: User | None = None,
    profile: str = "",
    file_name: str = "",
) -> Suggestion:
    """Suggest by the named profile, by what the person chose before, or by the file."""
    header = table.read_header()
    rows = table.sample(new_fields.LOOK_ROWS).rows
    guessed = suggest(importer, header, rows)
    if profile:
        shipped = importer.profile(profile)
        if shipped is None:
            raise ImportRefused(
                _("There is no profile “%(name)s”.") % {"name": profile}
            )
        return from_profile(importer, shipped, guessed, file_name)
    remembered = ImportProfile.objects.filter(
        owner=owner, importer=importer.name, header_key=header_key(header)
    ).first()
    if owner is not None and remembered is not None:
        options = dict(remembered.options)
        constants = options.pop("constants", {})
        found = Suggestion(dict(remembered.mapping), constants, options)
        return new_fields.still_true(importer, found)
    found = matching_profile(
        (one for one in importer.profiles if one.by_header), header
    )
    if found is not None:
        return from_profile(importer, found, guessed, file_name)
    return guessed


def from_profile(
    importer: Importer, profile: Profile, guessed: Suggestion, file_name: str
) -> Suggestion:
    """Return what a shipped profile says; the file's name may tell more."""
    constants = dict(profile.constants)
    if profile.options.get("split_by_name"):
        constants |= importer.constants_for(file_name)
    options = {**guessed.options, **profile.options}
    return Suggestion(dict(profile.mapping), constants, options, profile.code)


def create_run(
    importer: Importer,
    *,
    file_path: str,
    file_name: str,
    owner: User | None,
    profile: str = "",
    origin: ImportRun | None = None,
    **dialect: str,
) -> ImportRun:
    """Look at a file and write down an import of it that can be started.

    A file of rejected rows goes in as the run did that it came from: ``origin``, or
    the one that its name tells.
    """
    with files.local(file_path) as path:
        found = sniff(path, file_name, **dialect)
        if "header_row" in dialect:
            found = replace(found, header_row=int(dialect["header_row"]))
        table = Table(path, found)
        suggestion = make_suggestion(
            importer, table, owner=owner, profile=profile, file_name=file_name
        )
        if origin is None and table.notes_at is not None and not profile:
            origin = origin_of(importer, owner, file_name)
    if origin is not None:
        suggestion = new_fields.still_true(
            importer, from_origin(origin, table.header, suggestion)
        )
    return ImportRun.objects.create(
        importer=importer.name,
        owner=owner,
        file_name=Path(file_name).name[:255],
        file_path=file_path,
        dialect=found.dump(),
        header=table.header,
        mapping=suggestion.mapping,
        options=options_from(suggestion, owner),
        **({"mode": origin.mode} if origin else {}),
    )


def origin_of(
    importer: Importer, owner: User | None, file_name: str
) -> ImportRun | None:
    """Return the person's run whose file of rejected rows has this name, if any."""
    runs = ImportRun.objects.filter(importer=importer.name, owner=owner)
    number = run_in_name(file_name)
    if number is not None:
        return runs.filter(pk=number).first()
    # By the command the file is taken from where it is kept.
    name = Path(file_name).name
    return runs.filter(rejects_path=f"{files.FOLDER}/{name}").first()


def from_origin(
    origin: ImportRun, header: Sequence[str], guessed: Suggestion
) -> Suggestion:
    """Assign the columns as that run did; others, such as added ones, as guessed."""
    # A name that looks like a formula got an apostrophe.
    there = {escape_formula(name): key for name, key in origin.mapping.items()}
    taken = {name: there[name] for name in header if name in there}
    used = set(taken.values())
    known = {escape_formula(name) for name in origin.header}
    for name, key in guessed.mapping.items():
        if name not in known and key not in used:
            taken[name] = key
    options = {**origin.options}
    return Suggestion(
        mapping=taken,
        constants=options.pop("constants", {}),
        profile=options.pop("profile", ""),
        options=options,
    )


def options_from(suggestion: Suggestion, owner: User | None) -> dict[str, Any]:
    """Return the options of a run; times are the person's own unless said otherwise."""
    zone = (owner and owner.time_zone) or settings.TIME_ZONE
    return {
        "time_zone": zone,
        **suggestion.options,
        "constants": suggestion.constants,
        "profile": suggestion.profile,
    }


def use_profile(run: ImportRun, importer: Importer, code: str) -> None:
    """Assign the columns as a shipped profile says."""
    with files.local(run.file_path) as path:
        suggestion = make_suggestion(
            importer,
            Table(path, Dialect.load(run.dialect)),
            profile=code or "-",
            file_name=run.file_name,
        )
    run.mapping = suggestion.mapping
    run.options = options_from(suggestion, run.owner)
    run.save(update_fields=["mapping", "options"])


def change_dialect(run: ImportRun, dialect: Dialect, importer: Importer) -> None:
    """Read the file in another way, and suggest anew if it has other columns then."""
    with files.local(run.file_path) as path:
        old = Table(path, Dialect.load(run.dialect))
        new = Table(path, dialect)
        header = new.read_header()
        if header != _header_or_none(old):
            suggestion = make_suggestion(
                importer, new, owner=run.owner, file_name=run.file_name
            )
            run.mapping = suggestion.mapping
            run.options = options_from(suggestion, run.owner)
    run.dialect, run.header = dialect.dump(), header
    run.save(update_fields=["dialect", "header", "mapping", "options"])


def _header_or_none(table: Table) -> list[str] | None:
    try:
        return table.read_header()
    except FileError:
        return None


@transaction.atomic
def remember(run: ImportRun, header: Sequence[str]) -> None:
    """Keep the person's mapping for the next file of this layout."""
    if run.owner is None:
        return
    ImportProfile.objects.update_or_create(
        owner=run.owner,
        importer=run.importer,
        header_key=header_key(header),
        defaults={
            "name": run.file_name[:120],
            "mapping": run.mapping,
            "options": run.options,
        },
    )


@transaction.atomic
def start(*, run: ImportRun, dry_run: bool) -> ImportRun:
    """Queue the check or the import of a run's file."""
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.state in (ImportState.CHECKING, ImportState.RUNNING, ImportState.DONE):
        return run
    run.state = ImportState.CHECKING if dry_run else ImportState.RUNNING
    run.started_at, run.error = timezone.now(), ""
    run.job = enqueue(
        "import",
        owner=run.owner,
        params={"run_id": run.pk, "dry_run": dry_run},
        title=run.file_name,
    )
    run.save(update_fields=["state", "started_at", "error", "job"])
    return run


def settle(run: ImportRun) -> ImportRun:
    """Let a run end with its job, where the job could not say so itself."""
    if run.state not in (ImportState.CHECKING, ImportState.RUNNING):
        return run
    if run.job is None or not run.job.is_finished:
        return run
    states = {
        JobState.CANCELLED: ImportState.CANCELLED,
        JobState.FAILED: ImportState.FAILED,
    }
    # A run whose job is done has written its state itself; read it again.
    new_state = states.get(JobState(run.job.state))
    if new_state is not None:
        ImportRun.objects.filter(
            pk=run.pk, state=run.state, job__state=run.job.state
        ).update(state=new_state, error=run.job.error, finished_at=timezone.now())
    run.refresh_from_db(fields=["state", "error", "finished_at"])
    return run


def undone(runs: Sequence[ImportRun]) -> set[int]:
    """Return the ids of the runs that are undone as things stand.

    An undo that was itself undone does not count; one query per step of that chain.
    """
    begun = {run.operation: run.pk for run in runs if run.operation}
    found: set[int] = set()
    now = dict(begun)
    while now:
        undos = Operation.objects.filter(undo_of__number__in=now)
        step = {
            number: now[of]
            for number, of in undos.values_list("number", "undo_of__number")
        }
        found ^= set(step.values())
        now = step
    return found


@transaction.atomic
def sweep_files() -> int:
    """Delete uploads that are no longer needed: they hold people's data."""
    old = timezone.now() - timedelta(days=KEEP_DAYS)
    runs = (
        ImportRun.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(created_at__lt=old)
        .exclude(file_path="")
        .exclude(state__in=[ImportState.CHECKING, ImportState.RUNNING])
    )
    count = 0
    for run in runs[:100]:
        stored = run.file_path
        run.file_path = ""
        run.save(update_fields=["file_path"])
        transaction.on_commit(partial(files.remove, stored))
        count += 1
    return count

"""This machine: disks, attachments, static files, backups."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backup.jobs import BACKUP, VERIFY, kept_backups
from crm.doctor.findings import Finding, check, fail, ok, warn
from crm.management.plain import size_of
from crm.models import Job, JobState

FULL, NEARLY_FULL = 1_000_000_000, 5_000_000_000
BACKUP_LATE, BACKUP_MISSING = timedelta(hours=30), timedelta(days=4)
TRIAL_LATE = timedelta(days=9)


@check("disk", gettext_lazy("Disk"), needs_database=False)
def disk() -> Iterator[Finding]:
    """Look how much room is left where the program writes."""
    seen = set()
    for folder in (settings.VAR_DIR, settings.MEDIA_ROOT, settings.BACKUP_DIR):
        place = existing(Path(folder))
        if place.stat().st_dev in seen:
            continue
        seen.add(place.stat().st_dev)
        free = shutil.disk_usage(place).free
        text = _("%(size)s are free for %(folder)s.") % {
            "size": size_of(free),
            "folder": folder,
        }
        mend = _("Free some space, or move the folder to a larger disk.")
        if free < FULL:
            yield fail(text, mend)
        elif free < NEARLY_FULL:
            yield warn(text, mend)
        else:
            yield ok(text)


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


@check("media", gettext_lazy("Attachments"), needs_database=False)
def media() -> Iterator[Finding]:
    """Write a small file, read it, and take it away."""
    try:
        name = default_storage.save(".doctor", ContentFile(b"well"))
        with default_storage.open(name) as file:
            is_well = file.read() == b"well"
        default_storage.delete(name)
    except OSError as error:
        yield fail(
            _("%(folder)s cannot be written: %(reason)s")
            % {"folder": settings.MEDIA_ROOT, "reason": error.strerror or error},
            _("Give the folder to the user that runs the program (MEDIA_ROOT)."),
        )
        return
    if is_well:
        yield ok(_("They can be written and read."))
    else:
        yield fail(
            _("A file came back changed from the storage of attachments."),
            _("Check the disk that holds MEDIA_ROOT."),
        )


@check("static", gettext_lazy("Static files"), needs_database=False)
def static() -> Iterator[Finding]:
    """Compare what is collected with what there is."""
    collect = "bin/manage collectstatic --noinput"
    known = getattr(staticfiles_storage, "hashed_files", None)
    if known is None:
        yield ok(_("They are served under their own names."))
        return
    if not known:
        yield fail(_("They are not collected: pages have no look."), collect)
        return
    made = (settings.STATIC_ROOT / staticfiles_storage.manifest_name).stat().st_mtime
    missing, changed = 0, 0
    for finder in get_finders():
        for path, storage in finder.list(["CVS", ".*", "*~"]):
            prefix = getattr(storage, "prefix", "")
            missing += (f"{prefix}/{path}" if prefix else path) not in known
            changed += Path(storage.path(path)).stat().st_mtime > made
    if missing or changed:
        yield warn(
            _("%(missing)s are not collected, %(changed)s are newer than collected.")
            % {"missing": missing, "changed": changed},
            collect,
        )
    else:
        yield ok(_("All are collected."))


@check("backup", gettext_lazy("Backup"), needs_database=False)
def backup() -> Iterator[Finding]:
    """Look how old the newest backup is."""
    mend = _(
        "Let the scheduler and a worker of the queue analytics run, or: "
        "bin/manage backup FILE"
    )
    newest = next(iter(kept_backups()), None)
    if newest is None:
        yield warn(_("There is no backup in %s.") % settings.BACKUP_DIR, mend)
        return
    stamp = newest.name.removeprefix("crm-").partition(".")[0]
    made = datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    age = timezone.now() - made
    text = _("The newest, %(name)s (%(size)s), is %(hours)s hours old.") % {
        "name": newest.name,
        "size": size_of(newest.stat().st_size),
        "hours": int(age.total_seconds() // 3600),
    }
    if age > BACKUP_MISSING:
        yield fail(text, mend)
    elif age > BACKUP_LATE:
        yield warn(text, mend)
    else:
        yield ok(text)


@check("trial", gettext_lazy("Trial of the newest backup"))
def trial() -> Iterator[Finding]:
    """Look how the last backup and the last trial ended."""
    try_it = _("Queue it in the admin, under periodic tasks: try-backup.")
    for kind in (BACKUP, VERIFY):
        ended = Job.objects.filter(kind=kind).exclude(finished_at=None)
        last = ended.order_by("-finished_at").first()
        if last is not None and last.state == JobState.FAILED:
            again = _(
                "Mend what it says, then queue it again in the admin, "
                "under periodic tasks."
            )
            yield fail(f"{last}: {last.error}", again)
        elif kind == BACKUP:
            continue
        elif last is None:
            yield warn(_("No backup was tried out yet."), try_it)
        elif timezone.now() - last.finished_at > TRIAL_LATE:
            yield warn(
                _("The last one was on %s.") % last.finished_at.date().isoformat(),
                try_it,
            )
        elif last.state == JobState.DONE:
            yield ok(
                _("%(file)s was restored on %(day)s; counts and sums were right.")
                % {
                    "file": last.result.get("file", ""),
                    "day": last.finished_at.date().isoformat(),
                }
            )

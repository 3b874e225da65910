"""The nightly backup, and the weekly trial of the newest one.

Both on the queue of long work: on the other one they would hold up what is expected
within seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backup.create import describe, file_error, write_backup
from crm.backup.restore import try_out
from crm.exceptions import UserVisibleError
from crm.jobs import JobHandle, job

BACKUP, VERIFY = "backup", "verify-backup"
ENDING = ".crmbackup"


def kept_backups() -> list[Path]:
    """Return the backups in the folder, the newest first; their names are times."""
    return sorted(settings.BACKUP_DIR.glob(f"crm-*{ENDING}"), reverse=True)


@job(BACKUP, queue="analytics", label=gettext_lazy("Backup"))
def nightly_backup(handle: JobHandle) -> dict[str, Any]:
    """Write a backup into the folder of backups; keep the newest ones."""
    name = timezone.now().strftime(f"crm-%Y%m%d-%H%M%S{ENDING}")
    path = settings.BACKUP_DIR / name
    try:
        settings.BACKUP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        manifest = write_backup(path, key=settings.BACKUP_KEY, progress=handle.progress)
        for old in kept_backups()[max(1, settings.BACKUP_KEEP) :]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise file_error(error, settings.BACKUP_DIR) from error
    handle.log(_("Written: %(file)s") % {"file": path})
    return {"file": name, **describe(manifest)}


@job(VERIFY, queue="analytics", label=gettext_lazy("Trial of the newest backup"))
def verify_newest(handle: JobHandle) -> dict[str, Any]:
    """Restore the newest backup into a scratch database and compare."""
    newest = next(iter(kept_backups()), None)
    if newest is None:
        raise UserVisibleError(
            _("There is no backup in %(folder)s.") % {"folder": settings.BACKUP_DIR}
        )
    handle.log(_("Trying out %(file)s") % {"file": newest})
    manifest = try_out(newest, key=settings.BACKUP_KEY, progress=handle.progress)
    handle.log(_("Restored; counts and sums are those of the backup."))
    return {"file": newest.name, **describe(manifest)}

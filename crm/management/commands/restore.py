"""Restore a backup; whatever goes wrong leaves the old state."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from crm.backup import restore as work
from crm.backup.create import describe
from crm.management.plain import folder_or_file, plainly, progress_to


class Command(BaseCommand):
    """Check FILE, load it beside the database, compare, and exchange the two."""

    help = (
        "Restore a backup: the file is checked, loaded into a database beside the "
        "present one, compared by counts and sums, and only then put in its place. "
        "The last line is JSON."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", metavar="FILE", type=folder_or_file)
        parser.add_argument("--check", action="store_true", help="only check the file")
        parser.add_argument(
            "--force", action="store_true", help="end other connections"
        )
        parser.add_argument(
            "--into", metavar="DATABASE", help="a new database; exchange nothing"
        )
        parser.add_argument(
            "--skip", metavar="TABLE", action="append", default=[], help="leave out"
        )
        parser.add_argument("--without-media", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say where the old state is kept."""
        began = time.monotonic()
        with plainly():
            result = self._do(options)
        result["seconds"] = round(time.monotonic() - began, 1)
        self.stdout.write(json.dumps(result))

    def _do(self, options: dict[str, Any]) -> dict[str, Any]:
        how = {
            "key": settings.BACKUP_KEY,
            "progress": progress_to(self.stderr.write),
        }
        path, skip = options["file"], tuple(options["skip"])
        if options["check"]:
            manifest = work.check(path, **how)
            self.stderr.write(_("The backup is as it was written."))
            return describe(manifest)
        if options["into"]:
            manifest = work.restore_into(path, options["into"], skip=skip, **how)
            self.stderr.write(_("Restored; counts and sums are those of the backup."))
            return {**describe(manifest), "database": options["into"]}
        work.leave_the_database()
        done = work.restore(
            path,
            force=options["force"],
            skip=skip,
            with_media=not options["without_media"],
            **how,
        )
        self.stderr.write(_("Restored; counts and sums are those of the backup."))
        self.stderr.write(
            _("The old database is kept as %(name)s; drop it when all is well.")
            % {"name": done["database"]}
        )
        if done["media"]:
            self.stderr.write(
                _("The old attachments are kept in %(folder)s.")
                % {"folder": done["media"]}
            )
        kept = {"old_database": done["database"], "old_media": done["media"]}
        return {**describe(done["manifest"]), **kept}

"""Write a backup of the database and the attachments into one file."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from crm.backup.create import describe, write_backup
from crm.management.plain import folder_or_file, plainly, progress_to


class Command(BaseCommand):
    """Write FILE while people work on; encrypted where CRM_BACKUP_KEY is set."""

    help = (
        "Write the database and the attachments into one file, of one moment, while "
        "people work. CRM_BACKUP_KEY in the environment encrypts it. The last line is "
        "JSON: file, created_at, tables, rows, files, bytes, encrypted, seconds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", metavar="FILE", type=folder_or_file)
        parser.add_argument("--force", action="store_true", help="overwrite FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it and say what is in it."""
        began = time.monotonic()
        with plainly():
            manifest = write_backup(
                options["file"],
                key=settings.BACKUP_KEY,
                force=options["force"],
                progress=progress_to(self.stderr.write),
            )
        result = {
            "file": str(options["file"]),
            **describe(manifest),
            "encrypted": bool(settings.BACKUP_KEY),
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(result))

"""Import a file from the shell: the import of the pages, without the pages."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from crm.exceptions import UserVisibleError
from crm.importing import files
from crm.importing.importer import Importer, Mode, all_importers, get_importer
from crm.importing.new_fields import propose
from crm.importing.pipeline import run_import
from crm.importing.plan import OPTIONS
from crm.importing.services import create_run
from crm.models import ImportRun, ImportState, User

PROGRESS_SECONDS = 2


class Command(BaseCommand):
    """Import MODEL from FILE; exit 1 if any row was rejected."""

    help = (
        "Import a CSV or XLSX file. The last line of the output is JSON: rows, created,"
        " updated, unchanged, rejected, rejects_file, seconds, run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("model", metavar="MODEL", help="such as sales.orderline")
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--profile", default="", metavar="P")
        parser.add_argument("--mode", choices=Mode.values, default=Mode.UPSERT)
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            dest="cells",
            help="a value for every row, or an option such as time_zone",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            dest="mapping",
            help="put a column of the file into a field; an empty FIELD leaves it out",
        )
        parser.add_argument(
            "--add-field",
            action="append",
            default=[],
            metavar="COLUMN[=KIND]",
            dest="new",
            help="make a custom field of a column; without a kind it is guessed",
        )
        parser.add_argument(
            "--add-fields",
            action="store_true",
            dest="all_new",
            help="make a custom field of each column that matches no field",
        )
        parser.add_argument("--as", dest="username", default="", metavar="USER")
        parser.add_argument("--encoding", default="")
        parser.add_argument("--delimiter", default="", help="one character, or tab")
        parser.add_argument("--sheet", default="", help="of a workbook")
        parser.add_argument("--header-row", default="1", help="0: there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, say what happened, and exit by it."""
        importer = get_importer(options["model"])
        if importer is None:
            known = ", ".join(sorted(one.name for one in all_importers()))
            msg = f"No import for {options['model']!r}; there are: {known}."
            raise CommandError(msg)
        path = Path(options["file"]).resolve()
        if not path.is_file():
            msg = f"No file {path}"
            raise CommandError(msg)
        started = time.monotonic()
        run = None
        try:
            run = self._create(importer, path, options)
            run = run_import(
                run, dry_run=options["dry_run"], on_progress=self._progress()
            )
        except UserVisibleError as error:
            if run is not None:
                ImportRun.objects.filter(pk=run.pk).update(
                    state=ImportState.FAILED,
                    error=str(error),
                    finished_at=timezone.now(),
                )
            raise CommandError(str(error)) from error
        self._report(run, time.monotonic() - started)
        if run.rejected:
            sys.exit(1)

    def _create(
        self, importer: Importer, path: Path, options: dict[str, Any]
    ) -> ImportRun:
        delimiter = options["delimiter"].replace("\\t", "\t").replace("tab", "\t")
        run = create_run(
            importer,
            file_path=str(path),
            file_name=path.name,
            owner=self._person(options["username"]),
            profile=options["profile"],
            encoding=options["encoding"],
            delimiter=delimiter,
            sheet=options["sheet"],
            header_row=options["header_row"],
        )
        run.mode = options["mode"]
        run.state, run.started_at = ImportState.RUNNING, timezone.now()
        for header, key in map(self._pair, options["mapping"]):
            run.mapping[header] = key
        propose(run, importer.model, options["new"], every=options["all_new"])
        constants = run.options.setdefault("constants", {})
        for key, value in map(self._pair, options["cells"]):
            target = constants if key in importer.by_key else run.options
            if target is run.options and key not in (*OPTIONS, *run.options):
                fields = ", ".join([*OPTIONS, *importer.by_key])
                msg = f"--set: there is no {key!r}; there are: {fields}."
                raise CommandError(msg)
            target[key] = value
        run.save()
        self._say_how(run)
        return run

    def _pair(self, text: str) -> tuple[str, str]:
        key, sign, value = text.partition("=")
        if not sign:
            msg = f"Write {text!r} as KEY=VALUE."
            raise CommandError(msg)
        return key, value

    def _person(self, name: str) -> User | None:
        if not name:
            return None
        found = User.objects.filter(Q(username=name) | Q(email__iexact=name))
        person = found.filter(is_active=True).first()
        if person is None:
            msg = f"No active person is called {name!r}."
            raise CommandError(msg)
        return person

    def _say_how(self, run: ImportRun) -> None:
        """Show what was guessed, so that a wrong guess is seen."""
        dialect = run.dialect
        sure = "" if dialect["is_certain"] else " (a guess: --encoding sets another)"
        if dialect["kind"] == "csv":
            self.stderr.write(
                f"encoding {dialect['encoding']}{sure}, "
                f"delimiter {dialect['delimiter']!r}"
            )
        mapping = ", ".join(f"{name} → {key}" for name, key in run.mapping.items())
        self.stderr.write(f"columns: {mapping or 'none'}")

    def _progress(self) -> Any:
        last = [time.monotonic()]

        def report(done: int, total: int, message: str) -> None:
            if time.monotonic() - last[0] >= PROGRESS_SECONDS:
                last[0] = time.monotonic()
                share = f"{100 * done // total} % " if total else ""
                self.stderr.write(f"{share}{message}")

        return report

    def _report(self, run: ImportRun, seconds: float) -> None:
        """Write the line that other programs read."""
        rejects = files.path_of(run.rejects_path) if run.rejects_path else None
        counts = {
            name: getattr(run, name)
            for name in ("rows", "created", "updated", "unchanged", "rejected")
        }
        result = {
            **counts,
            "rejects_file": rejects,
            "seconds": round(seconds, 2),
            "run": run.pk,
            "dry_run": run.state == ImportState.CHECKED,
            "objects": run.objects_changed,
        }
        if rejects:
            self.stderr.write(f"{run.rejected} rows were rejected: {rejects}")
        self.stdout.write(json.dumps(result))

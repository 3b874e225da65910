"""Add the demo data, or take it away."""

import json
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from crm.history.context import acting
from crm.models import OperationKind
from crm.seeding import (
    DEFAULT_SEED,
    Demo,
    known_logins,
    note_removed,
    seed_all,
    was_removed,
)
from crm.unseeding import Removal, remove_all

SHOWN = 20


def a_date(text: str) -> date:
    """Read a date as ISO 8601 writes it."""
    return date.fromisoformat(text)


class Command(BaseCommand):
    """Add or remove rows with ``is_demo``; real rows are never touched."""

    help = "Add the demo data (kept if it is there), or take it away with --remove."

    # The addresses do not matter here, and checking them costs a second.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="take it away")
        parser.add_argument(
            "--as-of", type=a_date, help="the date that everything is told from"
        )
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument(
            "--scale", type=float, default=1.0, help="0.1 makes a tenth of the rows"
        )

        parser.add_argument(
            "--unless-removed",
            action="store_true",
            help="add nothing where it was taken away before",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self.remove()
        else:
            self.add(options)

    def add(self, options: dict[str, Any]) -> None:
        if not 0 < options["scale"] <= 100:
            raise CommandError("--scale must be above 0 and at most 100.")
        if options["unless_removed"] and was_removed():
            self.stdout.write("The demo data was taken away; it is not added again.")
            logins = [asdict(login) for login in known_logins()]
            self.stdout.write(json.dumps({"seeded": False, "logins": logins}))
            return
        began = time.monotonic()
        demo = Demo(
            today=options["as_of"] or datetime.now(UTC).date(),
            seed=options["seed"],
            scale=options["scale"],
            log=self.stdout.write,
        )
        with acting(OperationKind.COMMAND, title="Demo data"):
            seeded = seed_all(demo)
        self.stdout.write(
            f"The demo data was added in {time.monotonic() - began:.1f} s."
            if seeded
            else "The demo data is there already; nothing was changed."
        )
        logins = [asdict(login) for login in known_logins()]
        self.stdout.write(json.dumps({"seeded": seeded, "logins": logins}))

    def remove(self) -> None:
        with transaction.atomic():
            removal = remove_all()
            if any(removal.deleted.values()):
                note_removed(True)
        for model, count in removal.deleted.items():
            if count:
                name = model._meta.verbose_name_plural
                self.stdout.write(f"{name}: {count} removed")
        self.tell_kept(removal)
        result = {
            "removed": sum(removal.deleted.values()),
            "kept": sum(map(len, removal.kept.values())),
        }
        self.stdout.write(json.dumps(result))

    def tell_kept(self, removal: Removal) -> None:
        """Say which rows stay and which row needs each."""
        for model, rows in removal.kept.items():
            for row in model._base_manager.filter(pk__in=list(rows)[:SHOWN]):
                self.stdout.write(
                    f"{model._meta.verbose_name} {row.pk} ({row}) stays: {rows[row.pk]}"
                )
            if len(rows) > SHOWN:
                self.stdout.write(
                    f"{model._meta.verbose_name_plural}: {len(rows) - SHOWN} more stay"
                )

"""Measure every budget at full size."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.bench import runner
from crm.bench.scratch import Scratch
from crm.exceptions import UserVisibleError

FULL_SIZE = 1_000_000


class Command(BaseCommand):
    """Fill a scratch database and measure pages, search, import, export and jobs."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--customers", type=int, default=FULL_SIZE, metavar="N")
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="NAME",
            help="what has this in its name; may be given again",
        )
        parser.add_argument("--json", metavar="F", help="write the figures to a file")
        parser.add_argument(
            "--requests", type=int, default=runner.REQUESTS, metavar="N"
        )
        parser.add_argument("--fill", action="store_true", help="fill, measure nothing")
        parser.add_argument("--drop", action="store_true", help="drop the database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill what is missing, measure, and print the table."""
        size = options["customers"]
        if size < 1:
            msg = "--customers is a number from 1 on."
            raise CommandError(msg)
        scratch = Scratch(size, self.say)
        if options["drop"]:
            found = "is gone" if scratch.drop() else "was not there"
            self.say(f"The database {scratch.name} {found}.")
            return
        wanted = runner.chosen(options["only"])
        if not wanted:
            names = "\n".join(f"  {one.name}" for one in runner.chosen([]))
            msg = f"Nothing has this in its name; there are:\n{names}"
            raise CommandError(msg)
        try:
            scratch.open()
            seconds = scratch.fill()
            if options["fill"]:
                return
            results = runner.run(
                scratch.name, size, wanted, self.say, max(2, options["requests"])
            )
            self.stdout.write(runner.table(results))
            if options["json"]:
                runner.write_json(options["json"], size, seconds, results)
        except UserVisibleError as error:
            raise CommandError(str(error)) from error
        finally:
            scratch.leave()

    def say(self, text: str) -> None:
        """Tell how far it is, beside the table."""
        self.stderr.write(text)

"""Write the entries of the search anew."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.search.declaration import all_searches
from crm.search.triggers import reindex


class Command(BaseCommand):
    """Index some or all models anew, while the others work on."""

    help = "Write what rows are found by anew; without a model for all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take names of models."""
        parser.add_argument("models", nargs="*", metavar="app.Model")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the entries, telling each model's number of rows."""
        try:
            chosen = [apps.get_model(name) for name in options["models"]]
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        searched = {search.model for search in all_searches()}
        for model in chosen:
            if model not in searched:
                msg = f"{model._meta.label} is not searched."
                raise CommandError(msg)
        reindex(chosen, self.stdout.write)

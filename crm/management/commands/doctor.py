"""Examine the running system."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.doctor.findings import FAIL, OK, WARN, Finding, examine
from crm.management.plain import plainly


class Command(BaseCommand):
    """Say what is well, what is not, and how to mend it; exit 1 if anything fails."""

    help = "Check the running system; says what is wrong and how to mend it."
    # What they would find is found here, too, with the rest.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, line by line."""
        words = {}
        counts = dict.fromkeys((OK, WARN, FAIL), 0)
        found = []
        with plainly():
            words = {
                OK: pgettext("doctor", "ok"),
                WARN: pgettext("doctor", "warn"),
                FAIL: pgettext("doctor", "fail"),
            }
            for one, finding in examine():
                counts[finding.level] += 1
                if options["json"]:
                    found.append({"check": one.key, **vars(finding)})
                else:
                    self._say(words[finding.level], str(one.title), finding)
            if not options["json"]:
                self.stdout.write(
                    _("%(ok)s ok, %(warn)s to look at, %(fail)s to mend") % counts
                )
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not counts[FAIL], "findings": found}))
        if counts[FAIL]:
            sys.exit(1)

    def _say(self, word: str, title: str, finding: Finding) -> None:
        style = {OK: self.style.SUCCESS, WARN: self.style.WARNING}
        paint = style.get(finding.level, self.style.ERROR)
        self.stdout.write(f"{paint(f'{word:5}')} {title}: {finding.text}")
        if finding.mend:
            self.stdout.write(f"      → {finding.mend}")

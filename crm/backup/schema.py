"""Give an empty database the tables of a backup: those of its migrations, no others.

Migrations and what follows them talk to *the* database, so they run in a process of
their own for which the scratch database is the configured one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.utils.translation import gettext as _

from crm.exceptions import UserVisibleError

Migrations = list[list[str]]


def known_migrations() -> set[tuple[str, str]]:
    """Return the migrations of this version of the program."""
    from django.db.migrations.loader import MigrationLoader

    return set(MigrationLoader(None).graph.nodes)


def applied_migrations(link: psycopg.Connection) -> Migrations:
    """Return [app, name] of what a database has; leftovers of old apps do not count."""
    rows = link.execute("SELECT app, name FROM django_migrations ORDER BY id")
    known = known_migrations()
    return [list(row) for row in rows if row in known]


def is_older(migrations: Migrations) -> bool:
    """Tell whether this version has more; raises UserVisibleError if it has less."""
    applied, known = {(app, name) for app, name in migrations}, known_migrations()
    unknown = sorted(f"{app}.{name}" for app, name in applied - known)
    if unknown:
        raise UserVisibleError(
            _(
                "The backup is of a newer version of the program, with %(migrations)s; "
                "restore it with that version."
            )
            % {"migrations": ", ".join(unknown[:5])}
        )
    return applied != known


def migrate(name: str, migrations: Migrations | None = None) -> None:
    """Bring a database to exactly these migrations, or to this version's."""
    url = urlsplit(os.environ["DATABASE_URL"])
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "crm.backup.schema"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": urlunsplit(url._replace(path=f"/{quote(name)}")),
            "DJANGO_SETTINGS_MODULE": "crm.settings",
        },
        input=json.dumps(migrations),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserVisibleError(
            _("The tables cannot be made in the database %(name)s: %(reason)s")
            % {"name": name, "reason": lines[-1] if lines else done.returncode}
        )


def main() -> None:
    """Migrate the configured database; the migrations come as JSON, null for all."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    wanted = json.load(sys.stdin)
    if wanted is None:
        call_command("migrate", interactive=False, verbosity=0)
    else:
        MigrationExecutor(connection).migrate([tuple(one) for one in wanted])


if __name__ == "__main__":
    main()

"""A database beside the configured one that may be filled and thrown away."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection

from crm.bench.fill import Fill
from crm.bench.registry import steps
from crm.exceptions import UserVisibleError

Say = Callable[[str], None]
# Any constant number will do; it holds for the scratch database alone.
LOCK = 7_301_995

# How far the fill has come lies in a schema of its own, so that the tables of the
# product are exactly those that ``migrate`` makes.
MARKS = """
    CREATE SCHEMA IF NOT EXISTS bench;
    CREATE TABLE IF NOT EXISTS bench.step
        (name text PRIMARY KEY, rows bigint, seconds float8);
    CREATE OR REPLACE FUNCTION bench.chance(i bigint, salt bigint) RETURNS float8
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN (hashint8extended(i, salt) & 2147483647) / 2147483648.0;
    CREATE OR REPLACE FUNCTION bench.pick(items text[], i bigint, salt bigint)
        RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN items[1 + floor(bench.chance(i, salt) * cardinality(items))::int];
"""


class Scratch:
    """One scratch database; its name says the size, so sizes stand side by side."""

    def __init__(self, size: int, say: Say) -> None:
        self.home = connection.settings_dict["NAME"]
        self.name = f"{self.home}_bench_{size}"
        self.size = size
        self.say = say

    def exists(self) -> bool:
        """Tell whether the database is there."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            return cursor.fetchone() is not None

    def drop(self) -> bool:
        """Throw the database away; False if there was none."""
        if not self.exists():
            return False
        name = connection.ops.quote_name(self.name)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        return True

    def open(self) -> None:
        """Create the database where it is missing, go over to it, and migrate it."""
        if not self.exists():
            self._create()
        self._use(self.name)
        self._hold()
        self._prepare()
        if Fill(self.size, self.say).is_broken():
            self.say("The last fill was interrupted; starting anew.")
            self.leave()
            self.drop()
            self._create()
            self._use(self.name)
            self._prepare()

    def _use(self, name: str) -> None:
        connection.close()
        settings.DATABASES["default"]["NAME"] = name
        connection.settings_dict["NAME"] = name

    def _hold(self) -> None:
        """Keep others away: a fill at work would be taken for an interrupted one."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            (is_ours,) = cursor.fetchone()
        if not is_ours:
            self.leave()
            msg = f"Another bench is at work with {self.name}; wait for its end."
            raise UserVisibleError(msg)

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(MARKS)

    def leave(self) -> None:
        """Go back to the configured database."""
        self._use(self.home)

    def _create(self) -> None:
        name = connection.ops.quote_name(self.name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name}")
        except ProgrammingError as error:
            msg = f"The database {self.name} cannot be created: {error}".strip()
            raise UserVisibleError(msg) from error

    def fill(self) -> float:
        """Run the steps that have not been run; return the seconds of all."""
        fill = Fill(self.size, self.say)
        missing = [step for step in steps() if not fill.is_done(step.name)]
        for step in missing:
            fill.run(step)
        if missing:
            # Triggers and migrations filled tables that no step knows.
            self.say("VACUUM ANALYZE")
            fill.sql("VACUUM ANALYZE")
        return fill.seconds()

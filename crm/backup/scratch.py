"""A database beside the configured one: made, thrown away, or put in its place.

All of it from a connection to a third database, which also holds the lock that lets
only one restore or trial of a database run at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from crm.backup import database
from crm.exceptions import UserVisibleError

# PostgreSQL cuts longer names off.
LONGEST_NAME = 63
THIRD = ("postgres", "template1")
TRIES = 5
# What a database is made with differs between versions of the server.
LIKE = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider,
           to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale',
           to_jsonb(d) ->> 'daticurules'
    FROM pg_database d WHERE datname = %s
"""
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
OTHERS = """
    SELECT count(*), count(pg_terminate_backend(CASE WHEN %s THEN pid END))
    FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'
"""
SETTINGS = """
    SELECT unnest(setconfig) FROM pg_db_role_setting
    WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)
"""


def beside(name: str, ending: str) -> str:
    """Return a name for a database that belongs to another one."""
    return f"{name[: LONGEST_NAME - len(ending) - 1]}_{ending}"


class Room:
    """Where databases are made and exchanged; open it by ``room()``."""

    def __init__(self, link: psycopg.Connection, live: str) -> None:
        self.link = link
        self.live = live

    def exists(self, name: str) -> bool:
        """Tell whether there is such a database."""
        found = self.link.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return found.fetchone() is not None

    def create(self, name: str) -> None:
        """Make an empty database, with the language and settings of the live one."""
        try:
            self.link.execute(self._creation(name))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserVisibleError(
                _(
                    "The role %(role)s may not create databases, which a restore "
                    "needs: ALTER ROLE %(role)s CREATEDB."
                )
                % {"role": self.link.info.user}
            ) from error
        with database.connect(name) as link:
            for (line,) in self.link.execute(SETTINGS, [self.live]).fetchall():
                key, _sign, value = line.partition("=")
                link.execute("SELECT set_config(%s, %s, false)", [key, value])
                taken = sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT")
                setting = sql.SQL(".").join(map(sql.Identifier, key.split(".")))
                link.execute(taken.format(sql.Identifier(name), setting))

    def _creation(self, name: str) -> sql.Composed:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(
            sql.Identifier(name)
        )
        row = self.link.execute(LIKE, [self.live]).fetchone()
        if row is None:
            return create
        encoding, collate, ctype, provider, locale, icu, rules = row
        options = {"ENCODING": encoding, "LC_COLLATE": collate, "LC_CTYPE": ctype}
        options["LOCALE_PROVIDER"] = PROVIDERS.get(provider)
        if provider == "i":
            options["ICU_LOCALE"], options["ICU_RULES"] = locale or icu, rules
        elif provider == "b":
            options["BUILTIN_LOCALE"] = locale
        return create + sql.SQL("").join(
            sql.SQL(f" {key} = {{}}").format(sql.Literal(value))
            for key, value in options.items()
            if value
        )

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is in it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self.link.execute(drop.format(sql.Identifier(name)))

    def others(self, *, end: bool = False) -> int:
        """Return how many connections to the live database there are; or end them."""
        return self.link.execute(OTHERS, [end, self.live]).fetchone()[0]  # type: ignore

    def require_alone(self, *, force: bool) -> None:
        """Raise UserVisibleError while others work in the live database."""
        count = self.others(end=force)
        if count and not force:
            raise UserVisibleError(
                _(
                    "Others use the database (connections: %(count)s). Stop the web "
                    "server, the workers and the scheduler, or use --force to end "
                    "the connections."
                )
                % {"count": count}
            )

    def exchange(self, name: str, aside: str, also: Any, *, force: bool) -> None:
        """Put a database in place of the live one, which is kept under another name.

        Both renames become true together. ``also`` is called just before, and is to
        raise where the exchange must not be.
        """
        for left in reversed(range(TRIES)):
            self.require_alone(force=force)
            try:
                with self.link.transaction():
                    if self.exists(self.live):
                        self._rename(self.live, aside)
                    self._rename(name, self.live)
                    also()
            except psycopg.errors.ObjectInUse:
                # Someone came back between the two steps.
                if not left:
                    raise
                time.sleep(0.2)
            else:
                return

    def _rename(self, name: str, new: str) -> None:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        self.link.execute(rename.format(sql.Identifier(name), sql.Identifier(new)))


@contextmanager
def room() -> Iterator[Room]:
    """Open the room of the configured database, if nobody else is in it."""
    live = connection.settings_dict["NAME"]
    with _third() as link:
        (alone,) = link.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"restore {live}"]
        ).fetchone()  # type: ignore[misc]
        if not alone:
            raise UserVisibleError(
                _("Another restore or trial of a backup is running; wait for its end.")
            )
        try:
            yield Room(link, live)
        except psycopg.errors.DiskFull as error:
            raise UserVisibleError(
                _("The disk of the database server is full; nothing was changed.")
            ) from error


def _third() -> psycopg.Connection:
    for name in THIRD[:-1]:
        try:
            return database.connect(name)
        except psycopg.OperationalError:
            continue
    return database.connect(THIRD[-1])

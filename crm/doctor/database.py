"""The database server: does it answer, is it new enough, do the clocks agree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backup.media import BEFORE
from crm.backup.scratch import beside
from crm.doctor.findings import Finding, check, fail, ok, warn
from crm.management.plain import first_line, size_of

OLDEST = 15
SECONDS_APART, SECONDS_TOO_FAR = 2, 30


@check("database", gettext_lazy("Database"), needs_database=False)
def database() -> Iterator[Finding]:
    """Ask the server for its version."""
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError as error:
        connection.close()
        yield fail(
            _("The database does not answer: %s") % first_line(error),
            _("Start PostgreSQL, or correct DATABASE_URL."),
        )
        return
    if int(version.split(".")[0]) < OLDEST:
        yield fail(
            _("PostgreSQL %(version)s is too old.") % {"version": version},
            _("Move to PostgreSQL %s or newer.") % OLDEST,
        )
        return
    milliseconds = 1000 * (time.monotonic() - began)
    yield ok(
        _("PostgreSQL %(version)s answers in %(time).0f ms.")
        % {"version": version, "time": milliseconds}
    )


@check("clock", gettext_lazy("Clock"))
def clock() -> Iterator[Finding]:
    """Compare this machine's clock with the server's."""
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        theirs = float(cursor.fetchone()[0])
    apart = abs(theirs - (before + time.time()) / 2)
    if apart < SECONDS_APART:
        yield ok(
            _("This machine and the database agree; the time zone is %s.")
            % settings.TIME_ZONE
        )
        return
    found = fail if apart > SECONDS_TOO_FAR else warn
    yield found(
        _("The clocks of this machine and the database are %.0f seconds apart.")
        % apart,
        _("Let both machines take their time from the network (NTP)."),
    )


@check("leftovers", gettext_lazy("Kept old states"))
def leftovers() -> Iterator[Finding]:
    """Find what restores have left: old states that are kept, and halves."""
    live = connection.settings_dict["NAME"]
    halves = [beside(live, purpose) for purpose in ("restore", "verify")]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname, pg_database_size(datname) FROM pg_database"
            " WHERE datname = ANY(%s) OR starts_with(datname, %s) ORDER BY 1",
            [halves, beside(live, "before_2")],
        )
        rows = cursor.fetchall()
    for name, size in rows:
        facts = {"name": name, "size": size_of(size)}
        if name in halves:
            text = _("%(name)s (%(size)s) belongs to a restore that runs or was ended.")
            mend = _("The next restore removes it.")
        else:
            text = _("%(name)s (%(size)s) is kept from before a restore.")
            mend = _("When all is well: %s") % f'DROP DATABASE "{name}";'
        yield warn(text % facts, mend)
    folders = list(Path(settings.MEDIA_ROOT).glob(f"{BEFORE}*"))
    for folder in folders:
        text = _("%s is kept from before a restore.") % folder
        yield warn(text, _("When all is well: %s") % f"rm -r {folder}")
    if not rows and not folders:
        yield ok(_("Restores have left nothing."))

"""Demo data: each app's ``<app>/seed.py`` adds its part; see docs/demo-data.md.

Apps are asked as INSTALLED_APPS lists them, the lowest first, so a part finds the rows
that the apps below it made.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import connection, models, transaction

if TYPE_CHECKING:
    from crm.models import User

DEFAULT_SEED = 20250301
# Two commands must not fill the same database at once; any constant number will do.
LOCK = 7_301_995
# Stands among the seeded models where the demo data was taken away.
REMOVED = "demo data removed"
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Login:
    """A person of the demo data who can sign in."""

    role: str
    username: str
    password: str


@dataclass
class Demo:
    """What the parts share: the date, the chances, and the rows made so far."""

    today: date
    seed: int = DEFAULT_SEED
    scale: float = 1.0
    log: Callable[[str], None] = lambda text: None
    logins: list[Login] = field(default_factory=list)
    _made: dict[type[models.Model], list] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def now(self) -> datetime:
        """Return the moment before which everything happened: the start of the day."""
        return datetime.combine(self.today, time.min, tzinfo=UTC)

    @property
    def start(self) -> datetime:
        """Return the moment from which on things are told: two years back."""
        return self.now - timedelta(days=730)

    def random(self, name: str) -> random.Random:
        """Return a stream of chances of its own, so that no part disturbs another."""
        return random.Random(f"{self.seed}/{self.today.isoformat()}/{name}")  # noqa: S311

    def count(self, number: int) -> int:
        """Return how many rows to make of something at this scale."""
        return max(1, round(number * self.scale))

    def made(self, model: type[Row]) -> list[Row]:
        """Return the rows of a model made so far, with their ids."""
        return self._made[model]

    def people(self, role: str, language: str | None = None) -> list[User]:
        """Return the staff of a role, as crm/seed.py lists them."""
        from crm.models import User

        return [
            person
            for person in self.made(User)
            if person.demo_role == role and language in (None, person.demo_language)
        ]

    def add(self, rows: Iterable[Row]) -> list[Row]:
        """Insert rows of one model as demo data by COPY; each gets its id.

        Nothing is validated and no ``save`` runs. ``created_at`` keeps what the row
        says and is ``now`` without it; ``updated_at`` follows ``created_at``.
        """
        rows = list(rows)
        if not rows:
            return rows
        model = type(rows[0])
        self.give_ids(rows)
        for row in rows:
            if hasattr(row, "is_demo"):
                row.is_demo = True
            if hasattr(row, "created_at"):
                row.created_at = row.created_at or self.now
                row.updated_at = row.updated_at or row.created_at
            row._state.adding = False
        copy_rows(model, rows)
        self._made[model] += rows
        return rows

    def give_ids(self, rows: Sequence[models.Model]) -> None:
        """Number rows before they are added, where they refer to one another."""
        new = [row for row in rows if row.pk is None]
        if new:
            for row, pk in zip(new, next_ids(type(new[0]), len(new)), strict=True):
                row.pk = pk

    def free(self, model: type[models.Model], column: str, wanted: str) -> str:
        """Return a value that no row has yet: the wanted one, or one with a number."""
        taken = set(
            model._base_manager.filter(**{f"{column}__startswith": wanted}).values_list(
                column, flat=True
            )
        )
        value, number = wanted, 2
        while value in taken:
            value, number = f"{wanted} {number}", number + 1
        return value


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Take ids from the table's sequence."""
    meta = model._meta
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) "
            "FROM generate_series(1, %s)",
            [f'"{meta.db_table}"', meta.pk.column, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def copy_rows(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Write rows by COPY: a tenth of the time that INSERT takes."""
    fields = [one for one in model._meta.concrete_fields if not one.generated]
    # Only JSON needs a conversion; asking every field would double the time.
    convert = {one.attname: one for one in fields if isinstance(one, models.JSONField)}
    names = [one.attname for one in fields]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(one.column) for one in fields)
    table = quote(model._meta.db_table)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(
                [
                    convert[name].get_db_prep_save(getattr(row, name), connection)
                    if name in convert
                    else _plain(getattr(row, name))
                    for name in names
                ]
            )


def _plain(value: Any) -> Any:
    """Return a member of an enumeration as the text that it stands for."""
    return str(value) if isinstance(value, models.TextChoices) else value


def parts() -> list[tuple[str, Callable[[Demo], None]]]:
    """Return (app, function) of each app that has demo data, lowest first."""
    found = []
    for config in apps.get_app_configs():
        name = f"{config.name}.seed"
        if find_spec(name) is not None:
            found.append((config.label, import_module(name).seed))
    return found


def is_seeded() -> bool:
    """Tell whether the demo data is there."""
    from crm.models import User

    # A login that outlived a removal is locked; it does not count.
    return User.objects.filter(is_demo=True, is_active=True).exists()


def note_removed(removed: bool) -> None:
    """Remember that the demo data was taken away, or that it is wanted again.

    Its passwords are known to everyone, so a start must not bring them back.
    """
    from crm.models import SeededModel

    if removed:
        SeededModel.objects.get_or_create(model=REMOVED)
    else:
        SeededModel.objects.filter(model=REMOVED).delete()


def was_removed() -> bool:
    """Tell whether somebody took the demo data away."""
    from crm.models import SeededModel

    return SeededModel.objects.filter(model=REMOVED).exists()


@transaction.atomic
def seed_all(demo: Demo) -> bool:
    """Add every app's demo data; do nothing and return False where it is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if is_seeded():
        return False
    note_removed(False)
    for label, add_part in parts():
        demo.log(label)
        add_part(demo)
    return True


def known_logins() -> list[Login]:
    """Return the logins of demo data that is there."""
    from crm.models import User
    from crm.seed import LOGINS, password_of

    people = User.objects.filter(is_demo=True, is_active=True).prefetch_related("roles")
    by_role = {}
    for person in people.order_by("pk"):
        for role in person.roles.all():
            if person.has_usable_password():
                by_role.setdefault(role.code, person.username)
    return [
        Login(role, by_role[role], password_of(username))
        for role, username in LOGINS.items()
        if role in by_role
    ]

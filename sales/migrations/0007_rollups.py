"""Keep daily sums over orders, and note by triggers which days are out of date.

The triggers see whole statements, so raw SQL, COPY and bulk work are covered. An update
notes only the days whose sums it moved: the rows before and after it are compared as
multisets of what the sums are made of.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What the sums are made of; the day is one of UTC.
FACTS = """
    SELECT (placed_at AT TIME ZONE 'UTC')::date AS day,
           owner_id, currency, country, kind, total
    FROM {table} WHERE state IN ('confirmed', 'shipped', 'completed')
"""
NOTE = "INSERT INTO sales_changedday (day) SELECT DISTINCT day FROM ({rows}) x;"
OLD, NEW = FACTS.format(table="old_rows"), FACTS.format(table="new_rows")
MOVED = f"(({OLD}) EXCEPT ALL ({NEW})) UNION ALL (({NEW}) EXCEPT ALL ({OLD}))"
EVENTS = {
    "insert": (NOTE.format(rows=NEW), "NEW TABLE AS new_rows"),
    "delete": (NOTE.format(rows=OLD), "OLD TABLE AS old_rows"),
    "update": (
        NOTE.format(rows=MOVED),
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    ),
    "truncate": (NOTE.format(rows="SELECT day FROM sales_ordersum"), ""),
}


def forward(event: str) -> str:
    """Return the trigger of one kind of statement."""
    note, tables = EVENTS[event]
    referencing = f"REFERENCING {tables}" if tables else ""
    return f"""
        CREATE FUNCTION sales_note_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {note}
            RETURN NULL;
        END $$;
        CREATE TRIGGER sales_note_{event} AFTER {event} ON sales_order
            {referencing} FOR EACH STATEMENT EXECUTE FUNCTION sales_note_{event}();
    """


def backward(event: str) -> str:
    """Return what takes the trigger away."""
    return f"""
        DROP TRIGGER sales_note_{event} ON sales_order;
        DROP FUNCTION sales_note_{event}();
    """


# Until the first refresh every day is read from the orders.
EVERY_DAY = NOTE.format(rows=FACTS.format(table="sales_order"))


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0006_boards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangedDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("day", models.DateField()),
            ],
            options={
                "verbose_name": "changed day",
                "verbose_name_plural": "changed days",
            },
        ),
        migrations.CreateModel(
            name="OrderSum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "grain",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("country", "Country"),
                            ("owner", "Owner"),
                            ("both", "Both"),
                        ],
                        max_length=7,
                    ),
                ),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("country", models.CharField(default="", max_length=80)),
                ("sales", models.IntegerField()),
                ("returns", models.IntegerField()),
                ("sold", models.DecimalField(decimal_places=7, max_digits=38)),
                ("returned", models.DecimalField(decimal_places=7, max_digits=38)),
                (
                    "owner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "sum of orders",
                "verbose_name_plural": "sums of orders",
                "indexes": [
                    models.Index(fields=["grain", "day"], name="order_sum_by_day"),
                    models.Index(
                        condition=models.Q(("grain__in", ["owner", "both"])),
                        fields=["owner", "grain", "day"],
                        name="order_sum_by_owner",
                    ),
                ],
            },
        ),
        *[migrations.RunSQL(forward(event), backward(event)) for event in EVENTS],
        migrations.RunSQL(EVERY_DAY, migrations.RunSQL.noop),
    ]

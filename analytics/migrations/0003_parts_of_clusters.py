"""Keep how many customers of a cluster one person has.

The triggers see whole statements, so raw SQL and bulk work are covered. They only ever
add lines: two people who hand over customers at once do not wait for each other.
"""

import django.db.models.deletion
from django.db import migrations, models

# OFFSET 0 keeps each customer a look-up: the planner would rather read all segments.
NOTE = """
    INSERT INTO analytics_clusterpart (run_id, owner_id, cluster, size)
    SELECT s.run_id, c.owner_id, s.cluster, sum(c.size)
    FROM ({changes}) c
    CROSS JOIN (
        SELECT r.id FROM analytics_run r
        WHERE r.key = 'segmentation' AND (r.is_current OR r.state = 'running')
            AND EXISTS (SELECT FROM analytics_cluster k WHERE k.run_id = r.id)
    ) known
    CROSS JOIN LATERAL (
        SELECT one.run_id, one.cluster FROM analytics_customersegment one
        WHERE one.run_id = known.id AND one.customer_id = c.id OFFSET 0
    ) s
    WHERE s.cluster IS NOT NULL AND c.owner_id IS NOT NULL
    GROUP BY 1, 2, 3;
"""
MOVED = """
    SELECT o.id, side.owner_id, side.size
    FROM old_rows o JOIN new_rows n ON n.id = o.id
    CROSS JOIN LATERAL (VALUES (o.owner_id, -1), (n.owner_id, 1)) side (owner_id, size)
    WHERE n.owner_id IS DISTINCT FROM o.owner_id
"""
EVENTS = {
    "update": (MOVED, "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    "delete": ("SELECT id, owner_id, -1 AS size FROM old_rows", "OLD TABLE AS old_rows"),
}
CURRENT = """
    INSERT INTO analytics_clusterpart (run_id, owner_id, cluster, size)
    SELECT s.run_id, c.owner_id, s.cluster, count(*)
    FROM analytics_run r
    JOIN analytics_customersegment s ON s.run_id = r.id
    JOIN customers_customer c ON c.id = s.customer_id
    WHERE r.key = 'segmentation' AND r.is_current
        AND s.cluster IS NOT NULL AND c.owner_id IS NOT NULL
    GROUP BY 1, 2, 3;
"""


def forward(event):
    """Return the trigger of one kind of statement."""
    changes, tables = EVENTS[event]
    return f"""
        CREATE FUNCTION analytics_part_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {NOTE.format(changes=changes)}
            RETURN NULL;
        END $$;
        CREATE TRIGGER analytics_part_{event} AFTER {event} ON customers_customer
            REFERENCING {tables}
            FOR EACH STATEMENT EXECUTE FUNCTION analytics_part_{event}();
    """


def backward(event):
    """Return what takes the trigger away."""
    return f"""
        DROP TRIGGER analytics_part_{event} ON customers_customer;
        DROP FUNCTION analytics_part_{event}();
    """


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0002_initial"),
        ("customers", "0004_customer_by_country"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClusterPart",
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
                ("owner_id", models.BigIntegerField()),
                ("cluster", models.PositiveIntegerField()),
                ("size", models.BigIntegerField()),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="analytics.run",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of a cluster",
                "verbose_name_plural": "parts of clusters",
                "indexes": [
                    models.Index(fields=["run", "owner_id"], name="cluster_part")
                ],
            },
        ),
        *(migrations.RunSQL(forward(event), backward(event)) for event in EVENTS),
        migrations.RunSQL(CURRENT, migrations.RunSQL.noop),
    ]

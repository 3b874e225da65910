"""Keep the sums of days by month, too; whoever asks for a year reads a tenth."""

from django.db import migrations, models

# Waits for whoever sums up days just now (sales/rollups.py), so that none is missed.
FILL = """
    SELECT pg_advisory_xact_lock(7201977);
    INSERT INTO sales_ordersum (
        grain, day, currency, owner_id, country, sales, returns, sold, returned
    )
    SELECT CASE grain WHEN 'day' THEN 'month' ELSE 'month_' || grain END,
           date_trunc('month', day::timestamp)::date, currency, owner_id, country,
           sum(sales), sum(returns), sum(sold), sum(returned)
    FROM sales_ordersum
    WHERE grain IN ('day', 'country', 'owner')
    GROUP BY 1, 2, 3, 4, 5;
"""
EMPTY = """
    DELETE FROM sales_ordersum
    WHERE grain IN ('month', 'month_country', 'month_owner');
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0011_custom_values")]

    operations = [
        migrations.AlterField(
            "ordersum",
            "grain",
            models.CharField(
                choices=[
                    ("day", "Day"),
                    ("country", "Country"),
                    ("owner", "Owner"),
                    ("month", "Month"),
                    ("month_country", "Month Country"),
                    ("month_owner", "Month Owner"),
                    ("both", "Both"),
                ],
                max_length=13,
            ),
        ),
        migrations.RunSQL(FILL, EMPTY),
        migrations.RemoveIndex("ordersum", "order_sum_of_owner"),
        migrations.AddIndex(
            "ordersum",
            models.Index(
                fields=["owner", "grain", "day"],
                name="order_sum_of_owner",
                include=(
                    "currency",
                    "country",
                    "sales",
                    "returns",
                    "sold",
                    "returned",
                ),
                condition=models.Q(grain__in=["owner", "month_owner", "both"]),
            ),
        ),
    ]

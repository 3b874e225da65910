"""Hold all of a person's sums in their index, so that the table is not read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0008_indexes_for_sorting")]

    operations = [
        migrations.RemoveIndex("ordersum", "order_sum_by_owner"),
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
                condition=models.Q(grain__in=["owner", "both"]),
            ),
        ),
    ]

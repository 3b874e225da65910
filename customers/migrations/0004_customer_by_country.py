from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_indexes_for_sorting")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["country", "id"], name="customer_by_country"),
        ),
    ]

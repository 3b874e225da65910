"""Number tickets from a sequence."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("service", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE service_ticket_number START 1001",
            "DROP SEQUENCE service_ticket_number",
        )
    ]

from pathlib import Path

from django.db import migrations, models

FUNCTIONS = Path(__file__).resolve().parent.parent / "search" / "functions.sql"


def install(apps, schema_editor):
    """Install the functions; the entries are written anew after migrating."""
    schema_editor.connection.cursor().execute(FUNCTIONS.read_text("utf-8"))


class Migration(migrations.Migration):
    dependencies = [("crm", "0009_short_pending_list")]

    operations = [
        migrations.AddField("searchentry", "place", models.TextField(default="")),
        migrations.AddField(
            "searchentry", "owner_id", models.BigIntegerField(null=True)
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]

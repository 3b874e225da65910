from pathlib import Path

from django.db import migrations

FUNCTIONS = Path(__file__).resolve().parent.parent / "search" / "functions.sql"


def install(apps, schema_editor):
    """Replace the function that finds the matches of one kind."""
    schema_editor.execute(FUNCTIONS.read_text("utf-8"), None)


class Migration(migrations.Migration):
    dependencies = [("crm", "0022_optional_of_notifications")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]

from pathlib import Path

from django.db import migrations

FUNCTIONS = Path(__file__).resolve().parent.parent / "search" / "functions.sql"


def install(apps, schema_editor):
    """Install the functions; the tokens are the same as before."""
    schema_editor.connection.cursor().execute(FUNCTIONS.read_text("utf-8"))


class Migration(migrations.Migration):
    dependencies = [("crm", "0017_shares")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]

"""Let a person remember one mapping per file layout, and show that a check runs."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_jobs_of_owner")]

    operations = [
        # Profiles without an owner came with the product; they are declared in code now.
        migrations.RunSQL(
            "DELETE FROM crm_importprofile WHERE owner_id IS NULL",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField("importprofile", "code"),
        migrations.AddField(
            "importprofile",
            "header_key",
            models.CharField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            "importprofile",
            "owner",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            "importprofile",
            models.UniqueConstraint(
                fields=("owner", "importer", "header_key"), name="import_profile_once"
            ),
        ),
        migrations.RemoveField("importrun", "position"),
        migrations.AddField(
            "importrun", "objects_changed", models.JSONField(blank=True, default=dict)
        ),
        migrations.AlterField(
            "importrun",
            "state",
            models.CharField(
                choices=[
                    ("uploaded", "uploaded"),
                    ("checking", "checking"),
                    ("checked", "checked"),
                    ("running", "running"),
                    ("done", "done"),
                    ("failed", "failed"),
                    ("cancelled", "cancelled"),
                ],
                default="uploaded",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]

import uuid
from pathlib import Path

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.models.history

FUNCTIONS = Path(__file__).resolve().parent.parent / "history" / "functions.sql"


def install(apps, schema_editor):
    """Create the functions that the triggers share."""
    schema_editor.execute(FUNCTIONS.read_text("utf-8"), None)


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0010_places_of_matches"),
    ]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="operation",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Operation",
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
                    "number",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="time")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("page", "page"),
                            ("bulk", "change of many rows"),
                            ("import", "import"),
                            ("job", "job"),
                            ("admin", "administration"),
                            ("command", "command"),
                            ("merge", "merge"),
                            ("undo", "undo"),
                            ("database", "database"),
                        ],
                        max_length=10,
                        verbose_name="by",
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        blank=True, db_default="", max_length=300, verbose_name="title"
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "undo_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undos",
                        to="crm.operation",
                        verbose_name="undoes",
                    ),
                ),
            ],
            options={
                "verbose_name": "operation",
                "verbose_name_plural": "operations",
                "ordering": ("-at", "-pk"),
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="operation_by_time"),
                    models.Index(
                        fields=["actor", "-at", "-id"], name="operation_by_actor"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("undo_of",), name="operation_undone_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeletedRow",
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
                ("at", models.DateTimeField(verbose_name="deleted")),
                ("model", models.CharField(max_length=100)),
                ("object_id", models.BigIntegerField()),
                ("row", models.JSONField(decoder=crm.models.history.ExactDecoder)),
                (
                    "operation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="crm.operation",
                    ),
                ),
            ],
            options={
                "verbose_name": "deleted row",
                "verbose_name_plural": "deleted rows",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(
                        fields=["operation", "model"], name="deleted_by_operation"
                    ),
                    models.Index(fields=["model", "-id"], name="deleted_by_model"),
                    models.Index(fields=["at"], name="deleted_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Change",
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
                ("at", models.DateTimeField(verbose_name="time")),
                ("model", models.CharField(max_length=100)),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("add", "added"),
                            ("change", "changed"),
                            ("delete", "deleted"),
                        ],
                        max_length=6,
                    ),
                ),
                ("object_id", models.BigIntegerField(null=True)),
                ("added", crm.models.history.Ranges(null=True)),
                (
                    "old",
                    models.JSONField(
                        decoder=crm.models.history.ExactDecoder, null=True
                    ),
                ),
                (
                    "new",
                    models.JSONField(
                        decoder=crm.models.history.ExactDecoder, null=True
                    ),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="changes",
                        to="crm.operation",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(
                        fields=["model", "object_id", "-id"], name="change_by_object"
                    ),
                    models.Index(
                        fields=["operation", "model"], name="change_by_operation"
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["at"], name="change_by_time"
                    ),
                    django.contrib.postgres.indexes.GistIndex(
                        condition=models.Q(("verb", "add")),
                        fields=["added"],
                        name="change_by_added",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]

from pathlib import Path

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

FOLDER = Path(__file__).resolve().parent.parent / "search"
# Tables beside the models: emptying the models' tables leaves them as they are.
TABLES = """
CREATE TABLE crm_searchpinyin (
    letter text COLLATE "C" PRIMARY KEY, readings text[] NOT NULL, as_surname text[] NOT NULL
);
CREATE TABLE crm_searchword (word text COLLATE "C" NOT NULL);
CREATE INDEX search_word ON crm_searchword (word);
CREATE INDEX search_word_parts ON crm_searchword USING gin (word gin_trgm_ops);
"""


def read(name):
    """Return {character: [reading, …]} of one file."""
    found = {}
    for line in (FOLDER / "data" / name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            reading, _space, letters = line.partition(" ")
            for letter in letters:
                found.setdefault(letter, []).append(reading)
    return found


def fill(apps, schema_editor):
    """Create the functions and fill in how characters are read."""
    cursor = schema_editor.connection.cursor()
    cursor.execute((FOLDER / "functions.sql").read_text("utf-8"))
    readings, surnames = read("pinyin.txt"), read("surnames.txt")
    with cursor.copy("COPY crm_searchpinyin FROM STDIN") as copy:
        for letter, usual in readings.items():
            first = surnames.get(letter, [])
            first = [*first, *(one for one in usual if one not in first)]
            copy.write_row((letter, usual, first))


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_audit_operation")]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind",
                        "object_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.SmallIntegerField()),
                ("object_id", models.BigIntegerField()),
                ("recent", models.DateTimeField()),
                ("tokens", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "verbose_name": "search entry",
                "verbose_name_plural": "search entries",
                "indexes": [
                    models.Index(fields=["kind", "-recent"], name="search_by_time"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["tokens"], name="search_by_token"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            TABLES, "DROP TABLE crm_searchpinyin; DROP TABLE crm_searchword"
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

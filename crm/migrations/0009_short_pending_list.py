import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_saved_views_and_layouts")]

    operations = [
        # Altered in place: building the index anew takes minutes at full size.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX search_by_token SET (gin_pending_list_limit = 256)",
                    "ALTER INDEX search_by_token RESET (gin_pending_list_limit)",
                )
            ],
            state_operations=[
                migrations.RemoveIndex("searchentry", "search_by_token"),
                migrations.AddIndex(
                    "searchentry",
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["tokens"],
                        gin_pending_list_limit=256,
                        name="search_by_token",
                    ),
                ),
            ],
        )
    ]

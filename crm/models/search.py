"""What rows are found by."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class SearchEntry(models.Model):
    """What one row is found by; triggers keep it, nothing else writes it.

    ``kind`` says which model the row is of (crm/search/declaration.py). Every token
    begins with the kind, so that one index serves all models and each alone. ``place``
    and the owner spare thousands of matches a look at their rows: the first is the
    column that the model's list is ordered by, if that is a text.
    """

    pk = models.CompositePrimaryKey("kind", "object_id")
    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField()
    recent = models.DateTimeField()
    place = models.TextField(default="")
    owner_id = models.BigIntegerField(null=True)
    tokens = SearchVectorField()

    class Meta:
        verbose_name = "search entry"
        verbose_name_plural = "search entries"
        indexes = (
            models.Index(fields=["kind", "-recent"], name="search_by_time"),
            # Every search reads the whole pending list, once per type: kept short.
            GinIndex(
                fields=["tokens"], name="search_by_token", gin_pending_list_limit=256
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}/{self.object_id}"

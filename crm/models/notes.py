"""What people write at rows of any model."""

import re

from django.conf import settings
from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from crm.models.base import BaseModel


class Note(BaseModel):
    """A note at a row; who may see the row may read it and write another.

    The row is named by model and id, as a file's is. A person who is mentioned stands
    in the text as ``@[id]``, so that a mention outlives a change of the name.
    """

    model = models.CharField(max_length=100, editable=False)
    object_id = models.BigIntegerField(editable=False)
    text = models.TextField(_("note"), max_length=10_000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    # For lists across all rows; at a row its own rights decide.
    access_path = "author"

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=["model", "object_id", "-id"], name="note_by_row"),
        )

    def __str__(self) -> str:
        # Who is mentioned is looked up where notes are read.
        text = re.sub(r"@\[\d+\]", "@…", self.text)
        return Truncator(" ".join(text.split())).chars(80)

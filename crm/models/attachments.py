"""Files that belong to rows of any model."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.base import BaseModel


class Attachment(BaseModel):
    """A file at a row; who may see or change the row may see or change its files.

    The row is named by model and id, without a constraint: a deleted row that comes
    back has its files again. They go when it is emptied out of the trash.
    """

    model = models.CharField(max_length=100, editable=False)
    object_id = models.BigIntegerField(editable=False)
    name = models.CharField(_("name"), max_length=200)
    # Where the content lies in the storage; nobody can guess it.
    path = models.CharField(max_length=200, unique=True, editable=False)
    size = models.PositiveBigIntegerField(_("size"), editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    content_type = models.CharField(_("type"), max_length=100, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("added by"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    # For lists across all rows; at a row its own rights decide.
    access_path = "uploaded_by"
    text_field = "name"

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ("-created_at", "-pk")
        constraints = (
            # The same content twice at a row is a form that was sent twice.
            models.UniqueConstraint(
                fields=["model", "object_id", "sha256"], name="attachment_once"
            ),
        )

    def __str__(self) -> str:
        return self.name

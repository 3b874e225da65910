"""Who changed what."""

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One thing that a person did to one row."""

    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    verb = models.CharField(_("action"), max_length=60)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.BigIntegerField()
    object_text = models.CharField(_("object"), max_length=300)
    changes = models.JSONField(_("changes"), default=dict)
    # The same for all entries of one piece of bulk work.
    operation = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(
                fields=["content_type", "object_id", "-at"], name="audit_by_object"
            ),
            models.Index(
                fields=["operation"],
                name="audit_by_operation",
                condition=models.Q(operation__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.object_text}"

"""Files that jobs made of lists, to be taken away by who asked for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.access import Scope, VisibleManager


class ExportFile(models.Model):
    """A workbook made by a job; its owner takes it away within some days.

    ``scope`` is how far the right to export reached when it was made, ``team`` the
    person's team: if either changed, the file may hold what is out of reach now.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    team = models.ForeignKey(
        "crm.Team", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    scope = models.CharField(max_length=10, choices=Scope.choices)
    model = models.CharField(max_length=100)
    # The address of the list, behind the question mark.
    query = models.TextField(blank=True)
    path = models.CharField(max_length=200, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    objects = VisibleManager()
    access_path = "owner"

    class Meta:
        verbose_name = _("exported file")
        verbose_name_plural = _("exported files")
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.model} {self.pk}"

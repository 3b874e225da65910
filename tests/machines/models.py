from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import OwnedModel


class Machine(OwnedModel):
    """A machine that stands at a customer."""

    STATES = [("running", _("Running")), ("broken", _("Broken"))]
    serial = models.CharField(_("serial number"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    state = models.CharField(
        _("state"), max_length=10, choices=STATES, default="running"
    )
    installed_on = models.DateField(_("installed"), null=True, blank=True)

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ("name", "pk")
        indexes = (models.Index(fields=["name", "id"], name="machine_by_name"),)

    def __str__(self) -> str:
        return self.name

"""Tags."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.base import BaseModel


class Tag(BaseModel):
    """A short coloured word that groups rows."""

    COLOURS = [
        ("blue", _("blue")),
        ("azure", _("azure")),
        ("green", _("green")),
        ("yellow", _("yellow")),
        ("orange", _("orange")),
        ("red", _("red")),
        ("purple", _("purple")),
    ]
    name = models.CharField(_("name"), max_length=60, unique=True)
    colour = models.CharField(
        _("colour"), max_length=10, choices=COLOURS, default="blue"
    )

    access_shared = True

    text_field = "name"

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

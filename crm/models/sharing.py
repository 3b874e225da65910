"""One row shared with a person or a team, beyond what their roles reach."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.access import Verb
from crm.models.users import Team


class ShareVerb(models.TextChoices):
    """What a share lets people do with the row."""

    VIEW = Verb.VIEW.value, _("view")
    CHANGE = Verb.CHANGE.value, _("view and change")


class Share(models.Model):
    """A row that a person or the people of a team see, or see and change.

    It opens the one row to those whose roles allow the verb on rows of its kind at all,
    and as a whole also the rows that belong to it (``belongs_to`` of their models).
    """

    model = models.CharField(_("model"), max_length=100)
    object_id = models.BigIntegerField(_("number of the row"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shares",
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shares",
    )
    verb = models.CharField(_("may"), max_length=10, choices=ShareVerb.choices)
    is_whole = models.BooleanField(
        _("with everything that belongs to it"), default=False, db_default=False
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("shared by"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    at = models.DateTimeField(_("time"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(person__isnull=False) ^ Q(team__isnull=False),
                name="share_with_person_or_team",
            ),
            models.UniqueConstraint(
                fields=["model", "object_id", "person"], name="share_once_per_person"
            ),
            models.UniqueConstraint(
                fields=["model", "object_id", "team"], name="share_once_per_team"
            ),
        )

    def __str__(self) -> str:
        what = [self.get_verb_display()]
        if self.is_whole:
            what.append(gettext("with everything that belongs to it"))
        return f"{self.person or self.team} ({', '.join(map(str, what))})"

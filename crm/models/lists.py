"""What people keep of their lists: views with a name, and their own layout."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleQuerySet
from crm.models.base import BaseModel
from crm.models.users import Role, Team, User

MAX_QUERY = 20_000


class Sharing(models.TextChoices):
    """Who may open a saved view."""

    PRIVATE = "private", _("only me")
    TEAM = "team", _("my team")
    EVERYONE = "everyone", _("everyone")


class SavedViewQuerySet(VisibleQuerySet):
    """Saved views."""

    def open_to(self, user: User) -> SavedViewQuerySet:
        """Keep the views that a person may open: own, shared, or meant for a role.

        A team's view is also for the teams below it. The rule is asked each time, so
        that it reaches people who come later.
        """
        above = [int(one) for one in user.team_path.split("/") if one]
        holds = Role.users.through.objects.filter(user_id=user.pk)
        meant = SavedView.default_for.through.objects.filter(
            savedview_id=OuterRef("pk"), role_id__in=holds.values("role_id")
        )
        return self.annotate(is_for_role=Exists(meant)).filter(
            Q(owner=user)
            | Q(sharing=Sharing.EVERYONE)
            | Q(sharing=Sharing.TEAM, team__in=above)
            | Q(is_for_role=True)
        )


class SavedView(BaseModel):
    """A list's address under a name: filters, order, columns and layout.

    Who opens it sees their own rows through it, never the owner's.
    """

    list_key = models.CharField(_("list"), max_length=100, editable=False)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(_("address"), blank=True, max_length=MAX_QUERY)
    # A shared view outlives its author; a private one is then nobody's.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    sharing = models.CharField(
        _("for whom"), max_length=10, choices=Sharing.choices, default=Sharing.PRIVATE
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    is_pinned = models.BooleanField(_("as a tab"), default=True)
    default_for = models.ManyToManyField(
        Role,
        verbose_name=_("opens first for"),
        blank=True,
        related_name="+",
        help_text=_("People in these roles see this view when they open the list."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = models.Manager.from_queryset(SavedViewQuerySet)()
    access_path = "owner"

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("position", "pk")
        indexes = (models.Index(fields=["list_key", "position"], name="view_by_list"),)

    def __str__(self) -> str:
        return self.name


class Density(models.TextChoices):
    """How close the rows of lists stand."""

    COMFORTABLE = "comfortable", _("comfortable")
    COMPACT = "compact", _("compact")


class ListLayout(models.Model):
    """How one person wants one list: columns in their order, widths, density."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    list_key = models.CharField(max_length=100)
    columns = models.JSONField(default=list, blank=True)
    widths = models.JSONField(default=dict, blank=True)
    density = models.CharField(
        max_length=12, choices=Density.choices, default=Density.COMFORTABLE
    )

    objects = models.Manager.from_queryset(VisibleQuerySet)()
    access_path = "person"

    class Meta:
        verbose_name = _("list layout")
        verbose_name_plural = _("list layouts")
        ordering = ("person", "list_key")
        constraints = (
            models.UniqueConstraint(
                fields=["person", "list_key"], name="one_layout_per_person_and_list"
            ),
        )

    def __str__(self) -> str:
        return self.list_key

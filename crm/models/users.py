"""People, their teams and their rights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.access import Scope, Verb, VisibleQuerySet
from crm.models.base import BaseModel, QuicklyRead

ADMINISTRATOR = "administrator"
ROLE_LABELS = {
    "representative": _("Representative"),
    "sales_manager": _("Sales manager"),
    "marketer": _("Marketer"),
    "agent": _("Agent"),
    "service_manager": _("Service manager"),
    "analyst": _("Analyst"),
    "executive": _("Executive"),
    ADMINISTRATOR: _("Administrator"),
}


def is_cjk(text: str) -> bool:
    """Tell whether every letter of a text is a Chinese character."""
    return bool(text) and all("\u4e00" <= letter <= "\u9fff" for letter in text)


def full_name(first: str, last: str, username: str = "") -> str:
    """Return a name as its language writes it, 张敏 but Ana Silva; else the account's.

    Nothing for nobody, whose parts are all None.
    """
    name = f"{last}{first}" if is_cjk(last or "") else f"{first or ''} {last or ''}"
    return name.strip() or username or ""


def name_parts(path: str) -> tuple[str, str, str]:
    """Return the lookup paths of what ``full_name`` asks of the person at a path."""
    return f"{path}__first_name", f"{path}__last_name", f"{path}__username"


class Team(BaseModel):
    """A team in the tree of teams; ``path`` lists the ids from the root down."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("part of"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
    )
    path = models.CharField(max_length=400, editable=False, default="")

    access_shared = True

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("path", "pk")
        indexes = (
            models.Index(
                fields=["path"], name="team_path_prefix", opclasses=["text_pattern_ops"]
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a tree that bites its tail."""
        if self.pk and self.parent and f"/{self.pk}/" in self.parent.path:
            raise ValidationError({"parent": _("A team cannot be below itself.")})

    @transaction.atomic
    def save(self, *args: object, **kwargs: object) -> None:
        """Save the team and carry a changed path down to every team below it."""
        super().save(*args, **kwargs)
        old = self.path
        self.path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
        if old == self.path:
            return
        Team.objects.filter(pk=self.pk).update(path=self.path)
        if old:
            for team in Team.objects.filter(path__startswith=old).exclude(pk=self.pk):
                Team.objects.filter(pk=team.pk).update(
                    path=self.path + team.path.removeprefix(old)
                )


class Role(models.Model):
    """A named set of grants that people hold."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    requires_second_factor = models.BooleanField(
        _("second factor required"),
        default=False,
        db_default=False,
        help_text=_(
            "People of this role set up an authenticator app or a passkey "
            "before any other page opens."
        ),
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ("pk",)

    def __str__(self) -> str:
        return str(self.name or ROLE_LABELS.get(self.code, self.code))


class Grant(models.Model):
    """One right: a role may do the verb with the model's rows in the scope."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants")
    model = models.CharField(
        _("model"),
        max_length=100,
        help_text=_("For example app.model; * means every one."),
    )
    verb = models.CharField(_("verb"), max_length=10, choices=Verb.choices)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices)

    # Who may change rights at all may change all of them.
    access_shared = True

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ("role", "model", "verb")
        constraints = (
            models.UniqueConstraint(
                fields=["role", "model", "verb"], name="grant_once_per_role"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.verb} {self.model} ({self.scope})"


class FieldMode(models.TextChoices):
    """What a role may not do with a field."""

    HIDDEN = "hidden", _("hidden")
    READ_ONLY = "read_only", _("read-only")


class FieldRule(models.Model):
    """A field that the people of a role do not see, or see but cannot change."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="field_rules")
    model = models.CharField(_("model"), max_length=100)
    field = models.CharField(_("field"), max_length=100)
    mode = models.CharField(_("mode"), max_length=10, choices=FieldMode.choices)

    access_shared = True

    class Meta:
        verbose_name = _("field rule")
        verbose_name_plural = _("field rules")
        ordering = ("role", "model", "field")
        constraints = (
            models.UniqueConstraint(
                fields=["role", "model", "field"], name="field_rule_once_per_role"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.model}.{self.field} ({self.mode})"


class SeededModel(models.Model):
    """Remember whose default grants were written, so that edits are never undone."""

    model = models.CharField(max_length=100, unique=True)

    class Meta:
        verbose_name = _("seeded model")
        verbose_name_plural = _("seeded models")

    def __str__(self) -> str:
        return self.model


class UserQuerySet(VisibleQuerySet):
    """People."""

    def active(self) -> UserQuerySet:
        """Keep those who can sign in."""
        return self.filter(is_active=True)


class CrmUserManager(UserManager.from_queryset(UserQuerySet)):
    """Django's user manager over our queryset."""


class User(QuicklyRead, AbstractUser):
    """A person who signs in."""

    email = models.EmailField(_("email"), unique=True)
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
    )
    roles = models.ManyToManyField(
        Role, verbose_name=_("roles"), blank=True, related_name="users"
    )
    title = models.CharField(_("job title"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, blank=True
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_demo = models.BooleanField(
        _("demo data"), default=False, db_default=False, editable=False
    )

    objects = CrmUserManager()

    # What a person's name is made of.
    name_fields = ("username", "first_name", "last_name")
    # Not loaded with the rows of a list that names people; moments are dear to read.
    unlisted_fields = ("password", "last_login", "date_joined")

    # Everyone who holds a grant on people may pick any colleague as an owner.
    access_shared = True

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("first_name", "last_name", "pk")

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_full_name(self) -> str:
        """Return the name as its language writes it."""
        return full_name(self.first_name, self.last_name)

    @cached_property
    def grant_table(self) -> dict[tuple[str, str], list[str]]:
        """Return {(model label, verb): [scope, …]}; it comes along with the person."""
        from crm.reader import read_rights

        read_rights(self)
        return self.__dict__["grant_table"]

    def set_rights(self, grants: Iterable[tuple[int, str, str, str]]) -> None:
        """Let (role, model label, verb, scope) be what the person's roles give."""
        table: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.grant_roles: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.field_rules: dict[str, dict[str, dict[int, str]]] = {}
        self.shared_rows: dict[tuple[str, str], set[int]] = {}
        self.shared_wholes: dict[tuple[str, str], set[int]] = {}
        for role, model, verb, scope in grants:
            table[model, verb].append(scope)
            self.grant_roles[model, verb].add(role)
        self.__dict__["grant_table"] = dict(table)

    def set_field_rules(self, rules: Iterable[tuple[int, dict[str, str]]]) -> None:
        """Let (role, {"model", "field", "mode"}) be what is kept from the roles."""
        for role, one in rules:
            by_field = self.field_rules.setdefault(one["model"], {})
            by_field.setdefault(one["field"], {})[role] = one["mode"]

    def shares_with_me(self) -> models.QuerySet:
        """Return what is shared with the person or the person's team."""
        from crm.models.sharing import Share

        mine = models.Q(person=self.pk)
        if self.team_id is not None:
            mine |= models.Q(team=self.team_id)
        return Share.objects.filter(mine).order_by()

    def set_shares(self, shares: Iterable[dict[str, Any]]) -> None:
        """Let {"model", "object_id", "verb", "is_whole"} be shared with the person."""
        for one in shares:
            for verb in {Verb.VIEW, one["verb"]}:
                key = one["model"], str(verb)
                self.shared_rows.setdefault(key, set()).add(one["object_id"])
                if one["is_whole"]:
                    self.shared_wholes.setdefault(key, set()).add(one["object_id"])

    @cached_property
    def team_path(self) -> str:
        """Return the path of the person's team."""
        return self.team.path if self.team_id else ""

    @cached_property
    def unread_count(self) -> int:
        """Return how many notifications wait, up to 100; it comes with the person."""
        from crm.models.notifications import count_unread

        return count_unread(self)

    @cached_property
    def role_codes(self) -> frozenset[str]:
        """Return the codes of the person's roles."""
        return frozenset(self.roles.values_list("code", flat=True))

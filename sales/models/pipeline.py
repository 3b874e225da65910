"""Leads, opportunities and the stages they pass."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.models import BaseModel, CustomValues, OwnedModel
from crm.money import default_currency
from customers.choices import Source
from customers.models import Customer
from sales.choices import LeadState, StageKind
from sales.querysets import LeadQuerySet, OpportunityQuerySet


class Lead(CustomValues, OwnedModel):
    """Somebody who may become a customer.

    ``source``, ``landing_page`` and ``first_contact_on`` are known when the lead comes
    in; ``customer``, ``closed_at`` and ``lost_reason`` exist only after its outcome and
    never feed a prediction.
    """

    name = models.CharField(_("name"), max_length=200)
    company = models.CharField(_("company"), max_length=200, blank=True)
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    source = models.CharField(
        _("source"), max_length=20, choices=Source.choices, default=Source.UNKNOWN
    )
    landing_page = models.CharField(_("landing page"), max_length=200, blank=True)
    first_contact_on = models.DateField(_("first contact"), default=timezone.localdate)
    state = models.CharField(
        _("state"), max_length=10, choices=LeadState.choices, default=LeadState.NEW
    )
    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    lost_reason = models.CharField(_("why lost"), max_length=200, blank=True)
    external_system = models.CharField(_("outside system"), max_length=40, blank=True)
    external_id = models.CharField(_("outside id"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = models.Manager.from_queryset(LeadQuerySet)()

    text_field = "name"
    set_along = ("closed_at",)

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        ordering = ("-first_contact_on", "-pk")
        indexes = (
            models.Index(fields=["-first_contact_on", "-id"], name="lead_by_contact"),
            models.Index(fields=["owner", "state"], name="lead_by_owner"),
            models.Index(
                fields=["state", "-first_contact_on", "-id"], name="lead_by_state"
            ),
            models.Index(
                fields=["state", "-closed_at", "-id"],
                name="lead_closed_by_state",
                condition=Q(closed_at__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["external_system", "external_id"],
                name="lead_outside_id",
                condition=~Q(external_id=""),
                violation_error_message=_("A lead with this outside id exists."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the lead's page."""
        return address_of("sales:lead_detail", self.pk)


class Pipeline(BaseModel):
    """A way of selling, with its stages."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    is_default = models.BooleanField(_("default"), default=False)

    access_shared = True

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="one_default_pipeline",
            ),
        )

    def __str__(self) -> str:
        return str(_(self.name))


class Stage(BaseModel):
    """A step of a pipeline; ``probability`` is what people expect, in percent."""

    pipeline = models.ForeignKey(
        Pipeline,
        verbose_name=_("pipeline"),
        on_delete=models.CASCADE,
        related_name="stages",
    )
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(
        _("meaning"), max_length=5, choices=StageKind.choices, default=StageKind.OPEN
    )
    probability = models.PositiveSmallIntegerField(
        _("expected chance in %"), default=0, validators=[MaxValueValidator(100)]
    )

    access_shared = True

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ("pipeline", "position")
        constraints = (
            models.UniqueConstraint(
                fields=["pipeline", "code"], name="stage_code_per_pipeline"
            ),
            models.CheckConstraint(
                condition=Q(probability__lte=100), name="stage_probability_percent"
            ),
        )

    def __str__(self) -> str:
        return str(_(self.name))


class Opportunity(CustomValues, OwnedModel):
    """A possible sale on its way through a pipeline."""

    name = models.CharField(_("name"), max_length=200)
    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="opportunities",
    )
    lead = models.ForeignKey(
        Lead,
        verbose_name=_("lead"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="opportunities",
    )
    stage = models.ForeignKey(
        Stage,
        verbose_name=_("stage"),
        on_delete=models.PROTECT,
        related_name="opportunities",
    )
    amount = models.DecimalField(
        _("amount"),
        max_digits=14,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(_("currency"), max_length=3, default=default_currency)
    expected_close = models.DateField(_("expected close"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    lost_reason = models.CharField(_("why lost"), max_length=200, blank=True)
    external_system = models.CharField(_("outside system"), max_length=40, blank=True)
    external_id = models.CharField(_("outside id"), max_length=100, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = models.Manager.from_queryset(OpportunityQuerySet)()

    text_field = "name"
    belongs_to = ("customer",)
    set_along = ("closed_at",)

    class Meta:
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="opportunity_by_created"),
            models.Index(fields=["stage", "owner"], name="opportunity_by_stage"),
            models.Index(
                fields=["stage", "-created_at", "-id"],
                include=["currency", "amount", "owner"],
                name="opportunity_on_board",
            ),
            models.Index(
                fields=["stage", "-closed_at", "-id"],
                include=["currency", "amount", "owner"],
                name="opportunity_closed_board",
                condition=Q(closed_at__isnull=False),
            ),
            models.Index(fields=["amount", "id"], name="opportunity_by_amount"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["external_system", "external_id"],
                name="opportunity_outside_id",
                condition=~Q(external_id=""),
                violation_error_message=_(
                    "An opportunity with this outside id exists."
                ),
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="opportunity_amount_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the opportunity's page."""
        return address_of("sales:opportunity_detail", self.pk)


class StageChange(BaseModel):
    """One move of an opportunity; the database refuses to change or delete it.

    It goes only with its opportunity: a deferred trigger looks at commit whether that
    is gone too.
    """

    opportunity = models.ForeignKey(
        Opportunity,
        verbose_name=_("opportunity"),
        on_delete=models.CASCADE,
        related_name="stage_changes",
    )
    from_stage = models.ForeignKey(
        Stage,
        verbose_name=_("from"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    to_stage = models.ForeignKey(
        Stage, verbose_name=_("to"), on_delete=models.PROTECT, related_name="+"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    at = models.DateTimeField(_("when"), default=timezone.now)

    access_path = "opportunity__owner"
    belongs_to = ("opportunity",)

    class Meta:
        verbose_name = _("stage change")
        verbose_name_plural = _("stage changes")
        ordering = ("opportunity", "at", "pk")
        indexes = (
            models.Index(fields=["opportunity", "at"], name="stage_change_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.from_stage or '–'} → {self.to_stage}"

    def clean(self) -> None:
        """Refuse a move between pipelines."""
        if self.from_stage and self.from_stage.pipeline_id != self.to_stage.pipeline_id:
            raise ValidationError(_("These stages belong to different pipelines."))

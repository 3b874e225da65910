"""Customers, the people at them, and what was said."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.addresses import address_of
from crm.models import BaseModel, CustomValues, Job, OwnedModel, Tag
from crm.money import default_currency
from customers.choices import (
    Direction,
    Gender,
    InteractionKind,
    Kind,
    PairState,
    Source,
)
from customers.querysets import CustomerQuerySet, DuplicatePairQuerySet


class Customer(CustomValues, OwnedModel):
    """A person or a company that buys, or may."""

    # As of every owned row, without an index: two begin with it anyway.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind.choices, default=Kind.PERSON
    )
    name = models.CharField(_("name"), max_length=200)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("email"), blank=True)
    website = models.URLField(_("website"), blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    region = models.CharField(_("region"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    gender = models.CharField(
        _("gender"), max_length=10, choices=Gender.choices, blank=True
    )
    annual_income = models.DecimalField(
        _("annual income"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(_("currency"), max_length=3, default=default_currency)
    source = models.CharField(
        _("source"), max_length=20, choices=Source.choices, default=Source.UNKNOWN
    )
    acquisition_cost = models.DecimalField(
        _("acquisition cost"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    referred_by = models.ForeignKey(
        "self",
        verbose_name=_("referred by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="referrals",
        db_index=False,
    )
    customer_since = models.DateField(_("customer since"), null=True, blank=True)
    tags = models.ManyToManyField(
        Tag, verbose_name=_("tags"), blank=True, related_name="customers"
    )
    external_system = models.CharField(_("outside system"), max_length=40, blank=True)
    external_id = models.CharField(_("outside id"), max_length=100, blank=True)

    objects = models.Manager.from_queryset(CustomerQuerySet)()

    text_field = "name"

    # Not loaded with rows that name their customer: wide, and never shown there.
    unlisted_fields = (
        "website",
        "address",
        "postal_code",
        "region",
        "birth_date",
        "gender",
        "annual_income",
        "source",
        "acquisition_cost",
        "customer_since",
        "external_system",
        "external_id",
        "custom",
        "referred_by",
        "created_at",
        "updated_at",
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("name", "pk")
        indexes = (
            models.Index(fields=["name", "id"], name="customer_by_name"),
            models.Index(fields=["owner", "name", "id"], name="customer_by_owner"),
            models.Index(fields=["owner", "city"], name="customer_by_owner_city"),
            models.Index(fields=["city", "name", "id"], name="customer_by_city"),
            models.Index(fields=["city", "id"], name="customer_sorted_by_city"),
            models.Index(fields=["customer_since", "id"], name="customer_by_since"),
            # Most were referred by nobody: no entries of which imports write thousands.
            models.Index(
                fields=["referred_by"],
                name="customer_by_referrer",
                condition=Q(referred_by__isnull=False),
            ),
            models.Index(fields=["-created_at", "-id"], name="customer_by_created"),
            models.Index(fields=["country", "id"], name="customer_by_country"),
            models.Index(
                fields=["email"], name="customer_by_email", condition=~Q(email="")
            ),
            models.Index(
                fields=["phone"], name="customer_by_phone", condition=~Q(phone="")
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["external_system", "external_id"],
                name="customer_outside_id",
                condition=~Q(external_id=""),
                violation_error_message=_("A customer with this outside id exists."),
            ),
            models.CheckConstraint(
                condition=Q(annual_income__isnull=True) | Q(annual_income__gte=0),
                name="customer_income_not_negative",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="customer_has_a_name"),
            models.CheckConstraint(
                condition=Q(referred_by__isnull=True) | ~Q(referred_by=F("id")),
                name="customer_not_referred_by_itself",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the customer's page."""
        return address_of("customers:customer_detail", self.pk)

    def clean(self) -> None:
        """Check dates and that nobody refers themselves."""
        errors = {}
        if self.birth_date and self.birth_date > timezone.localdate():
            errors["birth_date"] = _("A birth date lies in the past.")
        if self.pk and self.referred_by_id == self.pk:
            errors["referred_by"] = _("A customer cannot be referred by itself.")
        if errors:
            raise ValidationError(errors)


class Contact(CustomValues, BaseModel):
    """A person at a company customer."""

    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="contacts",
    )
    name = models.CharField(_("name"), max_length=200)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("email"), blank=True)
    is_primary = models.BooleanField(_("main contact"), default=False)
    notes = models.TextField(_("notes"), blank=True)

    access_path = "customer__owner"
    belongs_to = ("customer",)

    text_field = "name"

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("name", "pk")
        indexes = (
            models.Index(fields=["name", "id"], name="contact_by_name"),
            models.Index(
                fields=["customer", "email"], name="contact_by_customer_email"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the contact's page."""
        return address_of("customers:contact_detail", self.pk)


class Interaction(OwnedModel):
    """A call, mail, meeting, chat, web visit or note."""

    customer = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="interactions",
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="interactions",
    )
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=InteractionKind.choices,
        default=InteractionKind.NOTE,
    )
    direction = models.CharField(
        _("direction"), max_length=5, choices=Direction.choices, default=Direction.OUT
    )
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    occurred_at = models.DateTimeField(_("when"), default=timezone.now)

    access_path = "customer__owner"
    # Who has the customer, or follows it, is told of it.
    comments_on = "customer"
    belongs_to = ("customer",)

    text_field = "subject"

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ("-occurred_at", "-pk")
        indexes = (
            models.Index(
                fields=["customer", "-occurred_at"], name="interaction_by_customer"
            ),
            models.Index(fields=["-occurred_at", "-id"], name="interaction_by_time"),
        )

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        """Return the interaction's page."""
        return address_of("customers:interaction_detail", self.pk)

    def clean(self) -> None:
        """Refuse a contact of another customer."""
        if self.contact_id and self.contact.customer_id != self.customer_id:
            raise ValidationError(
                {"contact": _("This contact belongs to another customer.")}
            )


class DuplicatePair(BaseModel):
    """Two customers that may be one; found by a scan, judged by people.

    ``reasons``  [[field, level, bits], …], what weighs most first (docs/duplicates.md)
    """

    customer_a = models.ForeignKey(
        Customer,
        verbose_name=_("customer"),
        on_delete=models.CASCADE,
        related_name="+",
        # The constraint's index begins with it.
        db_index=False,
    )
    customer_b = models.ForeignKey(
        Customer,
        verbose_name=_("other customer"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    score = models.FloatField(_("probability"))
    reasons = models.JSONField(_("reasons"), default=list)
    state = models.CharField(
        _("state"), max_length=10, choices=PairState.choices, default=PairState.OPEN
    )
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("judged by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    dismissed_at = models.DateTimeField(_("judged"), null=True, blank=True)

    objects = models.Manager.from_queryset(DuplicatePairQuerySet)()

    access_path = ("customer_a__owner", "customer_b__owner")
    set_along = ("dismissed_by", "dismissed_at")
    # Its number tells of customers that somebody may not see.
    is_derived = True

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ("-score", "-pk")
        indexes = (
            models.Index(fields=["state", "-score", "-id"], name="pair_by_score"),
            models.Index(fields=["-score", "-id"], name="pair_by_score_alone"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["customer_a", "customer_b"], name="pair_once"
            ),
            models.CheckConstraint(
                condition=Q(customer_a__lt=F("customer_b")), name="pair_in_order"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1), name="pair_score_is_a_chance"
            ),
            models.CheckConstraint(
                condition=Q(state=PairState.OPEN, dismissed_at__isnull=True)
                | Q(state=PairState.DISMISSED, dismissed_at__isnull=False),
                name="pair_judged_when",
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer_a} – {self.customer_b}"

"""Forms of customers, contacts and interactions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.generic.forms import VisibleModelForm
from customers.choices import Direction, InteractionKind
from customers.models import Contact, Customer, Interaction


class CustomerForm(VisibleModelForm):
    """A customer."""

    fieldsets = [
        (_("Who it is"), ["kind", "name", "phone", "email", "website"]),
        (_("Address"), ["address", "postal_code", "city", "region", "country"]),
        (
            _("About the person"),
            ["birth_date", "gender", "annual_income", "currency"],
        ),
        (
            _("How we know each other"),
            [
                "owner",
                "source",
                "acquisition_cost",
                "referred_by",
                "customer_since",
                "tags",
            ],
        ),
    ]

    class Meta:
        model = Customer
        fields = (
            "kind",
            "name",
            "phone",
            "email",
            "website",
            "address",
            "postal_code",
            "city",
            "region",
            "country",
            "birth_date",
            "gender",
            "annual_income",
            "currency",
            "owner",
            "source",
            "acquisition_cost",
            "referred_by",
            "customer_since",
            "tags",
        )


class ContactForm(VisibleModelForm):
    """A person at a customer."""

    class Meta:
        model = Contact
        fields = (
            "customer",
            "name",
            "job_title",
            "phone",
            "email",
            "is_primary",
            "notes",
        )
        widgets = {"notes": forms.Textarea(attrs={"rows": 4})}


class InteractionForm(VisibleModelForm):
    """Something that was said."""

    class Meta:
        model = Interaction
        fields = (
            "customer",
            "contact",
            "kind",
            "direction",
            "occurred_at",
            "owner",
            "subject",
            "body",
        )
        widgets = {
            "body": forms.Textarea(attrs={"rows": 5}),
        }


class QuickLogForm(forms.Form):
    """A call or a note, written down on the customer's page."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (kind.value, kind.label)
            for kind in (
                InteractionKind.CALL,
                InteractionKind.NOTE,
                InteractionKind.MEETING,
                InteractionKind.EMAIL,
                InteractionKind.CHAT,
            )
        ],
        initial=InteractionKind.CALL,
    )
    direction = forms.ChoiceField(
        label=_("Direction"), choices=Direction.choices, initial=Direction.OUT
    )
    subject = forms.CharField(label=_("In a few words"), max_length=200)
    body = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

"""Forms of the sales app."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.access import read_only_fields, restrict_choices
from crm.formatting import number
from crm.generic.forms import (
    VisibleInlineFormSet,
    VisibleModelForm,
    inline_formset,
    use_pickers,
)
from crm.models import User
from crm.money import CurrencyField, default_currency
from customers.models import Customer
from sales.choices import StageKind
from sales.models import Category, Lead, Opportunity, Order, OrderLine, Product
from sales.services.orders import is_fixed


class CategoryForm(VisibleModelForm):
    """A group of products."""

    class Meta:
        model = Category
        fields = ("name",)


class ProductForm(VisibleModelForm):
    """A product."""

    class Meta:
        model = Product
        fields = (
            "sku",
            "name",
            "category",
            "unit_price",
            "unit_cost",
            "currency",
            "is_active",
        )


class LeadForm(VisibleModelForm):
    """A lead; its state moves by the buttons on its page."""

    class Meta:
        model = Lead
        fields = (
            "name",
            "company",
            "email",
            "phone",
            "source",
            "landing_page",
            "first_contact_on",
            "owner",
            "notes",
        )
        widgets = {"notes": forms.Textarea(attrs={"rows": 4})}


class OpportunityForm(VisibleModelForm):
    """An opportunity; once it exists, its stage moves by the buttons on its page."""

    class Meta:
        model = Opportunity
        fields = (
            "name",
            "customer",
            "stage",
            "amount",
            "currency",
            "expected_close",
            "owner",
            "notes",
        )
        widgets = {"notes": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new:
            del self.fields["stage"]
            return
        stages = self.fields["stage"].queryset.filter(kind=StageKind.OPEN)
        self.fields["stage"].queryset = stages.order_by(
            "-pipeline__is_default", "pipeline", "position"
        )
        if not self.initial.get("stage"):
            self.initial["stage"] = self.fields["stage"].queryset.first()


class OrderForm(VisibleModelForm):
    """An order's own fields; what decides about money only while it is a draft."""

    MONEY_FIELDS = ("customer", "placed_at", "country", "currency")

    class Meta:
        model = Order
        fields = ("customer", "placed_at", "country", "currency", "owner", "notes")
        widgets = {"notes": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_fixed(self.instance):
            for name in self.MONEY_FIELDS:
                del self.fields[name]

    def clean_placed_at(self) -> datetime:
        """Refuse a day ahead, but for a day of difference between clocks and zones."""
        moment = self.cleaned_data["placed_at"]
        if moment > timezone.now() + timedelta(days=1):
            raise forms.ValidationError(_("The day lies in the future."))
        return moment


# Beyond what the digits of quantity and price allow.
BIGGEST_AMOUNT = Decimal("1e21")


class OrderLineForm(VisibleModelForm):
    """A line; without a price it takes the product's."""

    class Meta:
        model = OrderLine
        fields = ("product", "description", "quantity", "unit_price")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit_price"].required = False
        for name in ("quantity", "unit_price"):
            if isinstance(self.initial.get(name), Decimal):
                self.initial[name] = shortened(self.initial[name])
        self.fields["quantity"].widget.attrs["data-factor"] = "quantity"
        self.fields["unit_price"].widget.attrs["data-factor"] = "price"

    def clean(self) -> dict[str, Any]:
        """Take name and price from the product where they were left out."""
        cleaned = super().clean()
        product = cleaned.get("product")
        if product is not None and not cleaned.get("description"):
            cleaned["description"] = product.name
        if cleaned.get("unit_price") is None and "unit_price" not in self.errors:
            if product is not None and product.unit_price is not None:
                cleaned["unit_price"] = product.unit_price
            else:
                self.add_error("unit_price", _("Enter a price."))
        return cleaned


def shortened(value: Decimal) -> Decimal:
    """Return the same figure without empty decimals: 4.000 is 4."""
    short = value.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short


class OrderLinesFormSet(VisibleInlineFormSet):
    """The lines of a draft."""

    @property
    def running_total(self) -> Decimal:
        """Return the total of the lines as they are typed now."""
        total = Decimal(0)
        for form in self.forms:
            quantity, price = form["quantity"].value(), form["unit_price"].value()
            if form["DELETE"].value() if self.can_delete else False:
                continue
            try:
                amount = Decimal(str(quantity)) * Decimal(str(price))
                # What no line can hold is said beside the field, not added up.
                if abs(amount) < BIGGEST_AMOUNT:
                    total += amount
            except ArithmeticError:
                continue
        return total


OrderLineFormSet = inline_formset(
    Order,
    OrderLine,
    form=OrderLineForm,
    formset=OrderLinesFormSet,
    fk_name="order",
    extra=3,
)


class ConvertForm(forms.Form):
    """What a lead becomes."""

    customer = forms.ModelChoiceField(
        label=_("Existing customer"),
        queryset=Customer.objects.none(),
        required=False,
        help_text=_("Leave it empty to add a new customer from the lead."),
    )
    opportunity_name = forms.CharField(
        label=_("Opportunity"),
        required=False,
        max_length=200,
        help_text=_("Leave it empty if there is no sale in sight yet."),
    )
    amount = forms.DecimalField(
        label=_("Amount"),
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
    )
    currency = CurrencyField(label=_("Currency"), initial=default_currency)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "amount" in read_only_fields(actor, Opportunity):
            # As in the form of a new opportunity.
            del self.fields["amount"]
        self.fields["customer"].queryset = Customer.objects.all()
        restrict_choices(self, actor)
        use_pickers(self)


class ReasonForm(forms.Form):
    """Why something was lost."""

    reason = forms.CharField(
        label=_("Why was it lost?"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReturnForm(forms.Form):
    """How much of each line comes back; one field per line that has something left."""

    def __init__(
        self,
        *args: Any,
        lines: list[OrderLine],
        left: dict[int, Decimal],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.pk in left]
        for line in self.lines:
            self.fields[self.name_of(line)] = forms.DecimalField(
                label=line.description or str(line.product or line.line_no),
                required=False,
                min_value=0,
                max_value=left[line.pk],
                max_digits=14,
                decimal_places=3,
                help_text=_("At most %(left)s") % {"left": number(left[line.pk])},
            )
        self.fields["notes"] = forms.CharField(
            label=_("Reason"), required=False, max_length=2000
        )

    @staticmethod
    def name_of(line: OrderLine) -> str:
        """Return the name of a line's field."""
        return f"line_{line.pk}"

    def quantities(self) -> dict[int, Decimal]:
        """Return {line id: quantity} of the lines that were filled in."""
        found = {
            line.pk: self.cleaned_data.get(self.name_of(line)) for line in self.lines
        }
        return {pk: quantity for pk, quantity in found.items() if quantity}

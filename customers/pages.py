"""Pages of the customers app."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.audit import record
from crm.generic.actions import AddAction
from crm.generic.pages import FieldsPanel, Nav, Pages, register
from crm.generic.tables import DateColumn, MoneyColumn, PhoneColumn
from crm.models import User
from crm.search.declaration import Search
from customers import filters, forms, panels, tables
from customers.choices import InteractionKind
from customers.imports import ContactImporter, CustomerImporter
from customers.models import Contact, Customer, Interaction
from customers.selectors import may_log
from customers.services import save_contact


@register
class CustomerPages(Pages):
    """Customers."""

    model = Customer
    path = "customers"
    table = tables.CustomerTable
    filters = filters.CustomerFilters
    form = forms.CustomerForm
    importer = CustomerImporter
    panels = [
        panels.HeadPanel,
        panels.TimelinePanel,
        panels.ContactsPanel,
        FieldsPanel(
            [
                "owner",
                "source",
                "referred_by",
                "birth_date",
                "gender",
                MoneyColumn("annual_income"),
                MoneyColumn("acquisition_cost"),
                "tags",
                DateColumn("created_at"),
            ],
            column="side",
            order=60,
            hide_empty=True,
        ),
    ]
    actions = [
        AddAction(
            _("Log a call"),
            "customers:interaction_add",
            icon="phone",
            applies=may_log,
            values=lambda customer: {
                "customer": customer.pk,
                "kind": InteractionKind.CALL.value,
            },
        )
    ]
    nav = Nav(section="customers", order=10, icon="users")
    search = Search(
        name=("name",),
        email=("email",),
        phone=("phone",),
        facts=("email", "phone", "city"),
    )
    quick_fields = ("kind", "name", "phone", "email")
    similar_fields = ("name", "phone", "email")
    state_field = "kind"
    mergeable = True


@register
class ContactPages(Pages):
    """The people at customers."""

    model = Contact
    path = "contacts"
    table = tables.ContactTable
    filters = filters.ContactFilters
    form = forms.ContactForm
    importer = ContactImporter
    panels = [
        FieldsPanel(
            [
                "customer",
                "job_title",
                PhoneColumn("phone"),
                "email",
                "is_primary",
                "notes",
            ]
        )
    ]
    nav = Nav(section="customers", order=20, icon="address-book")
    search = Search(
        name=("name",),
        email=("email",),
        phone=("phone",),
        related=("customer",),
        facts=("customer__name", "job_title", "email"),
    )
    quick_fields = ("customer", "name", "job_title", "phone", "email")
    similar_fields = ("name", "phone", "email")
    mergeable = True

    def save(self, form: Any, formset: Any, actor: User) -> Contact:
        """Keep one first contact per customer."""
        verb = "added" if form.is_new else "changed"
        changes = form.changes()
        contact = save_contact(contact=form.instance)
        record(actor, verb, contact, changes)
        return contact


@register
class InteractionPages(Pages):
    """What was said."""

    model = Interaction
    path = "interactions"
    table = tables.InteractionTable
    filters = filters.InteractionFilters
    form = forms.InteractionForm
    panels = [
        FieldsPanel(
            ["customer", "contact", "kind", "direction", "occurred_at", "owner"],
            title=_("Details"),
        ),
        panels.TextPanel,
    ]
    nav = Nav(section="customers", order=30, icon="message")
    search = Search(
        text=("subject",), related=("customer",), facts=("kind", "customer__name")
    )
    quick_fields = ("customer", "kind", "direction", "subject", "body")

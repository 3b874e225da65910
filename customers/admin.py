"""Customers in the admin."""

from django.contrib import admin
from django.db import models

from crm.rights.admin import KeepsBack, RuledAdmin
from customers.models import Contact, Customer, Interaction


class ContactInline(KeepsBack, admin.TabularInline):
    """The people at a customer."""

    model = Contact
    extra = 0
    fields = ("name", "job_title", "phone", "email", "is_primary")


@admin.register(Customer)
class CustomerAdmin(RuledAdmin):
    """Customers."""

    list_display = ("name", "kind", "email", "phone", "city", "country", "owner")
    list_filter = ("kind", "source", "is_demo")
    list_select_related = ("owner",)
    search_fields = ("name", "email", "phone", "external_id")
    raw_id_fields = ("owner", "referred_by")
    filter_horizontal = ("tags",)
    date_hierarchy = "created_at"
    show_full_result_count = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (ContactInline,)


@admin.register(Contact)
class ContactAdmin(RuledAdmin):
    """Contacts."""

    list_display = ("name", "customer", "job_title", "phone", "email", "is_primary")
    list_select_related = ("customer",)
    search_fields = ("name", "email", "phone", "customer__name")
    raw_id_fields = ("customer",)
    show_full_result_count = False


@admin.register(Interaction)
class InteractionAdmin(RuledAdmin):
    """Interactions."""

    list_display = ("subject", "kind", "direction", "customer", "owner", "occurred_at")
    list_filter = ("kind", "direction")
    list_select_related = ("customer", "owner")
    search_fields = ("subject", "customer__name")
    raw_id_fields = ("customer", "contact", "owner")
    date_hierarchy = "occurred_at"
    show_full_result_count = False

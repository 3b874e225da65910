"""Django's admin shows and changes no field that is kept back."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from crm.admin import register_missing
from crm.generic.registry import registry
from crm.models import User
from crm.rights.admin import KeepsBack, RuledAdmin
from customers.models import Contact, Customer
from customers.tests.recipes import make_contact, make_customer
from tests.kept_fields import may_do_everything, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(world):
    return may_do_everything(world)


@pytest.fixture
def staff(world, ana):
    """Return Ana's browser as technical staff with every permission of the admin."""
    User.objects.filter(pk=ana.pk).update(is_staff=True)
    ana.user_permissions.set(Permission.objects.all())
    return world.client("ana")


def test_every_admin_of_ours_keeps_to_the_rules():
    register_missing()
    for one in [admin.site._registry[model] for model in registry.pages]:
        assert isinstance(one, RuledAdmin), one
        for inline in one.inlines:
            assert issubclass(inline, KeepsBack), inline


def test_the_admin_hides_what_is_hidden(world, ana, staff):
    row = make_customer(ana, name="Secret Ltd", phone="5550199", kind="company")
    make_contact(ana, customer=row, email="kim@hidden.example")
    url = reverse("admin:customers_customer_change", args=[row.pk])
    listed = reverse("admin:customers_customer_changelist")
    contacts = reverse("admin:customers_contact_changelist")
    pages = (
        url,
        listed,
        contacts,
        reverse("admin:customers_customer_add"),
        reverse("admin:customers_customer_delete", args=[row.pk]),
        reverse("admin:customers_customer_history", args=[row.pk]),
    )
    for told in ("5550199", "kim@hidden.example"):
        assert told in staff.get(url).content.decode()
    found = staff.get(f"{listed}?q=5550199").content.decode()
    assert "Secret Ltd" in found
    rule(Customer, "phone", "hidden")
    rule(Customer, "kind", "hidden")
    rule(Contact, "email", "hidden")
    for page in pages:
        answer = staff.get(page)
        assert answer.status_code == 200, page
        for told in ("5550199", "kim@hidden.example", 'name="phone"', "kind__exact"):
            if page == contacts and told == 'name="phone"':
                continue
            assert told not in answer.content.decode(), (page, told)
    assert "Secret Ltd" not in staff.get(f"{listed}?q=5550199").content.decode()
    for asked in ("phone__startswith=555", "kind__exact=company"):
        assert staff.get(f"{listed}?{asked}").status_code == 400, asked
    assert staff.get(f"{contacts}?customer__phone__startswith=5").status_code == 400


def sent_to(form):
    """Return what a browser would send of an admin page's form."""
    data = {}
    for one in form.visible_fields() + form.hidden_fields():
        value = one.value()
        if value is not None and value is not False:
            data[one.html_name] = value
    return data


def test_the_admin_changes_nothing_that_is_kept(world, ana, staff):
    row = make_customer(ana, phone="1", city="Bern")
    rule(Customer, "phone", "read_only")
    rule(Customer, "email", "hidden")
    url = reverse("admin:customers_customer_change", args=[row.pk])
    page = staff.get(url)
    assert 'name="phone"' not in page.content.decode()
    assert ">1<" in page.content.decode()
    data = sent_to(page.context["adminform"].form)
    for formset in page.context["inline_admin_formsets"]:
        data |= sent_to(formset.formset.management_form)
    data |= {"city": "Basel", "phone": "666", "email": "a@b.example"}
    answer = staff.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    row.refresh_from_db()
    assert (row.phone, row.email, row.city) == ("1", "", "Basel")


def test_a_list_that_is_edited_in_the_admin_keeps_to_them_too(world, ana, staff):
    """Such a list is declared here: the guard below would refuse the whole of it."""

    class Editable(RuledAdmin):
        list_display = ("name", "city", "phone")
        list_editable = ("city", "phone")
        date_hierarchy = "birth_date"

    rule(Customer, "phone")
    rule(Customer, "birth_date", "hidden")
    request = staff.get("/admin/").wsgi_request
    found = Editable(Customer, admin.site).get_changelist_instance(request)
    assert list(found.list_editable) == ["city"]
    assert found.date_hierarchy is None

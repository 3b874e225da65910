"""Customers and contacts out of files."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError

from crm.models import RejectedRow
from crm.testing.imports import counts, import_by_command, import_by_pages, rejects_of
from customers.models import Contact, Customer
from customers.tests.recipes import make_customer

CONTACTS = Path(settings.DATA_DIR) / "contacts_samples/us-500.csv"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


def write(tmp_path, text, name="file.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def import_customers(tmp_path, text, *args, **kwargs):
    return import_by_command("customers", write(tmp_path, text, **kwargs), *args)


ALL = """
id,name,kind,email,phone,address,zip,city,state,country,dob,gender,income,origin
C1,Ann Lee,person,ann@example.com,+44 20 7946 0000,1 High St,N1,London,\
Greater London,UK,1980-02-29,f,52000.50,organic_search
C2,Acme,company,,,,,,,,,,,
"""


def test_every_field_comes_in_by_its_rules(tmp_path):
    result = import_customers(tmp_path, ALL, "--set", "external_system=shop")
    assert (result["exit"], counts(result)) == (0, (2, 0, 0, 0))
    ann = Customer.objects.get(external_id="C1")
    assert (ann.name, ann.kind, ann.gender, ann.source) == (
        "Ann Lee",
        "person",
        "female",
        "organic",
    )
    assert (ann.postal_code, ann.region) == ("N1", "Greater London")
    assert str(ann.annual_income) == "52000.50"
    assert ann.birth_date.isoformat() == "1980-02-29"
    assert ann.external_system == "shop"
    acme = Customer.objects.get(external_id="C2")
    assert (acme.kind, acme.email, acme.annual_income) == ("company", "", None)
    assert acme.currency == settings.DEFAULT_CURRENCY
    assert acme.source == "unknown"
    again = import_customers(tmp_path, ALL, "--set", "external_system=shop")
    assert counts(again) == (0, 0, 2, 0)


def test_names_in_two_columns_become_one(tmp_path):
    import_customers(
        tmp_path, "first name,last name,email\nAnn,Lee,a@b.co\n,Bo,b@b.co\n"
    )
    names = Customer.objects.order_by("email").values_list("name", flat=True)
    assert list(names) == ["Ann Lee", "Bo"]


def test_rows_are_recognised_by_the_surest_thing_that_they_say(tmp_path):
    make_customer(name="Old", email="Ann@Example.com", external_id="")
    make_customer(name="Phoned", phone="123 456")
    text = "name,email,phone\nAnn,ann@example.COM,999\nBen,,123 456\nCara,,\n"
    assert counts(import_customers(tmp_path, text)) == (1, 2, 0, 0)
    assert set(Customer.objects.values_list("name", flat=True)) == {
        "Ann",
        "Ben",
        "Cara",
    }
    assert counts(import_customers(tmp_path, text)) == (0, 0, 3, 0)


def test_empty_cells_leave_what_is_there(tmp_path):
    make_customer(name="Ann", email="a@b.co", city="Bath")
    result = import_customers(tmp_path, "name,email,city\nAnn,a@b.co,\n")
    assert counts(result) == (0, 0, 1, 0)
    assert Customer.objects.get().city == "Bath"


def test_a_second_row_about_the_same_is_rejected_naming_the_first(tmp_path):
    text = "name,email\nAnn,a@b.co\nBen,b@b.co\nAnna,A@B.co\n"
    result = import_customers(tmp_path, text)
    assert counts(result) == (2, 0, 0, 1)
    assert rejects_of(result)[0]["Why it was rejected"] == (
        "Row 2 of the file is about the same; only the first counts."
    )
    assert Customer.objects.get(email="a@b.co").name == "Ann"


def test_two_rows_that_mean_one_customer_in_two_ways(tmp_path):
    make_customer(name="Ann", email="a@b.co", phone="555 1")
    result = import_customers(tmp_path, "name,email,phone\nAnn,a@b.co,\nAn,,555 1\n")
    assert counts(result) == (0, 0, 1, 1)
    assert "Row 2" in rejects_of(result)[0]["Why it was rejected"]


def test_what_could_be_several_is_not_guessed(tmp_path):
    make_customer(name="Ann", email="a@b.co", city="Bath")
    make_customer(name="Ann B", email="a@b.co", city="Bath")
    result = import_customers(tmp_path, "name,email,city\nAnn,a@b.co,Cork\n")
    assert counts(result) == (0, 0, 0, 1)
    assert "2 rows" in rejects_of(result)[0]["Why it was rejected"]
    assert set(Customer.objects.values_list("city", flat=True)) == {"Bath"}


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("email", "nobody", "valid email"),
        ("income", "much", "not a number"),
        ("income", "-5", "greater than or equal to 0"),
        ("income", "1.234", "decimal places"),
        ("income", "1000000000000000", "too large"),
        ("birthday", "0000-01-01", "not a date"),
        ("birthday", "2999-01-01", "cannot be meant"),
        ("birthday", "2150-01-01", "lies in the past"),
        ("gender", "robot", "Choose one of"),
        ("website", "javascript:alert(1)", "valid URL"),
        ("city", "x" * 121, "longer than 120"),
        ("phone", "none", "has digits"),
    ],
)
def test_each_field_refuses_what_the_form_refuses(tmp_path, column, cell, reason):
    text = f"name,{column}\nAnn,{cell}\nBen,\n"
    result = import_customers(tmp_path, text)
    assert counts(result) == (1, 0, 0, 1)
    found = RejectedRow.objects.get(run=result["run"])
    assert (found.line, found.column, found.value) == (2, column, cell[:300])
    assert reason in found.reason
    assert Customer.objects.get().name == "Ben"


def test_all_reasons_of_a_row_are_given(tmp_path):
    result = import_customers(tmp_path, "name,email,income\nAnn,x,y\n")
    assert counts(result) == (0, 0, 0, 1)
    assert RejectedRow.objects.count() == 2
    assert rejects_of(result)[0]["Why it was rejected"].count("|") == 1


def test_owners_are_found_by_email_or_name(tmp_path, world):
    text = "name,owner\nA,ana@example.com\nB,cleo\nC,\nD,nobody@example.com\n"
    result = import_customers(tmp_path, text, "--as", "ben")
    assert counts(result) == (3, 0, 0, 1)
    owners = Customer.objects.order_by("name").values_list("owner__username", flat=True)
    assert list(owners) == ["ana", "cleo", "ben"]


def test_a_narrow_grant_bounds_whom_rows_are_given_to(tmp_path, world):
    from crm.models import Grant

    Grant.objects.filter(
        role__code="sales_manager", model="customers.customer", verb="import"
    ).update(scope="subtree")
    text = "name,owner\nA,ana@example.com\nB,cleo\n"
    result = import_customers(tmp_path, text, "--as", "ben")
    assert counts(result) == (1, 0, 0, 1)
    assert "may not give" in rejects_of(result)[0]["Why it was rejected"]


def test_rows_beyond_reach_are_rejected_and_stay_as_they_are(
    tmp_path,
    world,
):
    far = make_customer(world.cleo, name="Far", email="far@example.com", city="Bath")
    near = make_customer(world.ana, name="Near", email="near@example.com", city="Bath")
    text = "name,email,city\nX,far@example.com,Cork\nNear,near@example.com,Cork\n"
    result = import_customers(tmp_path, text, "--as", "ben")
    assert counts(result) == (0, 1, 0, 1)
    far.refresh_from_db()
    near.refresh_from_db()
    assert (far.name, far.city, near.city) == ("Far", "Bath", "Cork")


def test_a_marketer_may_add_but_not_overwrite(tmp_path, world):
    world.ana.roles.set([role("marketer")])
    make_customer(world.ben, name="Old", email="old@example.com")
    text = "name,email\nNew,new@example.com\nChanged,old@example.com\n"
    result = import_customers(tmp_path, text, "--as", "ana")
    assert counts(result) == (1, 0, 0, 1)
    assert Customer.objects.get(email="old@example.com").name == "Old"


def role(code):
    from crm.models import Role

    return Role.objects.get(code=code)


def test_who_may_not_import_is_refused(tmp_path, world):
    with pytest.raises(CommandError, match="may not import"):
        import_customers(tmp_path, "name\nAnn\n", "--as", "ana")
    assert not Customer.objects.exists()


def test_chinese_files_come_in(tmp_path):
    text = (
        "客户编号,姓名,邮箱,手机号,城市,性别,年收入\n"
        "K1,王芳,wang@example.com,13800000000,北京,女性,120000\n"
    )
    result = import_customers(tmp_path, text, encoding="gb18030")
    # A word for the gender that is in no list is said, not guessed.
    assert counts(result) == (0, 0, 0, 1)
    result = import_customers(tmp_path, text.replace("女性", "女"), encoding="gb18030")
    assert counts(result) == (1, 0, 0, 0)
    customer = Customer.objects.get()
    assert (customer.name, customer.city, customer.gender) == ("王芳", "北京", "female")


def test_columns_are_known_by_their_data(tmp_path):
    path = write(tmp_path, "name,x,y\nAnn,a@b.co,+49 30 123456\nBo,b@b.co,030 998877\n")
    import_by_command("customers", path)
    ann = Customer.objects.get(name="Ann")
    assert (ann.email, ann.phone) == ("a@b.co", "+49 30 123456")


@pytest.mark.skipif(not CONTACTS.exists(), reason="CRM_DATA_DIR has no contacts")
def test_the_contact_list_fills_contacts_and_companies():
    result = import_by_command("customers.contact", CONTACTS)
    assert counts(result) == (500, 0, 0, 0)
    assert Customer.objects.filter(kind="company").count() == 500
    contact = Contact.objects.select_related("customer").get(email="jbutt@gmail.com")
    assert (contact.name, contact.phone) == ("James Butt", "504-621-8927")
    company = contact.customer
    assert (company.name, company.city) == ("Benton, John B Jr", "New Orleans")
    assert (company.region, company.country) == ("LA", "United States")
    assert company.website == "http://www.bentonjohnbjr.com"
    assert counts(import_by_command("contacts", CONTACTS)) == (0, 0, 500, 0)


def test_contacts_join_the_company_that_is_there(tmp_path, world):
    company = make_customer(world.ana, name="Acme", kind="company", city="Bath")
    make_customer(world.cleo, name="Hidden", kind="company")
    text = "name,company,city\nAnn,ACME,Cork\nBen,Acme,\nEve,Hidden,\n"
    path = write(tmp_path, text)
    result = import_by_command("contacts", path, "--as", "ben")
    assert counts(result) == (2, 0, 0, 1)
    assert company.contacts.count() == 2
    company.refresh_from_db()
    assert company.city == "Bath"


def test_customers_go_in_by_the_pages(world):
    ben = world.client("ben")
    run = import_by_pages(
        ben, "customers.customer", "名称,城市\n王芳,北京\n".encode("gb18030")
    )
    assert counts(run) == (1, 0, 0, 0)
    assert Customer.objects.get().owner == world.ben

"""The pages of what was done: undo at once or later, the trash, the field history."""

import datetime
import re

import pytest
from django.db import connection
from django.utils import timezone

from crm.history.context import acting
from crm.history.jobs import empty_trash
from crm.models import Change, DeletedRow, Job, Operation
from crm.testing.snapshot import all_rows, unchanged
from crm.testing.workers import run_jobs
from customers.models import Contact, Customer
from customers.tests.recipes import make_contact, make_customer
from sales.tests.recipes import make_order

UNDO = re.compile(r'action="(/operations/[\w-]+/undo/)"')


def undo_url(response):
    """Return the address behind the button of the last message."""
    return UNDO.findall(response.text)[-1]


def form_of(owner, **values):
    data = {"kind": "person", "name": "Ada", "currency": "EUR", "source": "email"}
    return data | {"owner": owner.pk} | values


def latest(**values):
    return Operation.objects.filter(**values).order_by("-pk").first()


def changed_by(actor, **values):
    """Change all customers as one operation of a person; return it."""
    with acting("page", actor) as number:
        Customer.objects.update(**values)
    return Operation.objects.get(number=number)


def test_what_was_just_done_is_undone_by_one_press(world):
    client = world.client("ben")
    before = all_rows()
    page = client.post("/customers/new/", form_of(world.ben), follow=True)
    customer = Customer.objects.get()
    added = all_rows()
    answer = client.post(undo_url(page), {"next": "/customers/"})
    assert answer.url == "/customers/"
    assert all_rows() == before
    again = client.get("/customers/")
    client.post(undo_url(again))
    assert all_rows() == added
    url = f"/customers/{customer.pk}/edit/"
    page = client.post(url, form_of(world.ben, city="Leeds"), follow=True)
    assert Customer.objects.get().city == "Leeds"
    client.post(undo_url(page))
    assert all_rows() == added
    page = client.post(f"/customers/{customer.pk}/delete/", follow=True)
    assert not Customer.objects.exists()
    client.post(undo_url(page))
    assert all_rows() == added


def test_a_bulk_edit_is_one_operation_and_is_undone_by_a_job_if_big(world):
    for _ in range(3):
        make_customer(world.ana)
    Customer.objects.bulk_create(
        Customer(name=f"Row {number}", owner=world.ana) for number in range(600)
    )
    before = all_rows()
    client = world.client("ana")
    data = {"all": "1", "mode_city": "set", "city": "York", "step": "preview"}
    page = client.post("/customers/bulk/edit/", data)
    permit = page.context["permit"]
    client.post("/customers/bulk/edit/", data | {"step": "apply", "permit": permit})
    run_jobs()
    assert Customer.objects.filter(city="York").count() == 603
    operation = latest(kind="bulk")
    assert operation.changes.count() == 603
    assert Operation.objects.filter(kind="bulk").count() == 1
    url = f"/operations/{operation.number}/"
    assert "603" in client.get(url).text
    answer = client.post(f"{url}undo/")
    job = Job.objects.get(kind="undo")
    assert answer.url == job.get_absolute_url()
    assert run_jobs() == ["done"]
    assert all_rows() == before
    assert client.post(f"{url}undo/").status_code == 409


def test_a_later_change_is_shown_and_left_to_choose(world):
    mine, other = make_customer(world.ana, name="Mine"), make_customer(world.ana)
    operation = changed_by(world.ana, city="Leeds")
    Customer.objects.filter(pk=mine.pk).update(city="York")
    client = world.client("ana")
    url = f"/operations/{operation.number}/"
    page = client.get(url)
    assert f'value="customers.customer:{mine.pk}"' in page.text
    assert "It was changed again later." in page.text
    answer = client.post(f"{url}undo/")
    assert answer.url == url
    assert Customer.objects.get(pk=mine.pk).city == "York"
    assert Customer.objects.get(pk=other.pk).city == ""
    operation = changed_by(world.ana, city="Bath")
    Customer.objects.filter(pk=mine.pk).update(city="Hull")
    key = f"customers.customer:{mine.pk}"
    client.post(f"/operations/{operation.number}/undo/", {"overrule": [key, "x:1", ""]})
    assert Customer.objects.get(pk=mine.pk).city == "York"


def test_operations_of_others_are_hidden_and_stay(world):
    make_customer(world.ana)
    operation = changed_by(world.ana, city="Leeds")
    url = f"/operations/{operation.number}/"
    for name, status in {"abe": 404, "cleo": 404, "fay": 403}.items():
        client = world.client(name)
        with unchanged(Customer, Operation):
            assert client.get(url).status_code == status
            assert client.post(f"{url}undo/").status_code == status
    assert world.client("dev").get(url).status_code == 200
    assert str(operation.number) not in world.client("abe").get("/operations/").text
    with unchanged(Customer, Operation):
        assert world.client("eve").post(f"{url}undo/").status_code == 302


def test_after_thirty_days_nothing_is_taken_back(world):
    make_customer(world.ana)
    operation = changed_by(world.ana, city="Leeds")
    old = timezone.now() - datetime.timedelta(days=31)
    Operation.objects.filter(pk=operation.pk).update(at=old)
    client = world.client("ana")
    url = f"/operations/{operation.number}/"
    assert "more than 30 days old" in client.get(url).text
    with unchanged(Customer):
        assert client.post(f"{url}undo/").status_code == 409


def test_the_trash_gives_back_a_customer_with_contacts(world):
    kept = make_customer(world.ana, name="Stays")
    gone = make_customer(world.ana, name="Gone")
    contact = make_contact(customer=gone, name="Nora")
    before = all_rows()
    client = world.client("ben")
    client.post(f"/customers/{gone.pk}/delete/")
    page = client.get("/trash/")
    assert "Gone" in page.text
    assert "Stays" not in page.text
    # She went with her company and comes back with it.
    assert "Nora" not in client.get("/trash/?model=customers.contact").text
    deleted = DeletedRow.objects.get(model="customers.customer")
    answer = client.post(f"/trash/{deleted.pk}/restore/")
    assert answer.url == f"/customers/{gone.pk}/"
    assert all_rows() == before
    assert Contact.objects.get().pk == contact.pk
    assert not client.get("/trash/").context["items"]
    assert kept.pk


def test_the_trash_shows_what_is_in_reach_of_deleting(world):
    gone = make_customer(world.cleo, name="Elsewhere")
    gone.delete()
    own = make_customer(world.ana, name="Here")
    own.delete()
    text = world.client("ben").get("/trash/").text
    assert "Here" in text
    assert "Elsewhere" not in text
    deleted = DeletedRow.objects.get(row__name="Elsewhere")
    for name, status in {"ben": 404, "ana": 403}.items():
        with unchanged(Customer, DeletedRow):
            answer = world.client(name).post(f"/trash/{deleted.pk}/restore/")
            assert answer.status_code == status
    assert world.client("dev").post(f"/trash/{deleted.pk}/restore/").status_code == 302


def test_what_cannot_come_back_says_why(world):
    gone = make_customer(world.ana, external_system="x", external_id="1")
    gone.delete()
    make_customer(world.ana, external_system="x", external_id="1")
    deleted = DeletedRow.objects.get()
    client = world.client("ben")
    with unchanged(Customer, DeletedRow, Operation):
        page = client.post(f"/trash/{deleted.pk}/restore/", follow=True)
    assert "Another row has taken its place." in page.text


def test_the_trash_is_emptied_after_thirty_days(world):
    old, new = make_customer(world.ana, name="Old"), make_customer(world.ana)
    kept = make_customer(world.ana)
    old.delete()
    long_ago = timezone.now() - datetime.timedelta(days=31)
    DeletedRow.objects.update(at=long_ago)
    new.delete()
    assert empty_trash() == 1
    assert [row.row["name"] for row in DeletedRow.objects.all()] == [new.name]
    assert Customer.objects.get() == kept
    assert Change.objects.filter(verb="delete").count() == 2


def test_the_history_of_a_row_names_values_people_and_ways(world):
    customer = make_customer(world.ana, name="Ada")
    client = world.client("ana")
    data = form_of(world.ana, city="Leeds", annual_income="1234.50")
    client.post(f"/customers/{customer.pk}/edit/", data)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET owner_id = %s", [world.abe.pk])
    text = client.get(f"/customers/{customer.pk}/panel/history/").text
    for word in ("Leeds", "1,234.50", str(world.abe), "Changed (database)"):
        assert word in text


def test_names_of_hidden_rows_do_not_show_in_the_history(world):
    secret = make_customer(world.cleo, name="Secret")
    customer = make_customer(world.ana, name="Ada")
    Customer.objects.filter(pk=customer.pk).update(referred_by=secret)
    text = world.client("ana").get(f"/customers/{customer.pk}/panel/history/").text
    assert "Secret" not in text
    assert "a row that you may not see" in text


def test_administrators_search_the_field_history(world):
    customer = make_customer(world.ana, name="Ada")
    changed_by(world.ana, city="Leeds")
    make_order(world.abe)
    client = world.client("dev")
    assert "Leeds" in client.get("/changes/?text=leed").text
    assert "Leeds" not in client.get("/changes/?text=York").text
    found = client.get(f"/changes/?model=customers.customer&object_id={customer.pk}")
    assert [one["change"].verb for one in found.context["changes"]] == ["change", "add"]
    assert client.get(f"/changes/?person={world.ana.pk}").context["changes"]
    for name in ("ana", "ben"):
        assert world.client(name).get("/changes/").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "object_id=x",
        f"object_id={10**30}",
        "since=31-31-31",
        "model=no.such",
        "text=%25_'\"\\",
        "text=%00",
        "person=0",
        f"before={10**30}",
        "before=-1",
    ],
)
def test_odd_questions_are_answered(world, query):
    client = world.client("dev")
    for path in ("/changes/", "/operations/", "/trash/"):
        assert client.get(f"{path}?{query}").status_code == 200


def test_the_database_refuses_to_change_the_history_for_administrators_too(world):
    make_customer(world.ana)
    client = world.client("dev")
    assert client.post("/changes/").status_code == 405
    assert "crm/change/" not in client.get("/admin/").text

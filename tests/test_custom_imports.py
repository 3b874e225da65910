"""Every importer whose rows take custom fields fills them, orders among them."""

import pytest

from crm.models import CustomField
from crm.testing.imports import counts, import_by_command, import_by_pages, rejects_of
from crm.testing.snapshot import all_rows
from customers.models import Contact
from customers.tests.custom_fields import make_field
from customers.tests.recipes import make_customer
from sales.models import Lead, Opportunity, Order, Product
from service.models import Ticket

pytestmark = pytest.mark.usefixtures("media")

# The file's columns beside the two custom fields, and one row of them.
FILES = {
    Contact: ("name,email,company", "Nora,nora@mail.example,Acme"),
    Lead: ("name,company", "Nora,Acme"),
    Opportunity: ("customer name,name,stage,amount", "Acme,Big deal,won,5"),
    Product: ("sku,name,price", "A1,Apple,2"),
    Order: ("invoice no,stock code,quantity,invoice date,price", "7,A1,2,2024-05-01,3"),
    Ticket: ("number,subject,text", "T1,Broken,It does not start"),
}


def write(path, *lines):
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.__name__)
def test_fields_of_rows_are_filled_and_made(dev, tmp_path, model):
    label = model._meta.label_lower
    make_customer(name="Acme", kind="company")
    known = make_field(dev, "number", "Floor space", model=label)
    header, row = FILES[model]
    path = write(tmp_path / "a.csv", f"{header},Floor space,Rank", f"{row},12.50,gold")
    name = "sales.orderline" if model is Order else label
    result = import_by_command(name, path, "--add-field", "Rank=text")
    assert counts(result) == (1, 0, 0, 0)
    rank = CustomField.objects.get(label="Rank")
    assert rank.model == label
    (stored,) = model.objects.all()
    assert stored.custom == {known.key: 12.5, rank.key: "gold"}
    again = import_by_command(name, path)
    assert counts(again) == (0, 0, 1, 0)
    write(path, f"{header},Floor space,Rank", f"{row},,silver")
    changed = import_by_command(name, path)
    assert counts(changed) == (0, 1, 0, 0)
    stored.refresh_from_db()
    assert stored.custom == {known.key: 12.5, rank.key: "silver"}


ORDER = "order number,sku,quantity,order date,price,Channel,Referrer,Extras"


@pytest.fixture
def order_fields(dev):
    target = {"target": "customers.customer"}
    return (
        make_field(
            dev, "choice", "Channel", model="sales.order", options="Shop\nFair | 展会"
        ),
        make_field(dev, "reference", "Referrer", model="sales.order", **target),
        make_field(
            dev, "choices", "Extras", model="sales.order", options="Gift\nExpress"
        ),
    )


def test_the_first_row_of_an_order_that_tells_counts(world, tmp_path, order_fields):
    channel, referrer, extras = order_fields
    ada = make_customer(world.ana, name="Ada")
    path = write(
        tmp_path / "a.csv",
        ORDER,
        "1,A,1,2024-05-01,3,,,",
        "2,A,1,2024-05-01,3,,,",
        "1,B,1,2024-05-01,3,展会,Ada,gift;express",
        "1,C,1,2024-05-01,3,Shop,,gift",
    )
    assert counts(import_by_command("orders", path)) == (4, 0, 0, 0)
    first, second = Order.objects.order_by("number")
    wanted = {channel.key: "2", referrer.key: ada.pk, extras.key: ["1", "2"]}
    assert (first.custom, second.custom) == (wanted, {})
    assert counts(import_by_command("orders", path)) == (0, 0, 4, 0)


def test_bad_cells_of_an_order_are_said_row_by_row(world, tmp_path, order_fields):
    make_customer(world.ana, name="Twin")
    make_customer(world.ana, name="Twin")
    path = write(
        tmp_path / "a.csv",
        ORDER,
        "1,A,1,2024-05-01,3,Nowhere,,",
        "2,A,1,2024-05-01,3,Shop,Nobody,",
        "3,A,1,2024-05-01,3,Shop,Twin,",
        "4,A,1,2024-05-01,3,Shop,,",
    )
    result = import_by_command("orders", path)
    assert counts(result) == (1, 0, 0, 3)
    reasons = " ".join(str(row) for row in rejects_of(result))
    for sentence in ("Choose one of", "There is no such row", "Several rows have"):
        assert sentence in reasons


def test_new_fields_of_orders_are_made_on_the_page_and_undone(dev):
    before = all_rows()
    content = (
        b"order number,sku,quantity,order date,price,Channel\n"
        b"1,A,1,2024-05-01,3,web\n1,B,1,2024-05-01,3,web\n"
        b"2,A,1,2024-05-01,3,Shop\n3,A,1,2024-05-01,3,shop\n"
    )
    run = import_by_pages(dev, "sales.orderline", content, column_5="new")
    field = CustomField.objects.get()
    assert (field.model, field.kind) == ("sales.order", "choice")
    found = dict(Order.objects.values_list("number", "custom"))
    assert found == {"1": {field.key: "1"}} | {n: {field.key: "2"} for n in "23"}
    dev.post(f"/operations/{run.operation}/undo/")
    assert all_rows() == before

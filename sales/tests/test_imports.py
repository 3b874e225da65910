"""Orders, products, leads and deals out of files."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db.models import F, Sum
from model_bakery import baker

from crm.models import ImportRun, RejectedRow
from crm.testing.imports import counts, import_by_command, rejects_of
from customers.models import Customer
from sales.choices import LeadState, OrderKind, OrderState
from sales.models import (
    Category,
    ChangedDay,
    Lead,
    Opportunity,
    Order,
    OrderLine,
    OrderSum,
    Product,
)

DATA = Path(settings.DATA_DIR)
OLIST = DATA / "olist_marketing_funnel"
LEADS = OLIST / "olist_marketing_qualified_leads_dataset.csv"
DEALS = OLIST / "olist_closed_deals_dataset.csv"
CDNOW = DATA / "cdnow/cdnow_transactions.csv"
needs_data = pytest.mark.skipif(not LEADS.exists(), reason="CRM_DATA_DIR is empty")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

HEADER = (
    "InvoiceNo,StockCode,Description,Quantity,"
    "InvoiceDate,UnitPrice,CustomerID,Country\n"
)
ROWS = [
    "536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
    "536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom",
    "536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom",
    "536366,22633,,2,2010-12-01 08:28:00,1.85,,France",
    "C536379,D,Discount,-1,2011-07-01 09:41:00,27.50,14527.0,United Kingdom",
    "536365,22752,NESTING BOXES,2,2010-12-01 08:26:00,7.65,17850.0,United Kingdom",
    "536370,POST,POSTAGE,3,2010-12-02 08:45:00,0.001,12583.0,France",
    "536371,71053,,1,2010-12-03 08:45:00,0,12583.0,Spain",
]
PROFILE = ("--profile", "online-retail")


def orders_file(tmp_path, rows=ROWS, name="orders.csv", header=HEADER):
    path = tmp_path / name
    path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def import_orders(path, *args):
    return import_by_command("sales.orderline", path, *PROFILE, *args)


def money():
    lines = OrderLine.objects.aggregate(sum=Sum("amount"))["sum"]
    orders = Order.objects.aggregate(sum=Sum("total"))["sum"]
    return lines, orders


# --- Orders -------------------------------------------------------------------


def test_lines_fill_orders_customers_and_products(tmp_path):
    result = import_orders(orders_file(tmp_path))
    assert (result["exit"], result["rows"], counts(result)) == (0, 8, (8, 0, 0, 0))
    assert result["rejects_file"] is None
    assert result["objects"]["sales.order"] == {"created": 5, "updated": 0}
    total = sum(Decimal(row.split(",")[3]) * Decimal(row.split(",")[5]) for row in ROWS)
    assert money() == (total, total)
    # The sums behind the reports came along.
    assert not ChangedDay.objects.exists()
    by_day = OrderSum.objects.filter(grain="day")
    assert by_day.aggregate(sum=Sum(F("sold") + F("returned")))["sum"] == total
    order = Order.objects.get(number="536365")
    assert (order.kind, order.state) == (OrderKind.SALE, OrderState.COMPLETED)
    assert (order.currency, order.country) == ("GBP", "United Kingdom")
    assert order.placed_at.isoformat() == "2010-12-01T08:26:00+00:00"
    lines = list(order.lines.order_by("line_no").values_list("line_no", "product__sku"))
    assert lines == [(1, "85123A"), (2, "71053"), (3, "71053"), (4, "22752")]
    assert order.customer.name == "Customer 17850"
    assert order.customer.external_id == "17850"
    assert order.customer.customer_since.isoformat() == "2010-12-01"


def test_returns_are_orders_of_their_own_kind_in_the_zone_of_the_shop(tmp_path):
    import_orders(orders_file(tmp_path))
    order = Order.objects.get(number="C536379")
    assert order.kind == OrderKind.RETURN
    assert order.total == Decimal("-27.5")
    # 9:41 in London in summer.
    assert order.placed_at.isoformat() == "2011-07-01T08:41:00+00:00"


def test_lines_without_a_customer_keep_their_revenue(tmp_path):
    import_orders(orders_file(tmp_path))
    order = Order.objects.get(number="536366")
    assert order.customer is None
    assert order.total == Decimal("3.7")


def test_products_get_their_commonest_name_and_price(tmp_path):
    import_orders(orders_file(tmp_path))
    assert Product.objects.get(sku="71053").name == "LANTERN"
    assert Product.objects.get(sku="71053").unit_price == Decimal("3.39")
    assert Product.objects.get(sku="22633").name == "22633"
    assert Customer.objects.get(external_id="12583").country == "France"


def test_the_same_file_again_changes_nothing(tmp_path):
    path = orders_file(tmp_path)
    import_orders(path)
    stamps = list(OrderLine.objects.order_by("pk").values_list("pk", "updated_at"))
    before = money()
    result = import_orders(path)
    assert counts(result) == (0, 0, 8, 0)
    assert result["objects"] == {}
    assert money() == before
    again = list(OrderLine.objects.order_by("pk").values_list("pk", "updated_at"))
    assert again == stamps


def test_a_changed_line_is_updated_and_the_total_follows(tmp_path):
    import_orders(orders_file(tmp_path))
    rows = [
        row.replace(",6,2010-12-01 08:26:00,2.55", ",7,2010-12-01 08:26:00,2.55")
        for row in ROWS
    ]
    assert counts(import_orders(orders_file(tmp_path, rows))) == (0, 1, 7, 0)
    assert OrderLine.objects.get(order__number="536365", line_no=1).quantity == 7
    assert len(set(money())) == 1


def test_a_bad_line_is_rejected_and_comes_back_to_its_place(tmp_path):
    rows = list(ROWS)
    rows[1] = rows[1].replace(",6,", ",six,")
    result = import_orders(orders_file(tmp_path, rows))
    assert (result["exit"], counts(result)) == (1, (7, 0, 0, 1))
    order = Order.objects.get(number="536365")
    assert list(order.lines.values_list("line_no", flat=True)) == [1, 3, 4]
    assert len(set(money())) == 1
    rejected = rejects_of(result)
    assert len(rejected) == 1
    assert rejected[0]["Row"] == "3"
    assert rejected[0]["Why it was rejected"] == "Quantity: This is not a number."
    assert rejected[0]["Line of the order"] == "2"
    assert rejected[0]["Quantity"] == "six"
    # Mended by hand and imported as it is.
    path = Path(result["rejects_file"])
    mended = tmp_path / "mended.csv"
    mended.write_text(path.read_text("utf-8-sig").replace(",six,", ",6,"))
    result = import_orders(mended, "--map", "Line of the order=line_no")
    assert counts(result) == (1, 0, 0, 0)
    assert list(order.lines.values_list("line_no", flat=True)) == [1, 2, 3, 4]
    # The whole file again: nothing is left to do.
    assert counts(import_orders(orders_file(tmp_path))) == (0, 0, 8, 0)


@pytest.mark.parametrize(
    ("cell", "bad", "column", "reason"),
    [
        ("2.55", "abc", "UnitPrice", "not a number"),
        ("2.55", "0.12345", "UnitPrice", "decimal places"),
        ("2.55", "", "Price", "missing"),
        (",6,", ",0,", "Quantity", "zero"),
        ("2010-12-01 08:26:00", "0000-12-01 08:26:00", "InvoiceDate", "not a date"),
        ("2010-12-01 08:26:00", "", "InvoiceDate", "missing"),
        ("536365,", ",", "Order number", "missing"),
        ("HEART HOLDER", "H" * 301, "Description", "longer than 300"),
        ("United Kingdom", "UK,one,more", "", "cells"),
        ("HEART HOLDER", "HEART\0HOLDER", "Description", "NUL"),
    ],
)
def test_every_bad_cell_has_row_column_value_and_reason(
    tmp_path, cell, bad, column, reason
):
    rows = [ROWS[4], ROWS[0].replace(cell, bad, 1), ROWS[3]]
    result = import_orders(orders_file(tmp_path, rows))
    assert (result["exit"], counts(result)) == (1, (2, 0, 0, 1))
    found = RejectedRow.objects.get(run=result["run"])
    assert (found.line, found.column) == (3, column)
    assert reason in found.reason
    assert reason in rejects_of(result)[0]["Why it was rejected"]


def test_a_dry_run_lists_every_bad_row_and_changes_nothing(tmp_path):
    rows = [row.replace(",2.55,", ",x,").replace(",7.65,", ",y,") for row in ROWS]
    result = import_orders(orders_file(tmp_path, rows), "--dry-run")
    assert (result["exit"], result["dry_run"]) == (1, True)
    assert counts(result) == (6, 0, 0, 2)
    assert list(RejectedRow.objects.values_list("line", "value")) == [
        (2, "x"),
        (7, "y"),
    ]
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not Product.objects.exists()


def test_the_modes(tmp_path):
    path = orders_file(tmp_path)
    result = import_orders(path, "--mode", "update")
    assert counts(result) == (0, 0, 0, 8)
    assert not Order.objects.exists()
    assert counts(import_orders(path, "--mode", "create")) == (8, 0, 0, 0)
    assert counts(import_orders(path, "--mode", "create")) == (0, 0, 0, 8)
    assert counts(import_orders(path, "--mode", "update")) == (0, 0, 8, 0)


def test_an_order_torn_into_two_files_is_not_overwritten(tmp_path):
    import_orders(orders_file(tmp_path, ROWS[:2]))
    before = money()
    result = import_orders(orders_file(tmp_path, ROWS[5:6], "rest.csv"))
    assert counts(result) == (0, 0, 0, 1)
    assert "another product" in rejects_of(result)[0]["Why it was rejected"]
    assert money() == before


def test_an_order_of_two_customers_keeps_the_first(tmp_path):
    rows = [ROWS[0], ROWS[1].replace("17850.0", "99.0")]
    result = import_orders(orders_file(tmp_path, rows))
    assert counts(result) == (1, 0, 0, 1)
    assert "17850" in rejects_of(result)[0]["Why it was rejected"]
    assert not Customer.objects.filter(external_id="99").exists()


def test_formulas_are_escaped_in_the_file_of_rejected_rows(tmp_path):
    row = ROWS[0].replace("HEART HOLDER", "=cmd|' /C calc'!A0").replace("2.55", "@x")
    result = import_orders(orders_file(tmp_path, [row.replace(",6,", ",-6,")]))
    found = rejects_of(result)[0]
    assert found["Description"] == "'=cmd|' /C calc'!A0"
    assert found["UnitPrice"] == "'@x"
    assert found["Quantity"] == "-6"


def test_other_headers_are_suggested_also_in_chinese(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "订单号;货号;商品;数量;下单时间;单价;客户编号;国家\n"
        "A1;K-1;茶叶;2;2024年5月6日;12,50;77;中国\n",
        encoding="gb18030",
    )
    result = import_by_command("orders", path)
    assert counts(result) == (1, 0, 0, 0)
    order = Order.objects.get(number="A1")
    assert (order.total, order.country) == (Decimal(25), "中国")
    assert order.lines.get().description == "茶叶"


def test_amounts_that_do_not_divide_stay_exact(tmp_path):
    path = tmp_path / "cd.csv"
    path.write_text(
        "_id,id,date,cds_bought,spent\n4,1,19970101,3,10.00\n"
        "4,1,19970101,2,29.33\n5,2,19970102,1,0.00\n"
    )
    result = import_by_command("orders", path)
    assert counts(result) == (3, 0, 0, 0)
    assert money() == (Decimal("39.33"), Decimal("39.33"))
    assert Order.objects.count() == 3
    assert Customer.objects.count() == 2
    whole = OrderLine.objects.get(amount=10)
    assert (whole.quantity, whole.description) == (1, "CDs × 3")


@needs_data
def test_cdnow_purchases_of_one_day_stay_separate():
    result = import_by_command("orders", CDNOW)
    assert counts(result) == (6919, 0, 0, 0)
    assert Order.objects.count() == 6919
    assert Customer.objects.filter(external_system="cdnow").count() == 2357
    assert counts(import_by_command("orders", CDNOW)) == (0, 0, 6919, 0)


# --- Rights -------------------------------------------------------------------


def test_an_import_needs_the_right(tmp_path, world):
    with pytest.raises(CommandError, match="may not import"):
        import_orders(orders_file(tmp_path), "--as", "ana")
    assert not Order.objects.exists()
    assert not Customer.objects.exists()


def test_imported_rows_belong_to_who_imports_them(tmp_path, world):
    import_orders(orders_file(tmp_path), "--as", "ben")
    assert set(Order.objects.values_list("owner__username", flat=True)) == {"ben"}
    assert set(Customer.objects.values_list("owner__username", flat=True)) == {"ben"}


def test_orders_beyond_reach_are_not_overwritten(tmp_path, world):
    import_orders(orders_file(tmp_path))
    Order.objects.update(owner=world.cleo)
    Order.objects.filter(number="536370").update(owner=world.ana)
    Customer.objects.update(owner=world.ana)
    rows = [row.replace(",2.55,", ",9.99,") for row in ROWS]
    before = list(OrderLine.objects.order_by("pk").values())
    result = import_orders(orders_file(tmp_path, rows), "--as", "ben")
    assert counts(result) == (0, 0, 1, 7)
    assert "not yours to change" in rejects_of(result)[0]["Why it was rejected"]
    assert list(OrderLine.objects.order_by("pk").values()) == before


def test_customers_beyond_sight_are_not_used(tmp_path, world):
    baker.make(
        Customer,
        external_system="online-retail",
        external_id="17850",
        owner=world.cleo,
        name="Hidden",
    )
    result = import_orders(orders_file(tmp_path, ROWS[:1]), "--as", "ben")
    assert counts(result) == (0, 0, 0, 1)
    assert not Order.objects.exists()


# --- Whole files that cannot go in --------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("empty.csv", b"", "empty"),
        ("fake.xlsx", b"a,b\n1,2\n", "content is none"),
        ("open.csv", HEADER.encode() + b'1,"open', "never closed"),
        ("other.csv", b"a,b\n1,2\n", "No column of the file"),
    ],
)
def test_a_file_that_cannot_go_in_is_refused_whole(tmp_path, name, content, part):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=part):
        import_by_command("orders", path)
    assert not Order.objects.exists()


def test_a_file_that_breaks_half_way_leaves_nothing(tmp_path):
    rows = [*ROWS * 3000, '1,"never closed']
    with pytest.raises(CommandError, match=r"Row 24002, column 2"):
        import_orders(orders_file(tmp_path, rows))
    assert not Order.objects.exists()
    assert ImportRun.objects.get().state == "failed"


def test_a_file_with_names_only_imports_nothing(tmp_path):
    result = import_orders(orders_file(tmp_path, []))
    assert (result["exit"], result["rows"], counts(result)) == (0, 0, (0, 0, 0, 0))


@pytest.mark.parametrize(
    "args",
    [
        ("--set", "nonsense=1"),
        ("--set", "time_zone=Mars/Base"),
        ("--map", "NoSuchColumn=sku"),
        ("--map", "Country=nonsense"),
        ("--profile", "none"),
        ("--as", "nobody"),
    ],
)
def test_wrong_arguments_are_refused_in_words(tmp_path, args):
    with pytest.raises(CommandError):
        import_orders(orders_file(tmp_path), *args)
    assert not Order.objects.exists()


# --- Products, leads, deals ---------------------------------------------------


def test_products_with_their_categories(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text("SKU,Product,Category,Price\nA,Tea,Drinks,2.50\nB,Cup,Ware,9\n")
    assert counts(import_by_command("products", path)) == (2, 0, 0, 0)
    assert Product.objects.get(sku="A").category.name == "Drinks"
    assert counts(import_by_command("products", path)) == (0, 0, 2, 0)
    path.write_text("SKU,Product,Category,Price\nA,Tea,Leaves,2.50\nB,,,10\nA,x,,1\n")
    result = import_by_command("products", path)
    assert counts(result) == (0, 2, 0, 1)
    assert "Row 2 of the file" in rejects_of(result)[0]["Why it was rejected"]
    product = Product.objects.get(sku="B")
    assert (product.name, product.unit_price) == ("Cup", 10)
    assert Product.objects.get(sku="A").category.name == "Leaves"
    assert Category.objects.count() == 3


@needs_data
def test_leads_with_their_won_deals():
    assert counts(import_by_command("leads", LEADS)) == (8000, 0, 0, 0)
    assert Lead.objects.filter(source="organic").count() == 2296
    assert Lead.objects.filter(source="unknown").count() == 1099 + 60
    result = import_by_command("deals", DEALS)
    assert counts(result) == (842, 0, 0, 0)
    assert result["objects"]["sales.lead"] == {"created": 0, "updated": 842}
    won = Opportunity.objects.select_related("lead", "customer", "stage").get(
        external_id="5420aad7fec3549a85876ba1c529bd84"
    )
    assert won.stage.code == "won"
    assert won.details["business_segment"] == "pet"
    assert won.lead.state == LeadState.CONVERTED
    assert won.lead.closed_at == won.closed_at
    assert won.lead.customer == won.customer
    assert won.customer.external_id == "2c43fb513632d29b3b58df74816f1b06"
    moves = won.stage_changes.order_by("pk").values_list(
        "from_stage__code", "to_stage__code"
    )
    assert list(moves) == [(None, "new"), ("new", "won")]
    assert won.stage_changes.order_by("-pk").first().at == won.closed_at
    assert Lead.objects.filter(state=LeadState.CONVERTED).count() == 842
    assert counts(import_by_command("leads", LEADS)) == (0, 0, 8000, 0)
    assert counts(import_by_command("deals", DEALS)) == (0, 0, 842, 0)


@needs_data
def test_deals_need_their_leads():
    result = import_by_command("deals", DEALS)
    assert counts(result) == (0, 0, 0, 842)
    assert not Opportunity.objects.exists()
    assert not Customer.objects.exists()


def test_leads_beyond_reach_are_not_converted(tmp_path, world):
    lead = baker.make(
        Lead, external_system="olist", external_id="x1", owner=world.cleo, name="Far"
    )
    path = tmp_path / "deals.csv"
    path.write_text("lead id,customer,stage,amount\nx1,Shop,won,10\n")
    args = ("--set", "external_system=olist", "--as", "ben")
    assert counts(import_by_command("deals", path, *args)) == (0, 0, 0, 1)
    lead.refresh_from_db()
    assert lead.state == LeadState.NEW
    assert not Customer.objects.exists()

"""Order lines, one per row; they fill their orders, and customers and products."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm.access import Verb
from crm.custom.importing import find_references, values_sql
from crm.importing.columns import (
    Choice,
    Code,
    DateTime,
    Integer,
    Number,
    Owner,
    Text,
)
from crm.importing.importer import Importer, Mode, Profile, register_importer
from crm.importing.work import Work, mode_reasons, sequence
from customers.models import Customer
from sales import rollups
from sales.choices import OrderKind, OrderState
from sales.imports import order_sql as sql
from sales.models import Order, OrderLine, Product

COLUMNS = (
    Code(
        "number",
        gettext_lazy("Order number"),
        max_length=60,
        aliases=(
            "invoice",
            "invoice no",
            "invoice number",
            "order",
            "order id",
            "order no",
            "transaction id",
            "单号",
            "订单",
            "订单号",
            "订单编号",
            "发票号",
        ),
    ),
    Integer(
        "line_no",
        gettext_lazy("Line of the order"),
        aliases=("line no", "line number", "position", "行号"),
    ),
    Code(
        "sku",
        gettext_lazy("Product number"),
        max_length=60,
        aliases=(
            "stock code",
            "sku",
            "product id",
            "item",
            "商品编号",
            "产品编号",
            "货号",
        ),
    ),
    Text(
        "description",
        gettext_lazy("Description"),
        max_length=300,
        aliases=(
            "product",
            "product name",
            "item name",
            "商品",
            "商品名称",
            "产品名称",
        ),
    ),
    Number(
        "quantity",
        gettext_lazy("Quantity"),
        max_digits=14,
        decimal_places=3,
        aliases=("qty", "units", "pieces", "数量", "件数"),
    ),
    DateTime(
        "placed_at",
        gettext_lazy("Ordered"),
        required=True,
        aliases=(
            "invoice date",
            "order date",
            "date",
            "ordered at",
            "purchase date",
            "下单时间",
            "订单日期",
            "日期",
        ),
    ),
    Number(
        "unit_price",
        gettext_lazy("Price"),
        max_digits=14,
        decimal_places=4,
        aliases=("unit price", "price each", "单价", "价格"),
    ),
    Number(
        "amount",
        gettext_lazy("Amount of the line"),
        max_digits=14,
        decimal_places=4,
        aliases=("amount", "line total", "spent", "revenue", "sales", "金额", "总价"),
    ),
    Code(
        "customer_ref",
        gettext_lazy("Outside id of the customer"),
        max_length=100,
        aliases=("customer id", "customer no", "client id", "客户编号", "客户号"),
    ),
    Text(
        "customer_name",
        gettext_lazy("Name of the customer"),
        max_length=200,
        aliases=("customer", "customer name", "client", "客户", "客户名称"),
    ),
    Text(
        "country",
        gettext_lazy("Country"),
        max_length=80,
        aliases=("国家",),
    ),
    Text(
        "currency",
        gettext_lazy("Currency"),
        max_length=3,
        aliases=("货币", "币种"),
    ),
    Choice(
        "state",
        gettext_lazy("State"),
        choices=OrderState.choices,
        aliases=("status", "order status", "状态", "订单状态"),
    ),
    Text(
        "external_system",
        gettext_lazy("Outside system"),
        max_length=40,
        aliases=("system", "来源系统"),
    ),
    Owner("owner", gettext_lazy("Owner"), aliases=("sales agent", "负责人", "销售")),
)


@register_importer
class OrderImporter(Importer):
    """Orders from a file of their lines.

    A line is recognised by its order's number and its place among the rows of that
    order in the file, rejected ones included. So exact repeats are lines of their own,
    rows of one order need not stand together, and the same file changes nothing.
    """

    name = "sales.orderline"
    label = pgettext_lazy("import", "Orders")
    model = Order
    aliases = ("orders", "order", "sales.order", "orderlines", "lines")
    creates = (OrderLine, Customer, Product)
    columns = COLUMNS
    fills_custom = True
    help = gettext_lazy(
        "One row per line of an order. Missing customers and products are added. "
        "Keep all lines of an order in one file."
    )
    profiles: ClassVar = [
        Profile(
            code="online-retail",
            label="Online Retail",
            mapping={
                "InvoiceNo": "number",
                "StockCode": "sku",
                "Description": "description",
                "Quantity": "quantity",
                "InvoiceDate": "placed_at",
                "UnitPrice": "unit_price",
                "CustomerID": "customer_ref",
                "Country": "country",
            },
            constants={"external_system": "online-retail", "currency": "GBP"},
            options={"time_zone": "Europe/London", "return_prefix": "C"},
        ),
        Profile(
            code="cdnow",
            label="CDNOW",
            mapping={
                "id": "customer_ref",
                "date": "placed_at",
                "cds_bought": "quantity",
                "spent": "amount",
            },
            constants={
                "external_system": "cdnow",
                "currency": "USD",
                "description": "CDs",
            },
            options={"time_zone": "UTC", "ignore": ["_id"]},
        ),
    ]

    def check_mapping(self, keys: set[str]) -> str:
        """Ask for a price or an amount as well."""
        missing = super().check_mapping(keys)
        if not missing and not keys & {"unit_price", "amount"}:
            missing = _("Choose a column for the price or for the amount of the line.")
        return missing

    # --- Prepare --------------------------------------------------------------

    def prepare(self, work: Work) -> None:
        """Group the rows into orders, find what exists, and compare the lines."""
        self._number_rows(work)
        work.check_owner(Order)
        self._check_cells(work)
        find_references(work)
        self._group_orders(work)
        self._group_customers(work)
        self._group_products(work)
        self._make_lines(work)
        self._check_lines(work)
        self._drop_empty(work)
        self._count(work)

    def _number_rows(self, work: Work) -> None:
        """Give each row an order of its own where the file has no order numbers."""
        if work.has("number"):
            work.reject(
                "SELECT s.line, '', NULL FROM {staging} s"
                " WHERE NOT s.bad AND s.number IS NULL",
                _("This value is missing."),
                column=str(self.by_key["number"].label),
            )
            return
        fallback = f"import-{work.file_hash[:8]}"
        work.run(sql.NUMBER_ROWS, [fallback, work.header_row])

    def _check_cells(self, work: Work) -> None:
        label = {key: str(column.label) for key, column in self.by_key.items()}
        rows = "SELECT s.line, {cell}, NULL FROM {staging} s WHERE NOT s.bad AND "
        work.reject(
            rows + "s.quantity = 0",
            _("A line with a quantity of zero says nothing."),
            column=label["quantity"],
            cell="s.quantity::text",
        )
        work.reject(
            rows + "s.line_no < 1",
            _("Lines are counted from 1."),
            column=label["line_no"],
            cell="s.line_no::text",
        )
        work.reject(
            rows + "s.unit_price IS NULL AND s.amount IS NULL",
            _("This value is missing."),
            column=label["unit_price" if work.has("unit_price") else "amount"],
            cell="''",
        )

    def _group_orders(self, work: Work) -> None:
        """Make one row per order; its customer is that of its first row."""
        custom = values_sql(work, sql.FIRST_FILLED) or "NULL::jsonb"
        work.run(sql.ORDERS, custom=custom)
        if work.reject(
            sql.OTHER_CUSTOMER,
            _("An earlier row of this order names another customer: [other]."),
            column=str(self.by_key["customer_ref"].label),
        ):
            work.run("DROP TABLE imp_orders")
            work.run(sql.ORDERS, custom=custom)
        work.run(sql.FIND_ORDERS)
        beyond = work.out_of_reach(Order, Verb.CHANGE, "o.id")
        if beyond:
            work.reject(
                sql.HIDDEN_ORDERS,
                _("This exists, and it is not yours to change."),
                column=str(self.by_key["number"].label),
                beyond=beyond,
            )
        work.run(sql.NEW_ORDERS, next_id=sequence(Order))
        work.run("ANALYZE imp_orders")

    def _group_customers(self, work: Work) -> None:
        work.run(sql.CUSTOMERS)
        work.run(sql.FIND_CUSTOMERS)
        beyond = work.out_of_reach(Customer, Verb.VIEW, "c.id")
        if beyond:
            work.reject(
                sql.HIDDEN_CUSTOMERS,
                _("This customer exists, and you may not use it."),
                column=str(self.by_key["customer_ref"].label),
                beyond=beyond,
            )
        work.run(sql.NEW_CUSTOMERS, next_id=sequence(Customer))
        work.run(sql.CUSTOMERS_OF_ORDERS)

    def _group_products(self, work: Work) -> None:
        work.run(sql.PRODUCT_WORDS)
        work.run(sql.PRODUCTS)
        work.run(sql.FIND_PRODUCTS)
        work.run(sql.NEW_PRODUCTS, next_id=sequence(Product))

    def _make_lines(self, work: Work) -> None:
        has_old = work.fetch(
            "SELECT EXISTS (SELECT 1 FROM imp_orders WHERE NOT is_new)"
        )
        work.run(sql.LINES_WITH_OLD if has_old[0][0] else sql.LINES_WITHOUT_OLD)
        work.run("ANALYZE imp_lines")

    def _check_lines(self, work: Work) -> None:
        """Reject lines that stand for another one, and those the mode refuses."""
        line_label = str(self.by_key["line_no"].label)
        if work.has("line_no"):
            work.reject(
                sql.TWIN_LINES,
                _("Row [other] of the file is the same line of this order."),
                column=line_label,
            )
        work.reject(
            sql.OTHER_PRODUCT,
            _(
                "Line [other] of this order is for another product. Keep all lines of "
                "an order in one file, or number them in a column."
            ),
            column=str(self.by_key["sku"].label),
        )
        if work.mode == Mode.UPSERT:
            return
        test = "IS NOT NULL" if work.mode == Mode.CREATE else "IS NULL"
        work.reject(
            sql.BY_EXISTENCE,
            mode_reasons()[work.mode],
            column=line_label,
            test=test,
        )

    def _drop_empty(self, work: Work) -> None:
        """Forget orders, customers and products of which no good row is left."""
        if work.fetch("SELECT EXISTS (SELECT 1 FROM {staging} WHERE bad)")[0][0]:
            for statement in sql.DROP_EMPTY:
                work.run(statement)

    def _count(self, work: Work) -> None:
        work.run(sql.CHANGED_ORDERS, [work.has("line_no")])
        created, updated, total, lines_updated = work.fetch(sql.COUNT)[0]
        counts = work.counts
        counts.created, counts.updated = created, updated
        counts.unchanged = total - created - updated
        counts.add(OrderLine, created, lines_updated)
        orders, changed, customers, products = work.fetch(sql.COUNT_OBJECTS)[0]
        counts.add(Order, orders, changed)
        counts.add(Customer, customers)
        counts.add(Product, products)

    def reject_columns(self, work: Work) -> list[tuple[str, str]]:
        """Tell the rejected lines their place, so that they go back to it."""
        if not work.has("number") or work.has("line_no"):
            return []
        work.run("CREATE INDEX ON imp_lines (line)")
        place = "SELECT l.line_no FROM imp_lines l WHERE l.line = s.line"
        return [(str(self.by_key["line_no"].label), place)]

    # --- Write ----------------------------------------------------------------

    def write(self, work: Work) -> None:
        """Add customers, products, orders and lines; then renew the totals."""
        owner = work.owner_id().replace("s.owner", "o.owner")
        actor = str(work.actor.pk) if work.actor else "NULL"
        zone = work.options.get("time_zone") or "UTC"
        work.insert(Customer, sql.customer_values(actor), sql.FROM_CUSTOMERS, [zone])
        work.insert(Product, sql.PRODUCT_VALUES, sql.FROM_PRODUCTS)
        prefix = str(work.options.get("return_prefix") or "")
        work.run(sql.KINDS, [prefix, prefix, OrderKind.RETURN, OrderKind.SALE])
        work.insert(
            Order, sql.order_values(owner), sql.FROM_ORDERS, [OrderState.COMPLETED]
        )
        work.run(sql.UPDATE_ORDERS, [work.now])
        work.insert(OrderLine, sql.LINE_VALUES, sql.FROM_LINES)
        if work.counts.updated:
            work.run(sql.UPDATE_LINES, [work.now])
        self.renew_totals(work)
        # In the same transaction: an import of years leaves no day to sum up live.
        rollups.refresh()

    def renew_totals(self, work: Work) -> None:
        """Sum up the orders that got or changed a line, unless all of them are new."""
        if not work.fetch(sql.OLD_ORDERS)[0][0]:
            return
        work.run(sql.UPDATE_TOTALS)

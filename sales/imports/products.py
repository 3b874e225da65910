"""Products."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from crm.importing.columns import Code, Reference, of
from crm.importing.importer import register_importer
from crm.importing.rows import RowImporter
from crm.importing.work import Work
from sales.models import Category, Product


@register_importer
class ProductImporter(RowImporter):
    """Products, recognised by their number; missing categories are added."""

    name = "sales.product"
    label = _("Products")
    model = Product
    aliases = ("products", "product")
    creates = (Category,)
    match_on = (("sku",),)
    columns = (
        of(
            Product,
            "sku",
            kind=Code,
            aliases=("sku", "product id", "stock code", "item", "产品编号", "货号"),
        ),
        of(
            Product,
            "name",
            required=False,
            aliases=("product", "title", "产品", "名称"),
        ),
        Reference(
            "category_name",
            _("Category"),
            max_length=120,
            aliases=("category", "series", "group", "类别", "分类"),
        ),
        of(
            Product,
            "unit_price",
            aliases=("price", "sales price", "单价", "价格", "售价"),
        ),
        of(Product, "unit_cost", aliases=("cost", "成本")),
        of(Product, "currency", aliases=("货币",)),
        of(Product, "is_active", aliases=("active", "在售")),
    )
    # A category that is yet to be added counts as another one than now.
    lookups: ClassVar = {
        "category_id": (
            "category_name",
            "CASE WHEN s.category_name IS NOT NULL THEN coalesce((SELECT c.id"
            " FROM sales_category c WHERE c.name = s.category_name), -1) END",
        )
    }
    fallbacks: ClassVar = {"name": "s.sku"}

    def prepare(self, work: Work) -> None:
        """Count the new categories too."""
        super().prepare(work)
        if work.has("category_name"):
            query = "SELECT count(*) " + NEW_CATEGORIES
            work.counts.add(Category, work.fetch(query)[0][0])

    def write(self, work: Work) -> None:
        """Add the missing categories, then the products."""
        if work.has("category_name"):
            work.insert(Category, {"name": "x.name"}, NEW_CATEGORIES)
        super().write(work)


NEW_CATEGORIES = """
FROM (SELECT DISTINCT s.category_name AS name FROM {staging} s
    WHERE NOT s.bad AND s.category_name IS NOT NULL) x
WHERE NOT EXISTS (SELECT 1 FROM sales_category c WHERE c.name = x.name)
"""

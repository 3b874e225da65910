"""What the demo company sells, and how its sales go through the year."""

from __future__ import annotations

from decimal import Decimal

from crm.seeding import Demo
from sales.models import Category, Product

# category → (share of goods that come back, weight per month from January on)
CATEGORIES = {
    "Coffee & tea": (
        0.01,
        (1.1, 1.0, 1.0, 0.9, 0.9, 0.8, 0.8, 0.8, 1.0, 1.1, 1.3, 1.4),
    ),
    "Kitchen": (0.04, (0.9, 0.9, 1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 1.0, 1.0, 1.4, 1.6)),
    "Tableware": (0.05, (0.8, 0.8, 0.9, 1.0, 1.1, 1.0, 0.9, 0.9, 1.0, 1.1, 1.4, 1.7)),
    "Home textiles": (
        0.09,
        (1.1, 1.0, 1.0, 0.9, 0.8, 0.7, 0.7, 0.8, 1.1, 1.3, 1.4, 1.2),
    ),
    "Garden": (0.03, (0.3, 0.5, 1.2, 1.9, 2.1, 1.7, 1.2, 0.9, 0.8, 0.6, 0.4, 0.3)),
    "Outdoor": (0.08, (0.5, 0.5, 0.8, 1.1, 1.5, 1.8, 1.7, 1.4, 1.0, 0.7, 0.6, 0.8)),
    "Lighting": (0.06, (1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.6, 0.8, 1.1, 1.4, 1.6, 1.5)),
    "Gifts & seasonal": (
        0.02,
        (0.5, 0.8, 0.7, 0.8, 0.8, 0.6, 0.6, 0.6, 0.8, 1.2, 2.3, 2.6),
    ),
}
# category code|name|price
GOODS = """
Coffee & tea|House blend coffee beans 1 kg|18.90
Coffee & tea|Single origin Ethiopia 500 g|14.50
Coffee & tea|Decaf espresso beans 1 kg|21.40
Coffee & tea|Longjing green tea 龙井茶 100 g|16.80
Coffee & tea|Tieguanyin oolong 铁观音 100 g|15.60
Coffee & tea|Aged pu-erh cake 普洱茶 357 g|38.00
Coffee & tea|Earl Grey loose leaf 250 g|9.80
Coffee & tea|Chamomile blossoms 100 g|6.40
Coffee & tea|Drinking chocolate 400 g|8.95
Coffee & tea|Filter papers size 4, 100 pieces|3.25
Coffee & tea|Glass teapot with strainer 1 l|32.50
Kitchen|Chef's knife 20 cm|64.00
Kitchen|Carbon steel wok 32 cm|46.50
Kitchen|Cast iron casserole 4.5 l|129.00
Kitchen|Bamboo cutting board|22.90
Kitchen|Stainless mixing bowls, set of 3|27.80
Kitchen|Burr coffee grinder|89.00
Kitchen|Pour-over kettle 1 l|54.90
Kitchen|Silicone spatula set|13.40
Kitchen|Storage jars, set of 6|34.20
Kitchen|Digital kitchen scale|26.75
Kitchen|Bamboo steamer 蒸笼 24 cm|19.60
Tableware|Stoneware dinner plate|11.90
Tableware|Stoneware bowl|9.40
Tableware|Porcelain rice bowl 饭碗, set of 4|24.80
Tableware|Gongfu tea set 功夫茶具|58.00
Tableware|Wine glasses, set of 6|29.90
Tableware|Cutlery set 24 pieces|96.00
Tableware|Lacquered chopsticks 筷子, 5 pairs|14.20
Tableware|Espresso cups, set of 2|16.50
Tableware|Carafe with oak stopper|37.40
Tableware|Serving platter oval|31.80
Home textiles|Linen tablecloth 140 × 220|58.90
Home textiles|Cotton napkins, set of 4|17.60
Home textiles|Waffle hand towel|8.70
Home textiles|Bath towel organic cotton|24.90
Home textiles|Wool throw 130 × 180|79.00
Home textiles|Cushion cover velvet|21.50
Home textiles|Silk pillowcase 真丝枕套|42.00
Home textiles|Duvet cover set double|88.50
Home textiles|Oven glove pair|12.30
Garden|Secateurs forged steel|36.90
Garden|Watering can 9 l|28.40
Garden|Terracotta pot 25 cm|12.80
Garden|Raised bed larch 120 × 80|114.00
Garden|Seed box kitchen herbs|15.90
Garden|Garden hose 25 m|44.50
Garden|Planting trowel|13.70
Garden|Bird feeder oak|26.20
Garden|Folding bench acacia|149.00
Garden|Solar path light, set of 4|38.60
Outdoor|Two-person tent|189.00
Outdoor|Sleeping bag down|164.00
Outdoor|Hiking backpack 45 l|118.00
Outdoor|Insulated bottle 0.75 l|27.90
Outdoor|Camping stove compact|48.50
Outdoor|Head torch rechargeable|34.80
Outdoor|Picnic blanket waterproof|32.90
Outdoor|Trekking poles, pair|59.00
Outdoor|Rain jacket unisex|97.50
Outdoor|Hammock cotton|66.40
Lighting|Table lamp ceramic|72.00
Lighting|Floor lamp arc|168.00
Lighting|Pendant lamp linen|94.00
Lighting|Paper lantern 灯笼 40 cm|18.50
Lighting|LED bulb E27 warm, 4 pieces|16.90
Lighting|Clip reading light|23.40
Lighting|Beeswax candles, box of 12|19.80
Lighting|String lights 10 m|29.50
Lighting|Dimmable desk lamp|83.00
Gifts & seasonal|Gift box tea selection|34.90
Gifts & seasonal|Gift box breakfast|49.00
Gifts & seasonal|Advent calendar chocolate|24.50
Gifts & seasonal|Glass baubles, set of 12|28.90
Gifts & seasonal|Red envelope set 红包|4.90
Gifts & seasonal|Mooncake gift box 月饼礼盒|42.80
Gifts & seasonal|Wrapping paper, 5 rolls|11.60
Gifts & seasonal|Scented candle fig|26.40
Gifts & seasonal|Notebook cloth bound|17.30
Gifts & seasonal|Gift card sleeve|2.40
"""
COST_SHARE = Decimal("0.56")


def add_catalogue(demo: Demo) -> list[Product]:
    """Add categories and products; a category that is there already is used."""
    known = {one.name: one for one in Category.objects.filter(name__in=CATEGORIES)}
    demo.add(
        Category(name=name, created_at=demo.start)
        for name in CATEGORIES
        if name not in known
    )
    known |= {one.name: one for one in demo.made(Category)}
    taken = set(
        Product.objects.filter(sku__startswith="HP-").values_list("sku", flat=True)
    )
    products = []
    number = 1000
    for line in GOODS.strip().splitlines():
        category, name, price = line.split("|")
        number += 1
        while f"HP-{number}" in taken:
            number += 1
        products.append(
            Product(
                sku=f"HP-{number}",
                name=name,
                category=known[category],
                unit_price=Decimal(price),
                unit_cost=(Decimal(price) * COST_SHARE).quantize(Decimal("0.01")),
                created_at=demo.start,
            )
        )
    return demo.add(products)

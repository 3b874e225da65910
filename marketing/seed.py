"""Demo campaigns in English and Chinese."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from crm.seeding import Demo
from marketing.choices import CampaignState, Channel
from marketing.models import Campaign

# (name, channel, text, budget in thousands)
CAMPAIGNS = [
    (
        "Spring terrace days",
        Channel.EMAIL,
        "Everything for balcony and garden, 15 % off until Sunday. Order now and have "
        "it before the weekend.",
        6,
    ),
    (
        "How to set up a quiet office",
        Channel.SOCIAL,
        "Five simple steps to a room in which people can think. Read the guide.",
        3,
    ),
    (
        "Autumn catalogue",
        Channel.PRINT,
        "Sixty pages of new products for shops and offices, sent to regular buyers.",
        14,
    ),
    (
        "Trade fair Cologne",
        Channel.EVENT,
        "Meet us at stand 4.21. Bring your list and leave with an offer.",
        22,
    ),
    (
        "Gifts that arrive in time",
        Channel.SEARCH,
        "Order by the 18th, unwrap on the 24th. Free wrapping on all small goods.",
        9,
    ),
    (
        "Reorder reminder",
        Channel.EMAIL,
        "Running low? Here is what you bought last time, ready to order again.",
        1,
    ),
    (
        "Call round to quiet accounts",
        Channel.PHONE,
        "A personal call to buyers who have not ordered for half a year.",
        4,
    ),
    (
        "Caring for wood and leather",
        Channel.SOCIAL,
        "Our workshop explains how furniture grows old well. Watch the film.",
        2,
    ),
    ("双十一大促", Channel.SOCIAL, "全场满三百减五十，今晚零点开抢，数量有限。", 12),
    ("春节礼盒预售", Channel.EMAIL, "新春礼盒现在预订享九折，节前送达。", 8),
    ("开学季办公用品", Channel.SEARCH, "台灯、书桌、收纳一站购齐，两件八五折。", 5),
    ("如何挑选办公椅", Channel.SOCIAL, "三分钟了解坐姿与腰椎的关系，附选购清单。", 2),
    ("广州展会", Channel.EVENT, "欢迎莅临B区12号展位，现场咨询有礼。", 16),
    ("老客户回访", Channel.PHONE, "电话回访半年未下单的客户，了解需求。", 3),
]


def seed(demo: Demo) -> None:
    """Add campaigns over two years; the money spent follows the budget and the time."""
    chance = demo.random("marketing.campaigns")
    rows = []
    for number, (name, channel, text, thousands) in enumerate(CAMPAIGNS):
        chinese = not name.isascii()
        start = demo.today - timedelta(days=690 - 52 * number + chance.randint(-10, 10))
        end = start + timedelta(days=chance.randint(10, 45))
        budget = Decimal(thousands * (8000 if chinese else 1000))
        state, share = state_of(demo, start, end)
        spent = budget * Decimal(str(round(share * chance.uniform(0.8, 1.05), 3)))
        rows.append(
            Campaign(
                name=name,
                channel=channel,
                text=text,
                state=state,
                starts_on=start,
                ends_on=end,
                budget=budget,
                spend=spent.quantize(Decimal("0.01")),
                currency="CNY" if chinese else "EUR",
                owner=chance.choice(
                    demo.people("marketer", "zh-hans" if chinese else "en")
                ),
            )
        )
    demo.add(rows)


def state_of(demo: Demo, start: date, end: date) -> tuple[str, float]:
    """Return the state on the day, and how much of the time has passed."""
    if start > demo.today:
        return CampaignState.PLANNED, 0.0
    if end < demo.today:
        return CampaignState.FINISHED, 1.0
    return CampaignState.RUNNING, (demo.today - start) / (end - start)

"""Made-up tickets of four categories in two languages, for tests."""

from __future__ import annotations

import random
from datetime import timedelta

from analytics.tests.history import NOW
from service.choices import CategoryOrigin
from service.models import Ticket, TicketCategory

PHRASES = {
    "delivery": (
        [
            "where is my parcel",
            "the delivery is late",
            "track the shipment of my order",
        ],
        ["我的包裹在哪里", "快递还没有到", "物流信息不更新"],
    ),
    "refund": (
        ["I want my money back", "please refund the payment", "return of the goods"],
        ["我要退款", "钱什么时候退回", "申请退货退款"],
    ),
    "login": (
        ["I cannot sign in", "password reset does not work", "my account is locked"],
        ["登录不了账号", "忘记密码了", "账户被锁定"],
    ),
    "invoice": (
        ["send me the invoice", "the invoice has a wrong address", "a receipt please"],
        ["请开发票", "发票抬头错了", "电子发票没收到"],
    ),
}
FILLERS = (
    ["hello", "please help", "since yesterday", "thank you", "it is urgent", "again"],
    ["你好", "麻烦了", "谢谢", "急", "昨天开始", "请帮忙"],
)


def sentence(chance: random.Random, code: str) -> str:
    """Return a sentence of a category with some noise around it."""
    language = chance.randrange(2)
    parts = [chance.choice(PHRASES[code][language])]
    parts += chance.sample(FILLERS[language], 2)
    chance.shuffle(parts)
    return ("，" if language else ", ").join(parts)


def add_categories() -> dict[str, TicketCategory]:
    """Add the four categories."""
    return {
        code: TicketCategory.objects.create(code=code, name=code.capitalize())
        for code in PHRASES
    }


def add_tickets(count: int = 320, *, seed: int = 7, **fields: object) -> None:
    """Add labelled tickets over 300 days, one in twenty put in the wrong place."""
    chance = random.Random(seed)
    known = {one.code: one for one in TicketCategory.objects.all()} or add_categories()
    codes = list(PHRASES)
    Ticket.objects.bulk_create(
        Ticket(
            **{
                "number": f"S{seed}-{place}",
                "subject": sentence(chance, codes[place % 4]),
                "category": known[
                    chance.choice(codes) if chance.random() < 0.05 else codes[place % 4]
                ],
                "category_origin": CategoryOrigin.PERSON,
                "opened_at": NOW - timedelta(days=300 * (1 - place / count)),
                **fields,
            }
        )
        for place in range(count)
    )

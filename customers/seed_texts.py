"""What is said with demo customers, by them and about them, and who says it."""

# By language: (kind, direction, subject, text).
TALKS = {
    "en": (
        (
            "call",
            "out",
            "Follow-up call",
            "Asked how the last delivery went. All fine.",
        ),
        ("call", "in", "Question about delivery times", "Needs the goods by Friday."),
        (
            "call",
            "out",
            "Introduced the new range",
            "Interested in the spring catalogue.",
        ),
        ("call", "in", "Asked for a volume discount", "Wants a price for 200 pieces."),
        ("call", "out", "Not reached", "Left a message, will try again on Monday."),
        ("email", "out", "Sent the current price list", "Price list attached."),
        ("email", "in", "Re: your offer", "Thanks, we will discuss it internally."),
        ("email", "in", "Change of delivery address", "Please use the new warehouse."),
        (
            "email",
            "out",
            "Confirmation of the appointment",
            "Thursday at 10 is settled.",
        ),
        (
            "meeting",
            "out",
            "Visit on site",
            "Walked through the shop, room for a display.",
        ),
        (
            "meeting",
            "out",
            "Yearly review",
            "Happy with quality, wants faster answers.",
        ),
        ("chat", "in", "Is this item back in stock?", "Told the expected date."),
        (
            "chat",
            "in",
            "Help with the web shop",
            "Could not find the invoice; sent it.",
        ),
        ("web", "in", "Looked at the wholesale page", ""),
        ("web", "in", "Downloaded the catalogue", ""),
        ("note", "none", "Prefers to be called in the morning", ""),
        (
            "note",
            "none",
            "Planning a second branch",
            "Opening next year, needs fittings.",
        ),
        (
            "note",
            "none",
            "Compares us with another supplier",
            "Price is the main point.",
        ),
    ),
    "zh": (
        ("call", "out", "回访电话", "询问上次收货情况，一切正常。"),
        ("call", "in", "咨询交货时间", "希望周五之前到货。"),
        ("call", "out", "介绍新品系列", "对春季目录感兴趣。"),
        ("call", "in", "询问批量折扣", "想了解200件的价格。"),
        ("call", "out", "未接通", "已留言，周一再联系。"),
        ("email", "out", "发送最新价目表", "附件为最新价目表。"),
        ("email", "in", "回复：贵司报价", "谢谢，我们内部讨论后回复。"),
        ("email", "in", "变更收货地址", "请发往新仓库。"),
        ("email", "out", "确认拜访时间", "定于周四上午十点。"),
        ("meeting", "out", "上门拜访", "参观了门店，可以增加陈列。"),
        ("meeting", "out", "年度回顾", "对质量满意，希望回复更快。"),
        ("chat", "in", "这款什么时候有货？", "已告知预计到货日期。"),
        ("chat", "in", "网店使用咨询", "找不到发票，已重新发送。"),
        ("web", "in", "浏览了批发页面", ""),
        ("web", "in", "下载了产品目录", ""),
        ("note", "none", "上午联系比较方便", ""),
        ("note", "none", "计划开第二家分店", "明年开业，需要配套货品。"),
        ("note", "none", "正在比较其他供应商", "主要关注价格。"),
    ),
}
JOBS = {
    "en": (
        "Buyer",
        "Head of purchasing",
        "Managing director",
        "Shop manager",
        "Office manager",
        "Accountant",
        "Warehouse manager",
    ),
    "zh": ("采购员", "采购经理", "总经理", "店长", "行政经理", "会计", "仓库主管"),
}
# What colleagues wrote to those who can sign in, of whatever language:
# (whose customer, author, reader, what was written)
NOTES = (
    ("rep", "manager", "rep", "{name} they asked for a price for next year. Will you?"),
    (
        "rep",
        "jack.doyle",
        "rep",
        "Met their buyer at the fair; she is looking forward.",
    ),
    ("rep", "rep", "manager", "{name} may I offer the discount of last spring again?"),
    ("chen.jing", "manager", "chen.jing", "{name} 请确认下季度的供货计划。"),
    ("", "chen.jing", "manager", "{name} 客户希望下周安排一次会面。"),
    ("rep", "rep", "marketer", "{name} they would like to be in the next newsletter."),
    ("rep", "rep", "agent", "{name} please tell them when the replacement is sent."),
    (
        "rep",
        "rep",
        "servicemanager",
        "{name} the third complaint in a month, see there.",
    ),
    ("rep", "manager", "analyst", "{name} why is the chance of leaving so high here?"),
    (
        "rep",
        "manager",
        "executive",
        "{name} our largest offer this quarter goes to them.",
    ),
    ("rep", "manager", "admin", "{name} they are here twice, I think."),
)

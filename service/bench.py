"""What the bench fills in and measures of service."""

from __future__ import annotations

from crm.bench.fill import Fill, Step
from crm.bench.measures import BOARD, DETAIL, LIST, REPORT, Visit
from crm.bench.staff import ids_of
from customers.bench import YEARS
from service.models import Message, Ticket, TicketCategory
from service.seed_texts import CATEGORIES, EN, ZH

TICKETS = 0.3
# Six in ten have a category that a person gave; the model learns from those. As in real
# mail two in five go on to another matter, and people get a category wrong. Were every
# text clear, the simple rule would be as good as the model, and no model would be used.
TICKET_ROWS = """
INSERT INTO service_ticket (id, created_at, updated_at, is_demo, owner_id, number,
    subject, description, customer_id, kind, state, urgency, channel, category_id,
    category_origin, opened_at, solved_at, dataset, split)
SELECT i, at, at, false, (%(agents)s::bigint[])[
        1 + floor(bench.chance(i, 81) * %(people)s)::int],
    'T' || lpad(i::text, 7, '0'), left(words, 80), words, c.id, part[2], state,
    bench.pick(ARRAY['low','normal','normal','high','urgent'], i, 82),
    bench.pick(ARRAY['email','phone','chat','web'], i, 83),
    CASE WHEN known THEN (CASE WHEN bench.chance(i, 94) < 0.04 THEN aside ELSE part
        END)[1]::bigint END,
    CASE WHEN known THEN 'person' ELSE '' END, at,
    CASE WHEN state IN ('solved', 'closed') THEN least(now(), at + interval '2 days')
    END, '', ''
FROM generate_series(%(low)s::bigint, %(high)s::bigint) i
CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s)
        * (1 - i::float8 / %(total)s) AS at, bench.chance(i, 84) < 0.6 AS known,
    string_to_array(bench.pick(%(texts)s, i, 85), '|') AS part,
    string_to_array(bench.pick(%(texts)s, i, 93), '|') AS aside,
    CASE WHEN i::float8 / %(total)s > 0.98
        THEN bench.pick(ARRAY['new','open','waiting'], i, 86)
        ELSE bench.pick(ARRAY['solved','closed','closed'], i, 86) END AS state) AS a
CROSS JOIN LATERAL (SELECT replace(replace(replace(replace(
    bench.pick(%(openings)s, i, 87) || part[3] || ' '
        || bench.pick(%(closings)s, i, 88) || CASE WHEN bench.chance(i, 95) < 0.4
        THEN ' ' || bench.pick(%(links)s, i, 96) || aside[3] ELSE '' END,
    '{order}', 'B' || (i * 7919 %% 9999999)),
    '{product}', bench.pick(%(goods)s, i, 89)),
    '{count}', (1 + i %% 9)::text), '{days}', (2 + i %% 20)::text) AS words) AS b
JOIN customers_customer c
    ON c.id = 1 + floor(power(bench.chance(i, 90), 1.3) * %(size)s)::bigint
"""
LINKS = ["By the way: ", "One more thing: ", "Besides, "]
LINKS += ["另外，", "顺便问一下，", "还有，"]
MESSAGE_ROWS = """
INSERT INTO service_message (created_at, updated_at, is_demo, ticket_id, direction,
    author_id, body, sent_at)
SELECT t.opened_at, t.opened_at, false, t.id,
    CASE WHEN n %% 2 = 1 THEN 'out' ELSE 'in' END,
    CASE WHEN n %% 2 = 1 THEN t.owner_id END, bench.pick(CASE WHEN n %% 2 = 1
        THEN %(answers)s::text[] ELSE %(replies)s END, t.id * 4 + n, 91),
    t.opened_at + make_interval(hours => n * 3)
FROM service_ticket t
CROSS JOIN LATERAL generate_series(1, floor(bench.chance(t.id, 92) * 4)::int) n
WHERE t.id BETWEEN %(low)s AND %(high)s
"""


def add_tickets(fill: Fill) -> int:
    """Write tickets in both languages with their messages."""
    texts = []
    for code, name, kind, *languages in CATEGORIES:
        category, _made = TicketCategory.objects.get_or_create(
            code=code, defaults={"name": name}
        )
        texts += [
            f"{category.pk}|{kind}|{text}" for lines in languages for text in lines
        ]
    agents = ids_of("agent")
    total = fill.count(TICKETS)
    with fill.bare(Ticket):
        rows = fill.many(
            total,
            TICKET_ROWS,
            size=fill.size,
            days=365 * YEARS,
            agents=agents,
            people=len(agents),
            texts=texts,
            openings=EN["openings"] + ZH["openings"],
            closings=EN["closings"] + ZH["closings"],
            links=LINKS,
            goods=EN["products"] + ZH["products"],
        )
    with fill.bare(Message):
        fill.many(
            total,
            MESSAGE_ROWS,
            answers=EN["answers"] + ZH["answers"],
            replies=EN["replies"] + ZH["replies"],
        )
    return rows


STEPS = (Step("tickets", add_tickets),)


def middle_ticket(bench: object) -> str:
    """Return the page of a ticket."""
    return f"/tickets/{Ticket.objects.order_by('-pk')[5].pk}/"


MEASURES = (
    Visit("ticket list", "/tickets/", LIST, "agent"),
    Visit("ticket list, last page", "/tickets/?page=last", LIST, "agent"),
    Visit("ticket list, open ones", "/tickets/?open=true", LIST, "agent"),
    Visit("ticket board", "/tickets/?layout=board", BOARD, "agent"),
    Visit("ticket, detail", middle_ticket, DETAIL, "agent"),
    Visit("start page, agent", "/", REPORT, "agent"),
)

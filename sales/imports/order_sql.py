"""The statements of the import of orders. ``s`` is a staged row of the file.

The temporary tables hold what the file says, once per order, customer, product and
line, with the id that it has or will have.
"""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
NUMBER_ROWS = """
UPDATE {staging} SET number =
    coalesce(external_system, %s) || '-' || lpad((line - %s)::text, 6, '0')
"""
SYSTEM = "coalesce(s.external_system, 'import')"

ORDERS = f"""
CREATE TEMP TABLE imp_orders ON COMMIT DROP AS
SELECT s.number, min(s.line) AS first_line, min(s.placed_at) AS placed_at,
    min({SYSTEM}) AS system, min(s.customer_ref) AS customer_ref,
    max(s.customer_ref) AS last_ref, min(s.country) AS country,
    min(upper(s.currency)) AS currency, min(s.state) AS state, min(s.owner) AS owner,
    bool_and(coalesce(s.quantity, s.amount) < 0) AS is_negative, ''::text AS kind,
    NULL::bigint AS id, NULL::bigint AS customer_id,
    false AS is_new, false AS is_changed, {{custom}} AS custom
FROM {{staging}} s WHERE NOT s.bad GROUP BY s.number
"""
# Custom fields are the order's: the first of its rows that fills one decides.
FIRST_FILLED = "(array_agg({0} ORDER BY s.line) FILTER (WHERE {0} IS NOT NULL))[1]"
OTHER_CUSTOMER = """
SELECT line, customer_ref, first FROM (
    SELECT s.line, s.customer_ref, first_value(s.customer_ref) OVER (
        PARTITION BY s.number ORDER BY s.line) AS first
    FROM {staging} s JOIN imp_orders o USING (number)
    WHERE NOT s.bad AND o.customer_ref <> o.last_ref AND s.customer_ref IS NOT NULL
) x WHERE customer_ref <> first
"""
FIND_ORDERS = """
UPDATE imp_orders o SET id = m.id FROM sales_order m WHERE m.number = o.number
"""
HIDDEN_ORDERS = """
SELECT s.line, s.number, NULL FROM {staging} s JOIN imp_orders o USING (number)
WHERE NOT s.bad AND o.id IS NOT NULL AND {beyond}
"""
NEW_ORDERS = """
UPDATE imp_orders SET is_new = true, id = {next_id} WHERE id IS NULL
"""

CUSTOMERS = f"""
CREATE TEMP TABLE imp_customers ON COMMIT DROP AS
SELECT DISTINCT ON (system, ref) system, ref, name, country,
    min(since) OVER (PARTITION BY system, ref) AS since,
    NULL::bigint AS id, false AS is_new
FROM (
    SELECT {SYSTEM} AS system, s.customer_ref AS ref, s.country,
        min(s.customer_name) AS name, min(s.placed_at) AS since, count(*) AS often
    FROM {{staging}} s WHERE NOT s.bad AND s.customer_ref IS NOT NULL
    GROUP BY 1, 2, 3
) x ORDER BY system, ref, (country IS NULL), often DESC, country
"""
FIND_CUSTOMERS = """
UPDATE imp_customers c SET id = m.id FROM customers_customer m
WHERE m.external_system = c.system AND m.external_id = c.ref
"""
HIDDEN_CUSTOMERS = f"""
SELECT s.line, s.customer_ref, NULL FROM {{staging}} s
JOIN imp_customers c ON c.system = {SYSTEM} AND c.ref = s.customer_ref
WHERE NOT s.bad AND c.id IS NOT NULL AND {{beyond}}
"""
NEW_CUSTOMERS = """
UPDATE imp_customers SET is_new = true, id = {next_id} WHERE id IS NULL
"""
CUSTOMERS_OF_ORDERS = """
UPDATE imp_orders o SET customer_id = c.id FROM imp_customers c
WHERE c.system = o.system AND c.ref = o.customer_ref
"""

PRODUCT_WORDS = """
CREATE TEMP TABLE imp_words ON COMMIT DROP AS
SELECT s.sku, s.description, s.unit_price, count(*) AS often,
    min(upper(s.currency)) AS currency
FROM {staging} s WHERE NOT s.bad AND s.sku IS NOT NULL GROUP BY 1, 2, 3
"""
# The commonest description and the commonest price above zero; of equals the first.
PRODUCTS = """
CREATE TEMP TABLE imp_products ON COMMIT DROP AS
SELECT k.sku, k.currency, n.name, p.unit_price, NULL::bigint AS id, false AS is_new
FROM (SELECT sku, min(currency) AS currency FROM imp_words GROUP BY sku) k
LEFT JOIN (
    SELECT DISTINCT ON (sku) sku, description AS name FROM imp_words
    WHERE description IS NOT NULL
    GROUP BY sku, description ORDER BY sku, sum(often) DESC, description
) n USING (sku)
LEFT JOIN (
    SELECT DISTINCT ON (sku) sku, unit_price FROM imp_words WHERE unit_price > 0
    GROUP BY sku, unit_price ORDER BY sku, sum(often) DESC, unit_price
) p USING (sku)
"""
FIND_PRODUCTS = """
UPDATE imp_products p SET id = m.id FROM sales_product m WHERE m.sku = p.sku
"""
NEW_PRODUCTS = """
UPDATE imp_products SET is_new = true, id = {next_id} WHERE id IS NULL
"""

# An amount that cannot be divided exactly stays whole: one piece at that price.
QUANTITY = "coalesce(s.quantity, 1)"
EXACT = f"round(s.amount / {QUANTITY}, 4) * {QUANTITY} = s.amount"
IS_WHOLE = f"(s.unit_price IS NULL AND NOT ({EXACT}))"
LINES = """
CREATE TEMP TABLE imp_lines ON COMMIT DROP AS
SELECT l.line, l.order_id, l.line_no, l.product_id, l.description, l.quantity,
    l.unit_price,
"""
NUMBERED = f"""
FROM (
    SELECT s.line, s.bad, o.id AS order_id, o.is_new AS is_new_order,
        coalesce(s.line_no, row_number() OVER (PARTITION BY s.number ORDER BY s.line))
            AS line_no,
        p.id AS product_id,
        CASE WHEN {IS_WHOLE} AND {QUANTITY} <> 1
            THEN left(concat_ws(' × ', s.description, trim_scale({QUANTITY})), 300)
            ELSE s.description END AS description,
        (CASE WHEN {IS_WHOLE} THEN 1 ELSE {QUANTITY} END)::numeric(14,3) AS quantity,
        (CASE WHEN s.unit_price IS NOT NULL THEN s.unit_price
            WHEN {IS_WHOLE} THEN s.amount
            ELSE round(s.amount / {QUANTITY}, 4) END)::numeric(14,4) AS unit_price
    FROM {{staging}} s LEFT JOIN imp_orders o ON o.number = s.number
    LEFT JOIN imp_products p ON p.sku = s.sku
) l
"""
LINES_WITHOUT_OLD = (
    LINES
    + "NULL::bigint AS id, NULL::bigint AS old_product_id, false AS is_changed"
    + NUMBERED
)
LINES_WITH_OLD = (
    LINES
    + """m.id, m.product_id AS old_product_id, m.id IS NOT NULL AND NOT l.bad AND (
        m.quantity <> l.quantity OR m.unit_price <> l.unit_price
        OR (l.description IS NOT NULL AND m.description <> l.description)
        OR (l.product_id IS NOT NULL AND m.product_id IS DISTINCT FROM l.product_id)
    ) AS is_changed"""
    + NUMBERED
    + """
LEFT JOIN sales_orderline m ON NOT l.is_new_order AND m.order_id = l.order_id
    AND m.line_no = l.line_no
"""
)
TWIN_LINES = """
SELECT line, line_no::text, first::text FROM (
    SELECT l.line, l.line_no, first_value(l.line) OVER (
        PARTITION BY l.order_id, l.line_no ORDER BY l.line) AS first
    FROM imp_lines l JOIN {staging} s USING (line) WHERE NOT s.bad
) x WHERE line <> first
"""
OTHER_PRODUCT = """
SELECT l.line, s.sku, l.line_no::text FROM imp_lines l JOIN {staging} s USING (line)
WHERE NOT s.bad AND l.old_product_id <> l.product_id
"""
BY_EXISTENCE = """
SELECT l.line, l.line_no::text, NULL FROM imp_lines l JOIN {staging} s USING (line)
WHERE NOT s.bad AND l.id {test}
"""
DROP_EMPTY = (
    """
DELETE FROM imp_lines l USING {staging} s WHERE s.line = l.line AND s.bad
    AND l.order_id IS NULL
""",
    """
DELETE FROM imp_orders o WHERE NOT EXISTS (
    SELECT 1 FROM {staging} s WHERE s.number = o.number AND NOT s.bad)
""",
    f"""
DELETE FROM imp_customers c WHERE NOT EXISTS (
    SELECT 1 FROM {{staging}} s WHERE s.customer_ref = c.ref AND {SYSTEM} = c.system
        AND NOT s.bad)
""",
    """
DELETE FROM imp_products p WHERE NOT EXISTS (
    SELECT 1 FROM {staging} s WHERE s.sku = p.sku AND NOT s.bad)
""",
)
# Rows that come back from the rejected ones must not move their order to a later time.
CHANGED_ORDERS = """
UPDATE imp_orders o SET is_changed = true,
    placed_at = CASE WHEN x.is_part THEN least(o.placed_at, m.placed_at)
        ELSE o.placed_at END
FROM sales_order m, (SELECT %s AS is_part) x
WHERE m.id = o.id AND NOT o.is_new AND (
    (CASE WHEN x.is_part THEN o.placed_at < m.placed_at
        ELSE o.placed_at <> m.placed_at END)
    OR (o.customer_id IS NOT NULL AND o.customer_id IS DISTINCT FROM m.customer_id)
    OR (o.country IS NOT NULL AND o.country <> m.country)
    OR (o.currency IS NOT NULL AND o.currency <> m.currency)
    OR (o.state IS NOT NULL AND o.state <> m.state)
    OR m.custom || coalesce(o.custom, '{{}}') <> m.custom
)
"""
COUNT = """
SELECT count(*) FILTER (WHERE l.id IS NULL),
    count(*) FILTER (WHERE l.id IS NOT NULL AND (l.is_changed OR o.is_changed)),
    count(*), count(*) FILTER (WHERE l.is_changed)
FROM imp_lines l JOIN {staging} s USING (line) JOIN imp_orders o ON o.id = l.order_id
WHERE NOT s.bad
"""
COUNT_OBJECTS = """
SELECT (SELECT count(*) FROM imp_orders WHERE is_new),
    (SELECT count(*) FROM imp_orders WHERE is_changed),
    (SELECT count(*) FROM imp_customers WHERE is_new),
    (SELECT count(*) FROM imp_products WHERE is_new)
"""


def customer_values(owner: str) -> dict[str, str]:
    """Return the columns of new customers."""
    return {
        "id": "c.id",
        "name": "coalesce(c.name, 'Customer ' || c.ref)",
        "country": "c.country",
        "external_system": "c.system",
        "external_id": "c.ref",
        "owner_id": f"{owner}::bigint",
        "customer_since": "(c.since AT TIME ZONE z.zone)::date",
    }


FROM_CUSTOMERS = """
FROM imp_customers c, (SELECT %s::text AS zone) z WHERE c.is_new ORDER BY c.ref
"""
PRODUCT_VALUES = {
    "id": "p.id",
    "sku": "p.sku",
    "name": "left(coalesce(p.name, p.sku), 200)",
    "unit_price": "p.unit_price::numeric(14,4)",
    "currency": "p.currency",
}
FROM_PRODUCTS = "FROM imp_products p WHERE p.is_new ORDER BY p.sku"
KINDS = """
UPDATE imp_orders SET kind = CASE
    WHEN (CASE WHEN %s <> '' THEN starts_with(number, %s) ELSE is_negative END)
    THEN %s ELSE %s END
WHERE is_new
"""


def order_values(owner: str) -> dict[str, str]:
    """Return the columns of new orders."""
    return {
        "id": "o.id",
        "number": "o.number",
        "customer_id": "o.customer_id",
        "kind": "o.kind",
        "state": "coalesce(o.state, z.state)",
        "placed_at": "o.placed_at",
        "country": "o.country",
        "currency": "o.currency",
        "total": "t.total",
        "owner_id": owner,
        "custom": "o.custom",
    }


FROM_ORDERS = """
FROM imp_orders o JOIN (
    SELECT l.order_id, sum(l.quantity * l.unit_price) AS total
    FROM imp_lines l JOIN {staging} s USING (line) WHERE NOT s.bad GROUP BY l.order_id
) t ON t.order_id = o.id, (SELECT %s::text AS state) z
WHERE o.is_new ORDER BY o.first_line
"""
UPDATE_ORDERS = """
UPDATE sales_order m SET placed_at = o.placed_at,
    customer_id = coalesce(o.customer_id, m.customer_id),
    country = coalesce(o.country, m.country),
    currency = coalesce(o.currency, m.currency),
    state = coalesce(o.state, m.state),
    custom = m.custom || coalesce(o.custom, '{{}}'), updated_at = %s
FROM imp_orders o WHERE m.id = o.id AND o.is_changed
"""
LINE_VALUES = {
    "order_id": "l.order_id",
    "line_no": "l.line_no",
    "product_id": "l.product_id",
    "description": "l.description",
    "quantity": "l.quantity",
    "unit_price": "l.unit_price",
}
FROM_LINES = """
FROM imp_lines l JOIN {staging} s USING (line)
WHERE NOT s.bad AND l.id IS NULL ORDER BY l.line
"""
UPDATE_LINES = """
UPDATE sales_orderline m SET quantity = l.quantity, unit_price = l.unit_price,
    product_id = coalesce(l.product_id, m.product_id),
    description = coalesce(l.description, m.description), updated_at = %s
FROM imp_lines l JOIN {staging} s USING (line)
WHERE m.id = l.id AND l.is_changed AND NOT s.bad
"""
OLD_ORDERS = "SELECT EXISTS (SELECT 1 FROM imp_orders o WHERE NOT o.is_new)"
# New orders have their total already.
UPDATE_TOTALS = """
UPDATE sales_order m SET total = t.total FROM (
    SELECT x.order_id, sum(x.amount) AS total FROM sales_orderline x
    WHERE x.order_id IN (
        SELECT l.order_id FROM imp_lines l JOIN imp_orders o ON o.id = l.order_id
        WHERE NOT o.is_new AND (l.id IS NULL OR l.is_changed))
    GROUP BY x.order_id
) t WHERE m.id = t.order_id AND m.total <> t.total
"""

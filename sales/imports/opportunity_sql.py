"""The statements of the import of opportunities. ``s`` is a staged row of the file."""

# ruff: noqa: S608  (SQL is put together from names that the program declares)
PIPELINE = (
    "(SELECT l.id FROM sales_pipeline l ORDER BY l.is_default DESC, l.id LIMIT 1)"
)
STAGE_ID = f"""
(SELECT g.id FROM sales_stage g WHERE g.pipeline_id = {PIPELINE}
AND (g.code = lower(s.stage) OR lower(g.name) = lower(s.stage)) LIMIT 1)
"""
FIRST_STAGE = f"""
(SELECT g.id FROM sales_stage g WHERE g.pipeline_id = {PIPELINE} AND g.kind = 'open'
ORDER BY g.position LIMIT 1)
"""
IS_CLOSED = f"""
EXISTS (SELECT 1 FROM sales_stage g WHERE g.id = {STAGE_ID} AND g.kind <> 'open')
"""
# The second comparison lets the partial index on outside ids be used.
LEAD_ID = """
(SELECT m.id FROM sales_lead m WHERE m.external_system = s.external_system
AND m.external_id = s.lead_ref AND m.external_id <> '')
"""

CUSTOMER_KEY = """
coalesce(s.external_system || E'\\x1f' || s.customer_ref, lower(s.customer_name))
"""
CUSTOMERS = f"""
CREATE TEMP TABLE imp_customers ON COMMIT DROP AS
SELECT DISTINCT ON (key) key, line, s.external_system AS system, s.customer_ref AS ref,
    s.customer_name AS name, min(s.closed_at) OVER (PARTITION BY key) AS since,
    m.source, NULL::bigint AS id, false AS is_new
FROM (SELECT *, {CUSTOMER_KEY} AS key FROM {{staging}} s WHERE NOT s.bad) s
LEFT JOIN sales_lead m
    ON m.external_system = s.external_system AND m.external_id = s.lead_ref
WHERE key IS NOT NULL ORDER BY key, line
"""
FIND_CUSTOMERS = """
UPDATE imp_customers c SET id = f.id FROM (
    SELECT c.key, min(m.id) AS id FROM imp_customers c JOIN customers_customer m
        ON m.external_system = c.system AND m.external_id = c.ref GROUP BY c.key
    UNION ALL
    SELECT c.key, min(m.id) FROM imp_customers c JOIN customers_customer m
        ON c.ref IS NULL AND lower(m.name) = lower(c.name) GROUP BY c.key
) f WHERE f.key = c.key
"""
HIDDEN_CUSTOMERS = f"""
SELECT s.line, coalesce(s.customer_ref, s.customer_name), NULL FROM {{staging}} s
JOIN imp_customers c ON c.key = {CUSTOMER_KEY}
WHERE NOT s.bad AND c.id IS NOT NULL AND {{beyond}}
"""
NEW_CUSTOMERS = (
    "UPDATE imp_customers SET is_new = true, id = {next_id} WHERE id IS NULL"
)
USED_CUSTOMERS = f"""
c.is_new AND EXISTS (
    SELECT 1 FROM {{staging}} s WHERE {CUSTOMER_KEY} = c.key AND NOT s.bad)
"""

# What moves: a new opportunity enters its stage, a closed one by way of the first.
MOVES = """
CREATE TEMP TABLE imp_moves ON COMMIT DROP AS
SELECT p.id AS opportunity_id, m.stage_id AS from_stage_id, g.id AS to_stage_id,
    coalesce(s.closed_at, now()) AS at, g.kind, 2 AS step
FROM picked p JOIN {staging} s USING (line)
LEFT JOIN sales_opportunity m ON m.id = p.id
JOIN sales_stage g ON g.id = coalesce({stage}, m.stage_id, {first})
WHERE NOT s.bad AND (p.is_new OR (p.is_changed AND m.stage_id <> g.id))
"""
CONVERTED = """
INSERT INTO imp_moves
SELECT v.opportunity_id, NULL, g.id, least(v.at, l.first_contact_on::timestamptz),
    'open', 1
FROM imp_moves v JOIN picked p ON p.id = v.opportunity_id
JOIN {staging} s ON s.line = p.line
JOIN sales_stage t ON t.id = v.to_stage_id
JOIN sales_stage g ON g.pipeline_id = t.pipeline_id AND g.kind = 'open'
LEFT JOIN sales_lead l
    ON l.external_system = s.external_system AND l.external_id = s.lead_ref
WHERE v.from_stage_id IS NULL AND v.kind <> 'open' AND NOT EXISTS (
    SELECT 1 FROM sales_stage e WHERE e.pipeline_id = g.pipeline_id
        AND e.kind = 'open' AND e.position < g.position);
UPDATE imp_moves v SET from_stage_id = f.to_stage_id FROM imp_moves f
WHERE v.step = 2 AND v.from_stage_id IS NULL AND f.step = 1
    AND f.opportunity_id = v.opportunity_id
"""
# Leads whose opportunity is closed by the file and that are still open.
LEADS = """
FROM picked p JOIN {staging} s USING (line)
JOIN sales_lead l
    ON l.external_system = s.external_system AND l.external_id = s.lead_ref
JOIN imp_moves v ON v.opportunity_id = p.id AND v.step = 2 AND v.kind <> 'open'
WHERE NOT s.bad AND l.state NOT IN ('converted', 'lost')
"""
COUNT_OBJECTS = (
    "SELECT (SELECT count(*) FROM imp_moves), (SELECT count(*) "
    + LEADS
    + "), (SELECT count(*) FROM imp_customers c WHERE "
    + USED_CUSTOMERS
    + ")"
)


def customer_values(owner: str) -> dict[str, str]:
    """Return the columns of new customers."""
    return {
        "id": "c.id",
        "name": "coalesce(c.name, 'Customer ' || left(c.ref, 8))",
        "kind": "z.kind",
        "source": "c.source",
        "external_system": "CASE WHEN c.ref IS NOT NULL THEN c.system END",
        "external_id": "c.ref",
        "customer_since": "c.since::date",
        "owner_id": owner,
    }


FROM_CUSTOMERS = (
    "FROM imp_customers c, (SELECT %s::text AS kind) z WHERE "
    + USED_CUSTOMERS
    + " ORDER BY c.line"
)
MOVE_VALUES = {
    "opportunity_id": "v.opportunity_id",
    "from_stage_id": "v.from_stage_id",
    "to_stage_id": "v.to_stage_id",
    "at": "v.at",
}
FROM_MOVES = "FROM imp_moves v ORDER BY v.opportunity_id, v.step"
CLOSE_LEADS = (
    """
UPDATE sales_lead m SET state = CASE WHEN x.kind = %s THEN %s ELSE %s END,
    closed_at = x.at, customer_id = coalesce(x.customer_id, m.customer_id),
    updated_at = %s
FROM (
    SELECT l.id, v.kind, v.at, o.customer_id
"""
    + LEADS.replace("WHERE", "LEFT JOIN sales_opportunity o ON o.id = p.id WHERE", 1)
    + """
) x WHERE m.id = x.id
"""
)

"""The person behind a request, with all that every page asks of them, in one statement.

Written by hand: putting it together from models anew costs a page a tenth of its time.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from crm.models.notifications import MOST_COUNTED
from crm.security.factors import EVERY_DAY
from crm.statements import columns_of, read_one, row_of

if TYPE_CHECKING:
    from crm.models import User

RIGHTS = """
    SELECT jsonb_build_object(
        'path', (SELECT path FROM crm_team WHERE id = u.team_id),
        'grants', (
            SELECT jsonb_agg(jsonb_build_array(g.role_id, g.model, g.verb, g.scope))
            FROM crm_grant g JOIN crm_user_roles m ON m.role_id = g.role_id
            WHERE m.user_id = u.id),
        'rules', (
            SELECT jsonb_agg(jsonb_build_array(f.role_id, jsonb_build_object(
                'model', f.model, 'field', f.field, 'mode', f.mode)))
            FROM crm_fieldrule f JOIN crm_user_roles m ON m.role_id = f.role_id
            WHERE m.user_id = u.id),
        'shares', (
            SELECT jsonb_agg(jsonb_build_object(
                'model', s.model, 'object_id', s.object_id, 'verb', s.verb,
                'is_whole', s.is_whole))
            FROM crm_share s WHERE s.person_id = u.id OR s.team_id = u.team_id)
    )::text"""
LACKS_FACTOR = """
    EXISTS (
        SELECT FROM crm_user_roles m JOIN crm_role r ON r.id = m.role_id
        WHERE m.user_id = u.id AND r.requires_second_factor
    ) AND NOT EXISTS (
        SELECT FROM mfa_authenticator a WHERE a.user_id = u.id AND a.type = ANY(%s))"""
# What the bell counts, up to a limit: it costs the same however many there are.
UNREAD = """
    (SELECT count(*) FROM (
        SELECT FROM crm_notification n
        WHERE n.recipient_id = u.id AND n.read_at IS NULL AND n.in_app LIMIT %s
    ) unread)"""
PERSON = "FROM crm_user u LEFT JOIN crm_team t ON t.id = u.team_id WHERE u.id = %s"


def read_person(pk: Any) -> User | None:
    """Return a person with team and rights, or None."""
    from crm.models import Team, User

    found = read_one(_statement(), [list(EVERY_DAY), MOST_COUNTED, pk])
    if found is None:
        return None
    *values, lacks_factor, unread, rights = found
    width = len(columns_of(User))
    person = row_of(User, values[:width])
    team = None if person.team_id is None else row_of(Team, values[width:])
    person._state.fields_cache["team"] = team
    person.lacks_second_factor = lacks_factor
    person.unread_count = unread
    _give(person, json.loads(rights))
    return person


def read_rights(person: User) -> None:
    """Give somebody who was read in another way what the roles allow."""
    found = read_one(f"{RIGHTS} FROM crm_user u WHERE u.id = %s", [person.pk])
    _give(person, json.loads(found[0]) if found else {})


def _give(person: User, rights: dict[str, Any]) -> None:
    person.__dict__["team_path"] = rights.get("path") or ""
    person.set_rights(rights.get("grants") or ())
    person.set_field_rules(rights.get("rules") or ())
    person.set_shares(rights.get("shares") or ())


@cache
def _statement() -> str:
    from crm.models import Team, User

    columns = [
        f'{alias}."{one.column}"'
        for alias, model in (("u", User), ("t", Team))
        for one in model._meta.concrete_fields
    ]
    rights = f"({RIGHTS})"
    return f"SELECT {', '.join(columns)}, {LACKS_FACTOR}, {UNREAD}, {rights} {PERSON}"

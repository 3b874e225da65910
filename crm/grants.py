"""Default grants: each app declares its own in ``<app>/grants.py``.

    DEFAULT_GRANTS = {"app.model": {"representative": "view=team add=own change=own"}}

They are written once per model after migrating; later edits stay.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig, apps
from django.db import transaction

from crm.access import Scope, Verb
from crm.models import Grant, Role, SeededModel
from crm.models.users import ADMINISTRATOR, ROLE_LABELS

# Whoever works with rows; administrators have every right anyhow.
EVERYBODY = tuple(code for code in ROLE_LABELS if code != ADMINISTRATOR)
DEFAULT_GRANTS = {
    "*": {
        ADMINISTRATOR: " ".join(f"{verb}={Scope.ALL}" for verb in Verb.values),
    },
    "crm.user": dict.fromkeys(EVERYBODY, "view=all"),
    # Names of teams are for everybody who works with others.
    "crm.team": dict.fromkeys(EVERYBODY, "view=all"),
    "crm.tag": dict.fromkeys(EVERYBODY, "view=all")
    | dict.fromkeys(
        ("sales_manager", "marketer", "service_manager"), "view=all add=all change=all"
    ),
    "crm.job": dict.fromkeys(EVERYBODY, "view=own run=own"),
    # Everybody takes back what they did; the rows' own rights bound it.
    "crm.operation": dict.fromkeys(EVERYBODY, "view=own change=own"),
    # The trash shows rows that the person may delete.
    "crm.deletedrow": dict.fromkeys(
        ("representative", "sales_manager", "marketer", "agent", "service_manager"),
        "view=all",
    ),
    "crm.savedview": dict.fromkeys(EVERYBODY, "view=own add=own change=own delete=own"),
    # Whether rows may be exported is the right of their model.
    "crm.exportfile": dict.fromkeys(EVERYBODY, "view=own"),
    "crm.importrun": dict.fromkeys(
        ("representative", "sales_manager", "marketer", "service_manager"), "view=own"
    ),
}


def declared_grants() -> dict[str, dict[str, str]]:
    """Return the default grants of all apps."""
    declared = dict(DEFAULT_GRANTS)
    for config in apps.get_app_configs():
        name = f"{config.name}.grants"
        if config.name != "crm" and find_spec(name) is not None:
            declared |= import_module(name).DEFAULT_GRANTS
    return declared


@transaction.atomic
def seed_grants(sender: AppConfig | None = None, **kwargs: Any) -> None:
    """Create the roles, and the default grants of each model not seen before."""
    # At once, as the grants are: what the program itself comes with is no event.
    Role.objects.bulk_create(
        [Role(code=code) for code in ROLE_LABELS], ignore_conflicts=True
    )
    roles = {role.code: role for role in Role.objects.filter(code__in=ROLE_LABELS)}
    for label, by_role in declared_grants().items():
        if not SeededModel.objects.get_or_create(model=label)[1]:
            continue
        Grant.objects.bulk_create(
            [
                Grant(role=roles[role], model=label, verb=verb, scope=scope)
                for role, text in by_role.items()
                for verb, scope in (part.split("=") for part in text.split())
            ],
            ignore_conflicts=True,
        )

"""What the framework adds to the menu, and the jobs behind it."""

from django.utils.translation import gettext_lazy as _

from crm.access import Verb
from crm.generic import export_job  # noqa: F401  (declares its kind)
from crm.generic.registry import NavLink, register_link
from crm.history import jobs  # noqa: F401  (declares its kind)
from crm.models import Change, DeletedRow, Grant, Operation
from crm.notifications import due, mailing  # noqa: F401  (declare their kinds)

register_link(
    NavLink(
        "crm",
        _("Operations"),
        "crm:operation_list",
        order=62,
        icon="history",
        requires=Operation,
    )
)
register_link(
    NavLink(
        "crm",
        _("Trash"),
        "crm:trash_list",
        order=63,
        icon="trash",
        requires=DeletedRow,
    )
)
register_link(
    NavLink(
        "crm",
        _("Field history"),
        "crm:change_list",
        order=64,
        icon="clock",
        requires=Change,
    )
)
register_link(
    NavLink(
        "crm",
        _("Rights"),
        "crm:rights",
        order=66,
        icon="shield",
        requires=Grant,
        verb=Verb.CHANGE,
    )
)

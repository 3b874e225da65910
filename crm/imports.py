"""Load the job that runs imports when the apps' importers are loaded."""

from django.utils.translation import gettext_lazy as _

from crm.generic.registry import NavLink, register_link
from crm.importing import jobs  # noqa: F401
from crm.models import ImportRun

register_link(
    NavLink(
        "crm",
        _("Imports"),
        "crm:import_list",
        order=60,
        icon="upload",
        requires=ImportRun,
    )
)

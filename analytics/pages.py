"""Menu entries, and what the analyses add to other pages."""

from django.utils.translation import gettext_lazy as _

from analytics import columns  # noqa: F401  (registers columns and filters)
from analytics.models import Run
from crm.generic.registry import NavLink, register_link

SECTION = "analytics"

for _link in (
    NavLink(SECTION, _("Analyses"), "analytics:overview", 10, "cpu", Run),
    NavLink(SECTION, _("Customer groups"), "analytics:segments", 20, "cluster", Run),
    NavLink(SECTION, _("Lifetime value"), "analytics:lifetime_value", 30, "coin", Run),
    NavLink(SECTION, _("Statistics"), "analytics:statistics", 40, "table", Run),
    NavLink(SECTION, _("Runs"), "analytics:run_list", 50, "history", Run),
):
    register_link(_link)

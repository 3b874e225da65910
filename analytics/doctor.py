"""Are the sizes of customer groups kept as they should be?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.doctor import Finding, check, fail, ok
from crm.doctor.schema import missing_triggers

NAMES = ("analytics_part_update", "analytics_part_delete")


@check("groups", gettext_lazy("Groups of customers"))
def groups() -> Iterator[Finding]:
    """Look whether their sizes follow when a customer changes hands."""
    lost = missing_triggers("customers_customer", NAMES)
    if lost:
        yield fail(
            _("These triggers are missing: %s") % ", ".join(lost),
            _("Run the statements of %(file)s that make them, then the analysis.")
            % {"file": "analytics/migrations/0003_parts_of_clusters.py"},
        )
    else:
        yield ok(_("Their sizes follow who owns a customer."))

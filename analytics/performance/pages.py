"""Pages of the performance app."""

from analytics.performance.filters import TargetFilters
from analytics.performance.forms import TargetForm
from analytics.performance.models import Target
from analytics.performance.panels import ProgressPanel
from analytics.performance.tables import TargetTable
from crm.generic.pages import Nav, Pages, register
from crm.generic.panels import FieldsPanel


@register
class TargetPages(Pages):
    """Targets."""

    model = Target
    path = "targets"
    table = TargetTable
    filters = TargetFilters
    form = TargetForm
    panels = [
        ProgressPanel,
        FieldsPanel(["owner", "kpi", "starts_on", "ends_on", "value"], column="side"),
    ]
    nav = Nav(section="performance", order=10, icon="target")
    search_fields = ("owner__first_name", "owner__last_name")

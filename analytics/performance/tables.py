"""The list of targets."""

from analytics.performance.models import Target
from crm.generic.tables import Column, DateColumn, MoneyColumn, RelatedColumn, Table


class TargetTable(Table):
    """Targets, newest first."""

    columns = [
        Column("kpi", link=True),
        RelatedColumn("owner"),
        DateColumn("starts_on", sort="starts_on"),
        DateColumn("ends_on", sort="ends_on"),
        MoneyColumn("value", sort="value", decimals=0),
    ]
    default_order = Target._meta.ordering

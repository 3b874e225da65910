"""What of sales happens by the clock."""

from crm.notifications.due import register_due
from sales.models import Opportunity

register_due(Opportunity, "expected_close", Opportunity.objects.open)

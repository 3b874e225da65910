"""What a flat file can fill in marketing."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.importing.columns import Owner, of
from crm.importing.importer import register_importer
from crm.importing.rows import RowImporter
from crm.importing.work import Work
from marketing.models import Campaign


@register_importer
class CampaignImporter(RowImporter):
    """Campaigns, recognised by name and start, else by name."""

    name = "marketing.campaign"
    label = gettext_lazy("Campaigns")
    model = Campaign
    aliases = ("campaigns", "campaign")
    match_on = (("name", "starts_on"), ("name",))
    columns = (
        of(Campaign, "name", aliases=("campaign", "campaign name", "活动", "活动名称")),
        of(Campaign, "channel", aliases=("medium", "渠道")),
        of(Campaign, "state", aliases=("status", "状态")),
        of(Campaign, "text", aliases=("message", "body", "ad text", "文案", "内容")),
        of(Campaign, "starts_on", aliases=("start", "start date", "from", "开始日期")),
        of(Campaign, "ends_on", aliases=("end", "end date", "to", "结束日期")),
        of(Campaign, "budget", aliases=("预算",)),
        of(Campaign, "spend", aliases=("spent", "cost", "花费", "支出")),
        of(Campaign, "currency", aliases=("货币",)),
        Owner("owner", gettext_lazy("Owner"), aliases=("manager", "负责人")),
    )

    def check(self, work: Work) -> None:
        """Refuse a campaign that ends before it starts."""
        work.reject(
            "SELECT s.line, s.ends_on::text, NULL FROM {staging} s"
            " WHERE NOT s.bad AND s.ends_on < s.starts_on",
            _("The end lies before the start."),
            column=str(self.by_key["ends_on"].label),
        )

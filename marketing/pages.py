"""Pages of the marketing app."""

from django.utils.translation import gettext_lazy as _

from crm.generic.actions import Action
from crm.generic.pages import Nav, Pages, register
from crm.generic.panels import FieldsPanel
from marketing.boards import CAMPAIGNS
from marketing.filters import CampaignFilters
from marketing.forms import CampaignForm
from marketing.imports import CampaignImporter
from marketing.models import Campaign
from marketing.panels import CampaignMoneyPanel, CampaignTextPanel
from marketing.tables import CampaignTable


@register
class CampaignPages(Pages):
    """Campaigns."""

    model = Campaign
    path = "campaigns"
    table = CampaignTable
    filters = CampaignFilters
    form = CampaignForm
    importer = CampaignImporter
    panels = [
        CampaignTextPanel,
        CampaignMoneyPanel,
        FieldsPanel(
            ["channel", "state", "starts_on", "ends_on", "owner"],
            column="side",
            order=20,
        ),
    ]
    actions = [Action(_("Move to…"), "marketing:campaign_move", icon="chevrons-right")]
    board = CAMPAIGNS
    nav = Nav(section="marketing", order=10, icon="megaphone")
    search_fields = ("name", "text")
    quick_fields = ("name", "channel", "starts_on", "ends_on", "budget")
    state_field = "state"

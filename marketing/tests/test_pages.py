"""Pages of campaigns."""

from decimal import Decimal

from crm.testing.pages import PageTests
from marketing.models import Campaign
from marketing.pages import CampaignPages
from marketing.rules import share_spent


class TestCampaignPages(PageTests):
    """Marketers run campaigns, sales people read them."""

    pages = CampaignPages
    roles = {"ana": "marketer", "ben": "sales_manager"}
    changed_value = ("name", "Spring again")

    def make(self, owner, **values):
        return Campaign.objects.create(name="Spring", owner=owner, **values)

    def form_data(self, world):
        return {
            "name": "Autumn",
            "channel": "email",
            "state": "planned",
            "text": "秋季促销",
            "owner": world.ana.pk,
            "starts_on": "2026-09-01",
            "ends_on": "2026-09-30",
            "budget": "1000",
            "spend": "12.50",
            "currency": "EUR",
        }

    def test_end_before_the_start_is_refused_at_its_field(self, world):
        data = self.form_data(world) | {"ends_on": "2026-08-01"}
        response = world.client("dev").post("/campaigns/new/", data)
        assert response.status_code == 422
        assert response.context["form"].errors["ends_on"]
        assert not Campaign.objects.exists()

    def test_page_shows_text_and_share_of_the_budget(self, world):
        row = self.make(
            world.dev, text="Buy lamps", budget=Decimal(200), spend=Decimal(50)
        )
        text = world.client("dev").get(row.get_absolute_url()).text
        assert "Buy lamps" in text
        assert "25" in text


def test_share_spent_without_a_budget_is_unknown():
    assert share_spent(budget=None, spend=Decimal(5)) is None
    assert share_spent(budget=Decimal(0), spend=Decimal(5)) is None
    assert share_spent(budget=Decimal(10), spend=Decimal(5)) == Decimal("0.5")

"""Campaigns out of files."""

from decimal import Decimal

import pytest

from crm.testing.imports import counts, import_by_command, rejects_of
from marketing.models import Campaign

pytestmark = pytest.mark.django_db

TEXT = """Campaign,Channel,Start,End,Budget,Spent,Message
Spring,email,2024-03-01,2024-03-31,1000,900.50,Tulips are here
Autumn,Social media,2024-09-01,2024-08-01,500,0,Leaves
"""


def test_campaigns_go_in_once(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "campaigns.csv"
    path.write_text(TEXT)
    result = import_by_command("campaigns", path)
    assert counts(result) == (1, 0, 0, 1)
    assert "end lies before" in rejects_of(result)[0]["Why it was rejected"]
    spring = Campaign.objects.get()
    assert (spring.channel, spring.spend) == ("email", Decimal("900.50"))
    assert spring.text == "Tulips are here"
    path.write_text(TEXT.replace("2024-08-01", "2024-10-01").replace("900.50", "950"))
    assert counts(import_by_command("campaigns", path)) == (1, 1, 0, 0)
    assert counts(import_by_command("campaigns", path)) == (0, 0, 2, 0)

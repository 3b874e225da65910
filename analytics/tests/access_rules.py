"""Who may open the pages of the analyses."""

from datetime import UTC, datetime

from analytics.models import AnalysisKey, Run
from crm.testing.access_matrix import Rule
from sales.models import Lead
from service.models import Ticket


def make_run(owner):
    """Return a run; it belongs to nobody."""
    return Run.objects.create(
        key=AnalysisKey.SEGMENTATION, as_of=datetime(2026, 1, 31, tzinfo=UTC)
    )


def by_key(run):
    """Return the part of an address that names an analysis."""
    return {"key": AnalysisKey.SEGMENTATION}


RULES = {
    "analytics:overview": Rule(Run),
    "analytics:run_list": Rule(Run),
    "analytics:run_detail": Rule(Run, make=make_run),
    "analytics:model": Rule(Run, kwargs=by_key, make=make_run),
    "analytics:start": Rule(
        Run, "run", methods=("post",), kwargs=by_key, make=make_run
    ),
    "analytics:segments": Rule(Run),
    "analytics:lifetime_value": Rule(Run),
    "analytics:statistics": Rule(Run),
    "analytics:ticket_suggestion": Rule(Ticket, needs=((Run, "view"),)),
    "analytics:lead_chance": Rule(Lead, needs=((Run, "view"),)),
}

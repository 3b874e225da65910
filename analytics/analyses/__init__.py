"""The analyses, one file each; pandas and scikit-learn are loaded with them.

Only workers and commands import this package: the web process asks ``selectors``.
"""

from functools import cache

from analytics.analyses.base import Analysis
from analytics.models import AnalysisKey


@cache
def analyses() -> dict[str, Analysis]:
    """Return every analysis by its key."""
    from analytics.analyses.conversion import Conversion
    from analytics.analyses.ltv import LifetimeValue
    from analytics.analyses.segmentation import Segmentation
    from analytics.analyses.statistics import Statistics
    from analytics.analyses.ticket_class import TicketClass

    found = (Statistics, Segmentation, LifetimeValue, Conversion, TicketClass)
    return {str(AnalysisKey(one.key)): one() for one in found}


def get_analysis(key: str) -> Analysis:
    """Return the analysis of a key; KeyError for one that is not there."""
    return analyses()[key]

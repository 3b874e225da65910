"""The analyses, one file each; pandas and scikit-learn are loaded with them.

Only workers and commands import from here: the web process asks ``selectors``.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from analytics.models import AnalysisKey

if TYPE_CHECKING:
    from analytics.analyses.base import Analysis

CLASSES = {
    AnalysisKey.STATISTICS: "statistics.Statistics",
    AnalysisKey.SEGMENTATION: "segmentation.Segmentation",
    AnalysisKey.LTV: "ltv.LifetimeValue",
    AnalysisKey.CONVERSION: "conversion.Conversion",
    AnalysisKey.TICKET_CLASS: "ticket_class.TicketClass",
}


@cache
def get_analysis(key: str) -> "Analysis":
    """Return the analysis of a key; ValueError for one that is not there."""
    module, name = CLASSES[AnalysisKey(key)].split(".")
    return getattr(import_module(f"{__name__}.{module}"), name)()

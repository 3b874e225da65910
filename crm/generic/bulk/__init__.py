"""Work on many rows at once: choose, look what would happen, do it."""

from crm.generic.bulk.actions import (
    STANDARD_ACTIONS,
    AssignRows,
    BulkAction,
    DeleteRows,
    EditRows,
    ExportRows,
    TagRows,
)
from crm.generic.bulk.batch import Batch, Outcome

__all__ = [
    "STANDARD_ACTIONS",
    "AssignRows",
    "Batch",
    "BulkAction",
    "DeleteRows",
    "EditRows",
    "ExportRows",
    "Outcome",
    "TagRows",
]

"""Models of the framework."""

from crm.models.audit import AuditEntry
from crm.models.base import BaseModel, OwnedModel
from crm.models.imports import ImportProfile, ImportRun, ImportState, RejectedRow
from crm.models.jobs import Job, JobLog, JobState
from crm.models.lists import Density, ListLayout, SavedView, Sharing
from crm.models.search import SearchEntry
from crm.models.tags import Tag
from crm.models.users import Grant, Role, SeededModel, Team, User

__all__ = [
    "AuditEntry",
    "BaseModel",
    "Density",
    "Grant",
    "ImportProfile",
    "ImportRun",
    "ImportState",
    "Job",
    "JobLog",
    "JobState",
    "ListLayout",
    "OwnedModel",
    "RejectedRow",
    "Role",
    "SavedView",
    "SearchEntry",
    "SeededModel",
    "Sharing",
    "Tag",
    "Team",
    "User",
]

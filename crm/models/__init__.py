"""Models of the framework."""

from crm.models.audit import AuditEntry
from crm.models.base import BaseModel, OwnedModel
from crm.models.imports import ImportProfile, ImportRun, ImportState, RejectedRow
from crm.models.jobs import Job, JobLog, JobState
from crm.models.search import SearchEntry
from crm.models.tags import Tag
from crm.models.users import Grant, Role, SeededModel, Team, User

__all__ = [
    "AuditEntry",
    "BaseModel",
    "Grant",
    "ImportProfile",
    "ImportRun",
    "ImportState",
    "Job",
    "JobLog",
    "JobState",
    "OwnedModel",
    "RejectedRow",
    "Role",
    "SearchEntry",
    "SeededModel",
    "Tag",
    "Team",
    "User",
]

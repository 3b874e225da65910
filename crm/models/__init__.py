"""Models of the framework."""

from crm.models.attachments import Attachment
from crm.models.audit import AuditEntry
from crm.models.base import BaseModel, OwnedModel
from crm.models.custom import CustomField, CustomValues, FieldKind, FieldState
from crm.models.exports import ExportFile
from crm.models.history import (
    Change,
    ChangeVerb,
    DeletedRow,
    Operation,
    OperationKind,
)
from crm.models.imports import ImportProfile, ImportRun, ImportState, RejectedRow
from crm.models.jobs import Job, JobLog, JobState
from crm.models.lists import Density, ListLayout, SavedView, Sharing
from crm.models.notes import Note
from crm.models.notifications import (
    Digest,
    Follow,
    MailMode,
    Notice,
    Notification,
    NotificationChoice,
)
from crm.models.search import SearchEntry
from crm.models.security import EventKind, SecurityEvent
from crm.models.sharing import Share
from crm.models.tags import Tag
from crm.models.users import (
    FieldMode,
    FieldRule,
    Grant,
    Role,
    SeededModel,
    Team,
    User,
)

__all__ = [
    "Attachment",
    "AuditEntry",
    "BaseModel",
    "Change",
    "ChangeVerb",
    "CustomField",
    "CustomValues",
    "DeletedRow",
    "Density",
    "Digest",
    "EventKind",
    "ExportFile",
    "FieldKind",
    "FieldState",
    "FieldMode",
    "FieldRule",
    "Follow",
    "Grant",
    "ImportProfile",
    "ImportRun",
    "ImportState",
    "Job",
    "JobLog",
    "JobState",
    "ListLayout",
    "MailMode",
    "Note",
    "Notice",
    "Notification",
    "NotificationChoice",
    "Operation",
    "OperationKind",
    "OwnedModel",
    "RejectedRow",
    "Role",
    "SavedView",
    "SearchEntry",
    "SecurityEvent",
    "SeededModel",
    "Share",
    "Sharing",
    "Tag",
    "Team",
    "User",
]

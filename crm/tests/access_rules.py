"""Who may open the framework's own special addresses."""

from crm.access import scope_of
from crm.history.context import acting
from crm.models import (
    Change,
    DeletedRow,
    ExportFile,
    Grant,
    Job,
    Operation,
    Role,
    SavedView,
    Tag,
)
from crm.testing.access_matrix import PUBLIC, SIGNED_IN, Rule


def make_job(owner):
    """Return a waiting job of a person."""
    return Job.objects.create(kind="noop", owner=owner)


def make_view(owner):
    """Return a person's own view of the colleagues, whom everyone may look up."""
    return SavedView.objects.create(list_key="crm.user", name="x", owner=owner)


def make_operation(owner):
    """Return an operation of a person that can be taken back."""
    with acting("page", owner) as number:
        Tag.objects.create(name=f"Tag {number}")
    return Operation.objects.get(number=number)


def number_of(operation):
    """Return what addresses of operations are made of."""
    return {"number": operation.number}


def make_export(owner):
    """Return a file that a person has exported."""
    scope = scope_of(owner, "export", Tag)
    return ExportFile.objects.create(
        owner=owner, team=owner.team, scope=scope or "own", model="crm.tag"
    )


def first_role(owner):
    """Return a role, which belongs to nobody."""
    return Role.objects.first()


def code_of(role):
    """Return what the address of a role's rights is made of."""
    return {"code": role.code}


OPERATION = {"make": make_operation, "kwargs": number_of}
VIEW = {"list_key": "crm.user", "name": "New", "sharing": "private"}
RULES = {
    # The file itself is gone: who may have it is sent back to the list.
    "crm:export_download": Rule(
        ExportFile, make=make_export, is_own_only=True, needs=((Tag, "export"),)
    ),
    "start": SIGNED_IN,
    "healthz": PUBLIC,
    "search": SIGNED_IN,
    "search_suggest": SIGNED_IN,
    "palette": SIGNED_IN,
    "profile": Rule(None, methods=("get", "post")),
    "mfa_index": SIGNED_IN,
    "mfa_list_webauthn": SIGNED_IN,
    # Which session is said in what is sent; without one there is nothing to end.
    "session_end": Rule(None, methods=("post",), also=(404,)),
    "set_language": Rule(None, methods=("post",), is_public=True),
    "crm:job_list": Rule(Job),
    "crm:job_detail": Rule(Job, make=make_job),
    "crm:job_status": Rule(Job, make=make_job),
    "crm:job_cancel": Rule(Job, "run", methods=("post",), make=make_job),
    "crm:operation_list": Rule(Operation),
    "crm:operation_detail": Rule(Operation, **OPERATION),
    # Who may not add tags cannot take one away again.
    "crm:operation_undo": Rule(
        Operation, "change", methods=("post",), also=(409,), **OPERATION
    ),
    "crm:change_list": Rule(Change),
    "crm:trash_list": Rule(DeletedRow),
    "crm:rights": Rule(Grant, "change", methods=("get", "post")),
    "crm:rights_role": Rule(
        Grant, "change", methods=("get", "post"), make=first_role, kwargs=code_of
    ),
    # Without the name of a list there is nothing to show.
    "crm:view_add": Rule(
        SavedView, "add", methods=("get", "post"), data=VIEW, also=(404,)
    ),
    "crm:view_edit": Rule(
        SavedView, "change", methods=("get", "post"), make=make_view, data=VIEW
    ),
    "crm:view_update": Rule(SavedView, "change", methods=("post",), make=make_view),
    "crm:view_delete": Rule(SavedView, "delete", methods=("post",), make=make_view),
}

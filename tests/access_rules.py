"""Who may open the pages of an import; a real importer has to be named for them."""

from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from crm.attachments.kinds import KINDS
from crm.attachments.services import attach
from crm.importing import services
from crm.importing.importer import get_importer
from crm.models import DeletedRow, Grant, ImportRun, Notification
from crm.notes.services import write_note
from crm.testing.access_matrix import SIGNED_IN, Rule
from tests.machines.models import Machine

FILE = b"name,email\nAlpha,alpha@mail.example\n"


def make_run(owner):
    """Return an uploaded file of a person."""
    name = default_storage.save("imports/rules.csv", ContentFile(FILE))
    return services.create_run(
        get_importer("customers"), file_path=name, file_name="rules.csv", owner=owner
    )


def may_import_something(user):
    """Tell whether any role of the person may import any model."""
    return Grant.objects.filter(role__users=user, verb="import").exists()


def make_deleted(owner):
    """Return a deleted row that was a person's own."""
    row = Machine.objects.create(serial=str(uuid4()), name="x", owner=owner)
    pk = row.pk
    row.delete()
    return DeletedRow.objects.get(model="machines.machine", object_id=pk)


def key_of_deleted(deleted):
    """Return what the address of a deleted row is made of."""
    return {"pk": deleted.pk}


def make_file(owner):
    """Return a file at a row of a person; the row's own rights decide."""
    row = Machine.objects.create(serial=str(uuid4()), name="x", owner=owner)
    content = ContentFile(b"Some text.")
    return attach(
        obj=row, content=content, name="a.txt", kind=KINDS["text/plain"], actor=owner
    )[0]


def make_machine(owner):
    """Return a row that files can be put at."""
    return Machine.objects.create(serial=str(uuid4()), name="x", owner=owner)


def make_note(owner):
    """Return a note of a person at a row of theirs; the row's own rights decide."""
    row = make_machine(owner)
    return write_note(row=row, text="A word.", actor=owner)


def make_notification(owner):
    """Return a notification of a person."""
    row = make_machine(owner)
    return Notification.objects.create(
        recipient=owner, kind="note", model="machines.machine", object_id=row.pk
    )


def key_of(row):
    """Return what the address of a row is made of."""
    return {"pk": row.pk}


AT_ROW = {
    "make": make_machine,
    "kwargs": lambda row: {"label": "machines.machine", "pk": row.pk},
}
FILE_OF = {"make": make_file, "kwargs": lambda file: {"pk": file.pk}}
OWN = {"make": make_run, "is_own_only": True}
RULES = {
    "crm:attachment_add": Rule(
        Machine,
        "change",
        methods=("post",),
        make=make_machine,
        kwargs=lambda row: {"label": "machines.machine", "pk": row.pk},
        # Nothing is sent.
        also=(422,),
    ),
    "crm:note_list": SIGNED_IN,
    "crm:note_add": Rule(Machine, methods=("post",), also=(422,), **AT_ROW),
    "crm:note_people": Rule(Machine, **AT_ROW),
    "crm:follow": Rule(Machine, methods=("post",), **AT_ROW),
    # The words are the author's; others who see the row are refused.
    "crm:note_edit": Rule(
        Machine,
        methods=("get", "post"),
        make=make_note,
        kwargs=key_of,
        also=(403, 422),
    ),
    "crm:note_remove": Rule(
        Machine, methods=("post",), make=make_note, kwargs=key_of, also=(403,)
    ),
    "crm:notification_list": SIGNED_IN,
    "crm:notification_count": SIGNED_IN,
    "crm:notification_panel": SIGNED_IN,
    "crm:notification_settings": Rule(None, methods=("get", "post")),
    "crm:notification_read": Rule(None, methods=("post",)),
    # One's own only: tests/test_notification_rights.py.
    "crm:notification_open": Rule(
        None, make=make_notification, kwargs=key_of, also=(404,)
    ),
    "crm:attachment_download": Rule(Machine, **FILE_OF),
    # A text is not shown.
    "crm:attachment_view": Rule(Machine, also=(404,), **FILE_OF),
    "crm:attachment_remove": Rule(Machine, "change", methods=("post",), **FILE_OF),
    "crm:trash_restore": Rule(
        Machine, "delete", methods=("post",), make=make_deleted, kwargs=key_of_deleted
    ),
    "crm:import_list": Rule(ImportRun),
    "crm:import_new": Rule(None, methods=("get", "post"), allows=may_import_something),
    "crm:import_detail": Rule(ImportRun, make=make_run),
    "crm:import_map": Rule(ImportRun, methods=("get", "post"), **OWN),
    "crm:import_check": Rule(ImportRun, make=make_run),
    "crm:import_start": Rule(ImportRun, methods=("post",), **OWN),
    # Nothing was rejected yet, so there is no such file.
    "crm:import_rejects": Rule(ImportRun, make=make_run, also=(404,)),
}

"""Who may open the pages of an import; a real importer has to be named for them."""

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from crm.importing import services
from crm.importing.importer import get_importer
from crm.models import Grant, ImportRun
from crm.testing.access_matrix import Rule

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


OWN = {"make": make_run, "is_own_only": True}
RULES = {
    "crm:import_list": Rule(ImportRun),
    "crm:import_new": Rule(None, methods=("get", "post"), allows=may_import_something),
    "crm:import_detail": Rule(ImportRun, make=make_run),
    "crm:import_map": Rule(ImportRun, methods=("get", "post"), **OWN),
    "crm:import_check": Rule(ImportRun, make=make_run),
    "crm:import_start": Rule(ImportRun, methods=("post",), **OWN),
    # Nothing was rejected yet, so there is no such file.
    "crm:import_rejects": Rule(ImportRun, make=make_run, also=(404,)),
}

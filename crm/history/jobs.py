"""Undoing what is too big for a page, and emptying the trash."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb, get_visible_or_404
from crm.attachments import services as attachments
from crm.exceptions import UserVisibleError
from crm.history import undo
from crm.history.words import lines_of
from crm.jobs import JobHandle, enqueue, job
from crm.models import DeletedRow, Job, Operation, User
from crm.notes import services as notes

KIND = "undo"
# So many rows are set back while the person waits; more are a job.
AT_ONCE = 500
EMPTY_BATCH = 10_000


def start_undo(operation: Operation, actor: User, overrule: list[str]) -> Job:
    """Hand the undo to a worker; a second request finds the first one's job."""
    return enqueue(
        KIND,
        owner=actor,
        params={"number": str(operation.number), "overrule": overrule},
        dedupe_key=f"{KIND}:{operation.number}",
        title=_("Undo: %(title)s") % {"title": lines_of([operation])[0].title},
    )


@job(KIND, label=gettext_lazy("Undo"))
def undo_operation(handle: JobHandle, number: str, overrule: list[str]) -> None:
    """Set the rows of an operation back with the rights of the job's owner."""
    if handle.owner is None:
        raise UserVisibleError(_("The person who started this is gone."))
    operation = Operation.objects.get(number=number)
    get_visible_or_404(Operation, handle.owner, operation.pk, Verb.CHANGE)
    handle.progress(0, 0, _("Setting the rows back"))
    with handle.publish():
        result = undo.undo(operation, handle.owner, overrule)
        handle.result = {
            "changed": result.number,
            "left": result.left_count,
            "url": reverse("crm:operation_detail", args=[number]),
        }


def empty_trash() -> int:
    """Destroy what was deleted more than 30 days ago; return how many rows.

    In portions, so that no transaction is long; rows in use are not touched at all.
    """
    old = DeletedRow.objects.filter(at__lt=timezone.now() - undo.KEEP)
    count = 0
    while keys := list(old.values_list("pk", flat=True)[:EMPTY_BATCH]):
        batch = DeletedRow.objects.filter(pk__in=keys)
        with transaction.atomic():
            contents = attachments.paths_in_trash(batch)
            count += batch.delete()[0]
            attachments.remove_unused(contents)
    attachments.remove_stranded()
    notes.remove_stranded()
    return count

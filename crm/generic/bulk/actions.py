"""What can be done with many rows; an action is an object in ``Pages.bulk_actions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb, read_only_fields
from crm.exceptions import UserVisibleError
from crm.generic.bulk.forms import (
    AssignRowsForm,
    EditRowsForm,
    ManyRowsForm,
    TagRowsForm,
    fields_for_many,
)
from crm.generic.bulk.tags import change_tags
from crm.generic.export import export_response
from crm.generic.formats import field_of

if TYPE_CHECKING:
    from django import forms
    from django.db import models

    from crm.generic.bulk.batch import Batch
    from crm.generic.pages import Pages
    from crm.generic.selection import Selection
    from crm.models import User


class BulkAction:
    """Something that is done with each of the chosen rows.

    An app's own one has a key, a label, the verb that it takes, if wanted a form, and
    ``apply_to``, which calls a service. It appears in ``Pages.bulk_actions``.
    """

    key: str = ""
    label: Any = ""
    icon: str = ""
    verb: str = Verb.CHANGE
    # "danger" for what takes something away.
    style: str = ""
    note: Any = ""

    def fits(self, pages: Pages) -> bool:
        """Tell whether it can be done with rows of this model at all."""
        return True

    def make_form(
        self, pages: Pages, user: User, data: QueryDict | None
    ) -> forms.Form | None:
        """Return what the person fills in, if anything."""
        return None

    def words(self, form: forms.Form | None) -> list[tuple[str, str]]:
        """Return what a valid form does to each row, as (field, new value)."""
        return form.words() if isinstance(form, ManyRowsForm) else []

    def fields(self, form: forms.Form | None) -> list[str]:
        """Return the model fields that a valid form changes."""
        return form.names() if isinstance(form, ManyRowsForm) else []

    def apply(self, batch: Batch) -> None:
        """Do it with locked rows; by default with one after the other."""
        batch.each(lambda row: self.apply_to(row, batch))

    def apply_to(self, row: models.Model, batch: Batch) -> bool:
        """Do it with one row; return False where there was nothing to do.

        UserVisibleError and ValidationError refuse the row and are listed.
        """
        raise NotImplementedError

    def respond(
        self, pages: Pages, user: User, selection: Selection
    ) -> HttpResponse | None:
        """Return the answer of an action that changes nothing and asks nothing."""
        return None


def save_row(row: models.Model, batch: Batch, data: QueryDict) -> bool:
    """Send a row's own form some fields, so that the model's rules apply to it."""
    form = batch.pages.form(data, instance=row, actor=batch.actor)
    form.keep_only(data)
    open_fields = {name for name, one in form.fields.items() if not one.disabled}
    if set(data) - open_fields:
        raise UserVisibleError(_("As it stands now this cannot be changed."))
    if not form.is_valid():
        raise ValidationError([_error(form, *pair) for pair in form.errors.items()])
    if not form.has_changed():
        return False
    batch.pages.save(form, None, batch.actor)
    return True


def _error(form: forms.Form, name: str, errors: list[str]) -> str:
    label = form.fields[name].label if name in form.fields else ""
    text = " ".join(errors)
    return f"{label}: {text}" if label else text


class EditRows(BulkAction):
    """Set or empty fields; ``EditRows(["state", "city"])`` offers only those."""

    key, label, icon = "edit", gettext_lazy("Edit"), "pencil"

    def __init__(self, fields: list[str] | None = None) -> None:
        self.offered = fields

    def fits(self, pages: Pages) -> bool:
        """Tell whether the model has a field that rows can share."""
        return bool(pages.form and (self.offered or fields_for_many(pages)))

    def make_form(self, pages: Pages, user: User, data: QueryDict | None) -> forms.Form:
        """Return the fields with their choices."""
        only = self.offered or fields_for_many(pages)
        return EditRowsForm(data, pages=pages, actor=user, only=only)

    def apply(self, batch: Batch) -> None:
        """Write whole batches where the model has no rules of its own."""
        values = batch.form.values()
        if batch.pages.saves_plainly(values):
            batch.set_values(values, lambda row: self.apply_to(row, batch))
        else:
            super().apply(batch)

    def apply_to(self, row: models.Model, batch: Batch) -> bool:
        """Save the row through its own form."""
        return save_row(row, batch, batch.form.row_data())


class AssignRows(EditRows):
    """Give the rows to somebody."""

    key, label, icon = "assign", gettext_lazy("Assign"), "user"

    def fits(self, pages: Pages) -> bool:
        """Tell whether a row has an owner that can be chosen."""
        owner = field_of(pages.model, "owner")
        return bool(
            pages.form
            and "owner" in pages.form.base_fields
            and owner is not None
            and owner.related_model is get_user_model()
        )

    def make_form(self, pages: Pages, user: User, data: QueryDict | None) -> forms.Form:
        """Return the choice of the person."""
        return AssignRowsForm(data, pages=pages, actor=user)


class TagRows(BulkAction):
    """Add and take away tags."""

    key, label, icon = "tag", gettext_lazy("Tag"), "tag"

    def fits(self, pages: Pages) -> bool:
        """Tell whether rows carry tags."""
        return bool(pages.form and "tags" in pages.form.base_fields)

    def make_form(self, pages: Pages, user: User, data: QueryDict | None) -> forms.Form:
        """Return the choice of tags."""
        if "tags" in read_only_fields(user, pages.model):
            raise PermissionDenied
        return TagRowsForm(data, pages=pages, actor=user)

    def apply(self, batch: Batch) -> None:
        """Write whole batches where the model has no rules of its own."""
        if batch.pages.saves_plainly(["tags"]):
            change_tags(batch)
        else:
            super().apply(batch)

    def apply_to(self, row: models.Model, batch: Batch) -> bool:
        """Save the row's tags through its own form."""
        chosen = batch.form.cleaned_data
        tags = (set(row.tags.all()) | set(chosen["add"])) - set(chosen["remove"])
        data = QueryDict(mutable=True)
        data.setlist("tags", [str(tag.pk) for tag in tags])
        return save_row(row, batch, data)


class DeleteRows(BulkAction):
    """Delete the rows that nothing else depends on."""

    key, label, icon = "delete", gettext_lazy("Delete"), "trash"
    verb, style = Verb.DELETE, "danger"
    note = gettext_lazy(
        "They go to the trash, where they can be restored for 30 days. "
        "Rows that others depend on are kept and listed."
    )

    def fits(self, pages: Pages) -> bool:
        """Tell whether rows of the model can be deleted."""
        return pages.deletable

    def apply_to(self, row: models.Model, batch: Batch) -> bool:
        """Delete a row as its own page does."""
        batch.pages.delete(row, batch.actor)
        return True


class ExportRows(BulkAction):
    """Take the rows away as a file."""

    key, label, icon = "export", gettext_lazy("Export"), "download"
    verb = Verb.EXPORT

    def fits(self, pages: Pages) -> bool:
        """Tell whether rows of the model may be taken away."""
        return pages.exportable

    def respond(self, pages: Pages, user: User, selection: Selection) -> HttpResponse:
        """Answer with the file at once."""
        return export_response(pages, selection.listing(pages, user, self.verb))


STANDARD_ACTIONS: list[BulkAction] = [
    EditRows(),
    AssignRows(),
    TagRows(),
    ExportRows(),
    DeleteRows(),
]

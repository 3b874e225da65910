"""Adding and editing a row, with rows below it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm.access import OutOfReachError, Verb, can, require_in_reach
from crm.exceptions import UserVisibleError
from crm.generic.base import GenericPage
from crm.generic.conflict import Conflict, compare, take_theirs, wants_theirs
from crm.generic.forms import VisibleModelForm
from crm.generic.once import new_number, once
from crm.history.context import offer_undo

if TYPE_CHECKING:
    from django.http import QueryDict

    from crm.generic.pages import Pages
    from crm.models import User

VERSION = "row_version"
# What a form wants to happen after it was saved: "stay", "new", or the next row.
THEN = "then"
# Sent by a short form whose values the full form is to take over.
MORE = "more"
# As many as the biggest primary key has.
MAX_DIGITS = 19


def version_of(obj: models.Model) -> str:
    """Return the mark by which a changed row is known."""
    updated = getattr(obj, "updated_at", None)
    return updated.isoformat() if updated else ""


class FormPage(GenericPage):
    """What adding and editing share."""

    template_name = "generic/form.html"

    def build_form(self, *data: Any, **kwargs: Any) -> VisibleModelForm:
        """Return the model's form for this person."""
        return self.pages.form(*data, actor=self.request.user, **kwargs)

    def make_form(self, instance: models.Model | None) -> VisibleModelForm:
        """Return the form with what was sent, if it was sent."""
        data = (self.request.POST, self.request.FILES) if self.is_post else ()
        return self.build_form(*data, instance=instance)

    def make_formset(self, instance: models.Model | None) -> BaseFormSet | None:
        """Return the rows below, if the model has such."""
        if self.pages.formset is None:
            return None
        data = (self.request.POST, self.request.FILES) if self.is_post else ()
        return self.pages.formset(*data, instance=instance, actor=self.request.user)

    @property
    def is_post(self) -> bool:
        """Tell whether the form was sent."""
        return self.request.method == "POST"

    def try_save(
        self, form: VisibleModelForm, formset: BaseFormSet | None
    ) -> models.Model | None:
        """Save all or nothing; what stands in the way is said in the form."""
        return save_form(self.pages, form, formset, self.request.user, self.verb)

    def after(self, saved: models.Model) -> HttpResponse:
        """Go to the saved row, or where the form wants to go on."""
        then = self.request.POST.get(THEN, "")
        if then == "stay" and self.pages.allowed_url(self.request.user, "edit", saved):
            return redirect(self.pages.url("edit", saved))
        if then == "new" and can(self.request.user, Verb.ADD, self.model):
            return redirect(self.pages.url("add"))
        if then.isascii() and then.isdigit() and len(then) < MAX_DIGITS:
            return redirect(self.pages.url("edit", self.model(pk=int(then))))
        return redirect(self.pages.url("detail", saved))

    def add(
        self, form: VisibleModelForm, formset: BaseFormSet | None = None
    ) -> models.Model | None:
        """Save a new row; of a form that came before return the row it made then."""
        with once(self.request, self.model) as earlier:
            obj = earlier or self.try_save(form, formset)
            if obj is None:
                transaction.set_rollback(True)
        return obj

    def usable(self, initial: QueryDict) -> dict[str, Any]:
        """Return the values to begin with that the fields can read."""
        form = self.build_form()
        found = {}
        for name, value in initial.items():
            if name not in form.fields or "\x00" in value:
                continue
            with contextlib.suppress(ValidationError, ValueError):
                form.fields[name].clean(value)
                found[name] = value
        return found

    def similar_context(self, form: VisibleModelForm) -> dict[str, Any]:
        """Return where a new row's form asks for rows alike, if it does."""
        compared = self.pages.similar_fields
        if not compared:
            return {}
        return {
            "similar_url": self.pages.url("similar"),
            "similar_fields": ",".join(compared),
            "has_values": any(
                form[name].value() for name in compared if name in form.fields
            ),
        }

    def answer(
        self, form: VisibleModelForm, formset: BaseFormSet | None, **context: Any
    ) -> HttpResponse:
        """Show the form, with everything that was typed."""
        has_errors = form.is_bound and (
            form.errors or (formset and not formset.is_valid())
        )
        return self.render(
            {
                "form": form,
                "formset": formset,
                "has_errors": has_errors,
                "breadcrumbs": self.breadcrumbs(),
                **(self.similar_context(form) if form.is_new else {}),
                "once": new_number() if form.is_new else "",
                **context,
            },
            status=422 if has_errors else 200,
        )


def save_form(
    pages: Pages,
    form: VisibleModelForm,
    formset: BaseFormSet | None,
    actor: User,
    verb: str,
) -> models.Model | None:
    """Save all or nothing; what stands in the way is said in the form."""
    # Both are asked, so that all errors are shown at once.
    valid = [part.is_valid() for part in (form, formset) if part is not None]
    if not all(valid):
        return None
    try:
        # A savepoint: a refused write leaves the page's transaction usable.
        with transaction.atomic():
            obj = pages.save(form, formset, actor)
            require_in_reach(actor, verb, obj)
            return obj
    except OutOfReachError:
        form.add_error(
            "owner" if "owner" in form.fields else None,
            _("With these values you could not reach it yourself. Choose others."),
        )
    except UserVisibleError as error:
        form.add_error(None, str(error))
    except ValidationError as error:
        add_validation_error(form, error)
    except IntegrityError:
        form.add_error(
            None,
            _("Somebody saved a row with these values just now. Look at the list."),
        )
    return None


def add_validation_error(form: VisibleModelForm, error: ValidationError) -> None:
    """Put a service's refusal beside the fields it names."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


class AddPage(FormPage):
    """Make a row."""

    verb = Verb.ADD

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show an empty form; the address may name values to begin with."""
        return self.begin(request.GET)

    def begin(self, values: QueryDict) -> HttpResponse:
        """Show a form that nobody has sent yet."""
        form = self.build_form(initial=self.usable(values))
        formset = None
        if self.pages.formset is not None:
            formset = self.pages.formset(instance=None, actor=self.request.user)
        return self.answer(form, formset, is_new=True)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the row and go to its page."""
        if MORE in request.POST:
            return self.begin(request.POST)
        form = self.make_form(None)
        formset = self.make_formset(form.instance)
        # Before the transaction: in it Django asks for each constraint in a savepoint.
        form.is_valid()
        obj = self.add(form, formset)
        if obj is None:
            return self.answer(form, formset, is_new=True)
        offer_undo(request, _("%(name)s was added.") % {"name": obj})
        return self.after(obj)


class EditPage(FormPage):
    """Change a row, unless somebody else changed it meanwhile."""

    verb = Verb.CHANGE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form."""
        obj = self.find(pk)
        return self.show(
            obj, self.make_form(obj), self.make_formset(obj), version_of(obj)
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save the changes and go to the row's page."""
        with transaction.atomic():
            obj = self.find(pk, self.pages.queryset().select_for_update(of=("self",)))
            title, version = str(obj), version_of(obj)
            seen = request.POST.get(VERSION, version)
            form = self.make_form(obj)
            formset = self.make_formset(obj)
            saved = conflict = None
            if seen != version:
                form, conflict = self.compare(form, seen)
            elif not form.has_changed() and not (formset and formset.has_changed()):
                messages.info(request, _("Nothing was changed."))
                return self.after(obj)
            else:
                saved = self.try_save(form, formset)
        if saved is None:
            return self.show(obj, form, formset, version, title, conflict=conflict)
        offer_undo(request, _("%(name)s was changed.") % {"name": saved})
        return self.after(saved)

    def make_form(self, instance: models.Model) -> VisibleModelForm:
        """Return the form with what was sent, or with theirs where that was chosen."""
        if not self.is_post or not wants_theirs(self.request.POST):
            return super().make_form(instance)
        data = take_theirs(self.request.POST, self.build_form(instance=instance))
        return self.build_form(data, self.request.FILES, instance=instance)

    def compare(
        self, form: VisibleModelForm, version: str
    ) -> tuple[VisibleModelForm, Conflict]:
        """Return the form to go on with, and what somebody else changed meanwhile."""
        # Validating writes into the row of the form.
        stored = self.build_form(instance=self.find(form.instance.pk))
        form.is_valid()
        data, conflict = compare(form, stored, version, self.request.user)
        form = self.build_form(data, self.request.FILES, instance=form.instance)
        form.is_valid()
        form.add_error(
            None,
            _("Somebody changed this while you were editing, so nothing was saved."),
        )
        for clash in conflict.clashes:
            message = _("The saved value is: %(value)s")
            form.add_error(clash.name, message % {"value": clash.theirs or "–"})
        return form, conflict

    def show(
        self,
        obj: Any,
        form: Any,
        formset: Any,
        version: str,
        title: str = "",
        **context: Any,
    ) -> HttpResponse:
        """Show the form with the mark of the row as it was read."""
        title = title or str(obj)
        crumbs = self.breadcrumbs(obj)
        # The row may carry what was typed, not what is saved.
        crumbs[-1]["label"] = title
        return self.answer(
            form,
            formset,
            breadcrumbs=crumbs,
            object=obj,
            object_title=title,
            object_url=self.pages.url("detail", obj),
            neighbours_url=self.pages.url("neighbours", obj),
            version_name=VERSION,
            version=version,
            **context,
        )

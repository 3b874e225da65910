"""Add a row from anywhere, with three to five fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from crm.access import Verb
from crm.generic.edit import THEN, FormPage

if TYPE_CHECKING:
    from crm.generic.forms import VisibleModelForm


class QuickAddPage(FormPage):
    """The model's own form cut down to its quick fields, in a dialog."""

    verb = Verb.ADD
    template_name = "generic/_quick_add.html"

    def build_form(self, *data: Any, **kwargs: Any) -> VisibleModelForm:
        """Return the form; what is left out takes the model's own defaults."""
        form = super().build_form(*data, auto_id="quick_%s", **kwargs)
        form.fieldsets = None
        kept = self.pages.quick_fields
        form.fields = {name: form.fields[name] for name in kept if name in form.fields}
        return form

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the short form; without htmx the full one."""
        if not request.htmx:
            return redirect(f"{self.pages.url('add')}?{request.GET.urlencode()}")
        return self.show(self.build_form(initial=self.usable(request.GET)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the row, and tell the page behind the dialog."""
        form = self.make_form(None)
        form.is_valid()
        obj = self.add(form)
        if obj is None:
            return self.show(form)
        text = _("%(name)s was added.") % {"name": obj}
        url = self.pages.url("detail", obj)
        if not request.htmx:
            messages.success(request, text)
            return redirect(url)
        again = request.POST.get(THEN) == "new"
        response = self.show(self.empty_form()) if again else HttpResponse()
        told = {"text": text, "url": url, "list": self.pages.url("list")}
        return trigger_client_event(response, "record-added", told | {"again": again})

    def empty_form(self) -> VisibleModelForm:
        """Return the form for the next row; what the first one was below stays."""
        return self.build_form(initial=self.usable(QueryDict(self.address)))

    @property
    def address(self) -> str:
        """Return the values with which the dialog was opened."""
        return self.request.GET.urlencode()

    def show(self, form: VisibleModelForm) -> HttpResponse:
        """Answer with the dialog's part."""
        return self.answer(
            form,
            None,
            add_url=self.pages.url("add"),
            quick_url=f"{self.request.path}?{self.address}",
        )

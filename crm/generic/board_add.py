"""The quick form inside a column of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm.access import Verb
from crm.exceptions import UserVisibleError
from crm.generic.board import BoardColumn
from crm.generic.board_layout import board_context
from crm.generic.board_move import BoardPage
from crm.generic.edit import FormPage

if TYPE_CHECKING:
    from django.forms import BaseFormSet

    from crm.generic.forms import VisibleModelForm


class BoardAddPage(BoardPage, FormPage):
    """The quick form inside a column."""

    verb = Verb.ADD
    template_name = "generic/_board_add.html"

    def column(self) -> BoardColumn:
        """Return the column that the row begins in; unnamed it is the first one."""
        data = self.request.POST if self.is_post else self.request.GET
        key = data.get(self.board.field, "")
        for column in self.columns().every:
            if self.board.can_add_in(column) and key in ("", column.key):
                return column
        raise Http404

    def quick_form(self, column: BoardColumn) -> forms.ModelForm:
        """Return the model's form with the few fields of the board."""
        data = (self.request.POST, self.request.FILES) if self.is_post else ()
        form = self.build_form(*data, initial={self.board.field: column.key})
        for name in list(form.fields):
            if name == self.board.field:
                form.fields[name].widget = forms.HiddenInput()
            elif name not in self.board.quick:
                del form.fields[name]
        form.order_fields(self.board.quick)
        return form

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        column = self.column()
        return self.show(column, self.quick_form(column))

    def show(self, column: BoardColumn, form: forms.ModelForm) -> HttpResponse:
        """Show the form, with everything that was typed."""
        return self.answer(
            form,
            None,
            column=column,
            board=self.board,
            back=self.back_url(),
            add_url=self.pages.url("boardadd"),
            is_field=self.board.field in form.fields,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the row in the column and show the board with it."""
        column = self.column()
        form = self.quick_form(column)
        obj = self.add(form)
        if obj is None:
            return self.show(column, form)
        if not getattr(request, "htmx", None):
            return redirect(self.back_url() or self.pages.url("detail", obj))
        listing = self.layout().listing
        context = board_context(listing) | {
            "listing": listing,
            "chips": listing.filterset.chips(listing.query.copy()),
            "focus": obj.pk,
        }
        response = self.render(context, "generic/_board.html")
        response.headers["HX-Retarget"] = "#list"
        response.headers["HX-Reswap"] = "outerHTML"
        return response

    def try_save(
        self, form: VisibleModelForm, formset: BaseFormSet | None
    ) -> models.Model | None:
        """Save the row and move it into the column."""
        obj = super().try_save(form, formset)
        is_there = obj is not None and self.put(obj, self.column(), form)
        return obj if is_there else None

    def put(
        self, obj: models.Model, column: BoardColumn, form: forms.ModelForm
    ) -> bool:
        """Move the new row on to the column if it began in another one."""
        if self.board.key_of(obj) == column.key:
            return True
        try:
            with transaction.atomic():
                self.board.move(obj, column.target, self.request.user, "")
        except UserVisibleError as error:
            form.add_error(None, str(error))
            return False
        return True

"""The page on which rows are compared and merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb, hidden_fields, read_only_fields
from crm.exceptions import UserVisibleError
from crm.generic import formats
from crm.generic.base import GenericPage
from crm.generic.bulk.actions import BulkAction
from crm.generic.edit import version_of
from crm.generic.merge import (
    MOST,
    default_sources,
    find_rows,
    is_blank,
    merge,
    merged_fields,
    merged_values,
    moves_of,
)
from crm.history.context import offer_undo

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.generic.selection import Selection
    from crm.models import User

FROM = "from-"


class MergeRows(BulkAction):
    """Look at two or more chosen rows side by side, to make one of them."""

    key, label, icon = "merge", gettext_lazy("Merge"), "copy"
    verb = Verb.DELETE

    def fits(self, pages: Pages) -> bool:
        """Tell whether rows of the model can be merged."""
        return pages.mergeable

    def respond(self, pages: Pages, user: User, selection: Selection) -> HttpResponse:
        """Lead to the page that compares them."""
        keys = selection.ids or ()
        if not 2 <= len(keys) <= MOST:
            text = _("Choose between 2 and %(most)s rows to merge.")
            raise UserVisibleError(text % {"most": MOST})
        return redirect(f"{pages.url('merge')}?{urlencode({'pk': keys}, doseq=True)}")


class MergePage(GenericPage):
    """Choose what stays, see the result, merge."""

    verb = Verb.DELETE
    template_name = "generic/merge.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the rows side by side."""
        keys = self.keys()
        if keys is None:
            messages.info(request, _("Choose the rows first."))
            return redirect(self.pages.url("list"))
        with transaction.atomic():
            return self.compare(self.rows(keys))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show the result of the choices, or write it."""
        keys = self.keys()
        if keys is None:
            messages.warning(request, _("Choose at least two different rows."))
            return redirect(self.pages.url("list"))
        try:
            with transaction.atomic():
                rows = self.rows(keys)
                if request.POST.get("step") != "merge":
                    return self.compare(rows)
                if request.POST.get("seen") != self.mark_of(rows):
                    text = _("Somebody changed these rows meanwhile. Look again.")
                    return self.compare(rows, error=text, status=409)
                into, others = self.split(rows)
                user = request.user
                number = merge(self.pages, user, into, others, self.sources())
        except UserVisibleError as error:
            messages.warning(request, str(error))
            return redirect(self.pages.url("list"))
        text = _("%(count)s rows were merged into %(name)s.")
        text %= {"count": len(rows), "name": into}
        offer_undo(request, text, number)
        return redirect(self.pages.url("detail", into))

    def keys(self) -> list[int] | None:
        """Return the keys that were sent; None where there are not two to ten."""
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        texts = list(dict.fromkeys(sent.getlist("pk")))
        if not all(map(is_key, texts)):
            raise Http404
        return [int(one) for one in texts] if 2 <= len(texts) <= MOST else None

    def rows(self, keys: list[int]) -> list[models.Model]:
        """Return the rows, or answer 404 if one is hidden or not the person's."""
        rows = find_rows(self.pages, keys, self.request.user)
        if rows is None:
            raise Http404
        return rows

    def mark_of(self, rows: list[models.Model]) -> str:
        """Return what changes when one of the rows does."""
        return " ".join(f"{row.pk}@{version_of(row)}" for row in rows)

    def split(
        self, rows: list[models.Model]
    ) -> tuple[models.Model, list[models.Model]]:
        """Return the row that stays and the others."""
        chosen = self.request.POST.get("into", "")
        into = next((row for row in rows if str(row.pk) == chosen), rows[0])
        return into, [row for row in rows if row is not into]

    def sources(self) -> dict[str, int]:
        """Return {field: key of the row} of what the person chose."""
        return {
            name.removeprefix(FROM): int(value)
            for name, value in self.request.POST.items()
            if name.startswith(FROM) and is_key(value)
        }

    def compare(
        self, rows: list[models.Model], error: str = "", status: int = 200
    ) -> HttpResponse:
        """Show the rows, what is chosen, and the result."""
        into, others = self.split(rows)
        kept = read_only_fields(self.request.user, self.model)
        sources = default_sources(into, others) | self.sources()
        sources |= dict.fromkeys(kept, into.pk)
        user = self.request.user
        result = type(into)(**merged_values(into, others, sources, user))
        part = bool(getattr(self.request, "htmx", None))
        context = {
            "rows": rows,
            "into": into,
            "lines": [
                line
                for one in merged_fields(self.model)
                if (line := self.line(one, rows, sources, result)) is not None
            ],
            "moves": moves_of(others),
            "gone": others,
            "seen": self.mark_of(rows),
            "error": error,
            "title": _("Merge: %(names)s")
            % {"names": self.names()["verbose_name_plural"]},
            "breadcrumbs": self.breadcrumbs(),
        }
        return self.render(context, "generic/_merge.html" if part else "", status)

    def line(
        self,
        one: models.Field,
        rows: list[models.Model],
        sources: dict[str, int],
        result: models.Model,
    ) -> dict[str, Any] | None:
        """Return a field on which the rows differ; None where they agree."""
        if one.name in hidden_fields(self.request.user, self.model):
            return None
        values = [getattr(row, one.attname) for row in rows]
        if len({formats.plain(value) for value in values}) == 1:
            return None
        return {
            "name": f"{FROM}{one.name}",
            "label": capfirst(str(one.verbose_name)),
            "cells": [
                {
                    "pk": row.pk,
                    "row": row,
                    "text": words_of(row, one),
                    "is_chosen": row.pk == sources[one.name],
                    "is_blank": is_blank(value),
                }
                for row, value in zip(rows, values, strict=True)
            ],
            "result": words_of(result, one),
        }


def is_key(text: str) -> bool:
    """Tell whether a text can be the key of a row."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def words_of(row: models.Model, one: models.Field) -> str:
    """Return a value as people read it."""
    display = getattr(row, f"get_{one.name}_display", None)
    return formats.short(display() if display else getattr(row, one.name))

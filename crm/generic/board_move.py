"""Moving a card: by hand, by key or by a form, and never over another's move."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from crm.access import Verb, read_only_fields
from crm.exceptions import UserVisibleError
from crm.generic.addresses import BOARD
from crm.generic.base import GenericPage
from crm.generic.board import MOVE_VERBS, Board, BoardColumn, Columns
from crm.generic.board_layout import BoardLayout
from crm.generic.listing import Listing

# What a form says of the card besides its target.
TAKEN_FROM = "from"
BACK = "back"
MAX_REASON = 200


class MovedMeanwhileError(UserVisibleError):
    """Somebody else moved the row after it was shown."""


class MoveForm(forms.Form):
    """Where a row goes, and why, if that has to be said."""

    def __init__(
        self,
        *args: Any,
        board: Board,
        targets: list[BoardColumn],
        target: BoardColumn | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.key, one.label) for one in ([target] if target else targets)]
        self.fields[board.field] = forms.ChoiceField(
            label=_("Move to"),
            choices=choices,
            widget=forms.HiddenInput if target else forms.Select,
        )
        if target is not None and board.asks(target.target):
            self.fields["reason"] = forms.CharField(
                label=board.reason_label,
                max_length=MAX_REASON,
                error_messages={"required": _("Say why.")},
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
        for name in (TAKEN_FROM, BACK):
            self.fields[name] = forms.CharField(
                required=False, widget=forms.HiddenInput
            )


class BoardPage(GenericPage):
    """What the pages behind a board share."""

    @property
    def board(self) -> Board:
        """Return the model's board."""
        return self.pages.board

    def columns(self) -> Columns:
        """Return the columns that the person may see."""
        return self.board.columns(self.model, self.request.user)

    def back_url(self) -> str:
        """Return the board's own address that the request came from."""
        back = self.request.POST.get(BACK) or self.request.GET.get(BACK, "")
        is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        home = self.pages.url("list")
        return back if is_ours and urlsplit(back).path == home else ""

    def layout(self) -> BoardLayout:
        """Return the board that the request came from, with its filters."""
        query = QueryDict(urlsplit(self.back_url()).query, mutable=True)
        query["layout"] = BOARD
        return BoardLayout(Listing(self.pages, self.request, query=query))


class MovePage(BoardPage):
    """Move a row to another state: asked on a page, or sent by the board."""

    verb = Verb.CHANGE
    template_name = "generic/move.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse those who may not change the field that a move changes."""
        if self.board.field in read_only_fields(request.user, self.model):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def wants_json(self) -> bool:
        """Tell whether the board's script asks."""
        return self.request.accepts("application/json") and not self.request.accepts(
            "text/html"
        )

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask where to, or only why if the address names the target."""
        obj = self.find(pk)
        target = self.columns().by_key(request.GET.get(self.board.field, ""))
        initial = {
            TAKEN_FROM: request.GET.get(TAKEN_FROM) or self.board.key_of(obj),
            BACK: self.back_url(),
        }
        return self.ask(obj, target, None, initial)

    def ask(
        self,
        obj: models.Model,
        target: BoardColumn | None,
        data: QueryDict | None,
        initial: dict[str, str],
        error: str = "",
    ) -> HttpResponse:
        """Show the form; without a choice it says so."""
        targets = self.board.targets(obj, self.columns())
        elsewhere = [one for one in targets if one.target in self.board.elsewhere]
        targets = [one for one in targets if one not in elsewhere]
        if target is not None:
            initial[self.board.field] = target.key
        form = MoveForm(
            data, initial=initial, board=self.board, targets=targets, target=target
        )
        if error:
            form.add_error(None, error)
        context = {
            "object": obj,
            "form": form,
            "title": self.title(obj, target),
            "targets": targets,
            "elsewhere": [
                {"label": one.label, "url": self.elsewhere_url(obj, one)}
                for one in elsewhere
            ],
            "move_url": self.pages.url("move", obj),
            "cancel_url": self.back_url() or self.pages.url("detail", obj),
            "breadcrumbs": self.breadcrumbs(obj),
        }
        part = getattr(self.request, "htmx", None)
        template = "generic/_move_form.html" if part else self.template_name
        return self.render(context, template, 422 if form.errors else 200)

    def title(self, obj: models.Model, target: BoardColumn | None) -> str:
        """Return what is asked."""
        if target is None:
            return _("Move %(name)s") % {"name": obj}
        return _("Move %(name)s to “%(state)s”") % {"name": obj, "state": target.label}

    def elsewhere_url(self, obj: models.Model, column: BoardColumn) -> str:
        """Return the page where a move is done that takes more than a reason."""
        return reverse(self.board.elsewhere[column.target], args=[obj.pk])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Move the row, unless somebody else did meanwhile."""
        board, reason = self.board, request.POST.get("reason", "").strip()
        with transaction.atomic():
            obj = self.find(pk, self.pages.queryset().select_for_update(of=("self",)))
            columns = self.columns()
            target = columns.by_key(request.POST.get(board.field, ""))
            if target is not None and target.target in board.elsewhere:
                return self.send_elsewhere(obj, target)
            try:
                self.refuse_stale(obj, columns)
                if target is None:
                    raise UserVisibleError(_("There is no such state."))
                if board.asks(target.target) and not reason:
                    return self.ask_reason(obj, target)
                with transaction.atomic():
                    board.move(obj, target.target, request.user, reason[:MAX_REASON])
            except MovedMeanwhileError as error:
                return self.refuse(obj, str(error), 409)
            except UserVisibleError as error:
                return self.refuse(obj, str(error), 422)
            except ValidationError as error:
                return self.refuse(obj, " ".join(error.messages), 422)
        return self.done(obj, target)

    def refuse_stale(self, obj: models.Model, columns: Columns) -> None:
        """Raise if the row is no longer where it was taken from; say who moved it."""
        taken_from = self.request.POST.get(TAKEN_FROM, "")
        key = self.board.key_of(obj)
        if not taken_from or taken_from == key:
            return
        column = columns.by_key(key)
        state = column.label if column else key
        raise MovedMeanwhileError(who_moved(obj, state))

    def send_elsewhere(self, obj: models.Model, target: BoardColumn) -> HttpResponse:
        """Lead to the page where this move is done."""
        url = self.elsewhere_url(obj, target)
        return JsonResponse({"go": url}) if self.wants_json else redirect(url)

    def ask_reason(self, obj: models.Model, target: BoardColumn) -> HttpResponse:
        """Ask why; the board's script shows the question in a dialog."""
        if not self.wants_json:
            data = self.request.POST
            return self.ask(obj, target, data, {})
        query = QueryDict(mutable=True)
        query[self.board.field] = target.key
        for name in (TAKEN_FROM, BACK):
            query[name] = self.request.POST.get(name, "")
        url = f"{self.pages.url('move', obj)}?{query.urlencode()}"
        return JsonResponse({"ask": url})

    def refuse(self, obj: models.Model, error: str, status: int) -> HttpResponse:
        """Say why nothing was moved."""
        if self.wants_json:
            return JsonResponse({"error": error}, status=status)
        messages.error(self.request, error)
        return redirect(self.back_url() or self.pages.url("detail", obj))

    def done(self, obj: models.Model, target: BoardColumn) -> HttpResponse:
        """Answer with what changed on the board, or lead back."""
        if not self.wants_json:
            return redirect(self.back_url() or self.pages.url("detail", obj))
        layout = self.layout()
        cards = layout.cards([obj.pk])
        columns = layout.columns.of(target.group)
        heads = layout.heads(columns, layout.parts(columns))
        message = _("%(name)s is in “%(state)s” now.")
        return JsonResponse(
            {
                "message": message % {"name": obj, "state": target.label},
                "column": target.key,
                "card": self.part("_board_card.html", cards=cards).strip(),
                "heads": {
                    key: self.part("_board_head.html", head=head)
                    for key, head in heads.items()
                },
            }
        )

    def part(self, name: str, **context: Any) -> str:
        """Return a part of the board as HTML."""
        return render_to_string(f"generic/{name}", context, self.request)


def who_moved(obj: models.Model, state: str) -> str:
    """Say where a row is now, and who brought it there."""
    from crm.models import AuditEntry

    entry = (
        AuditEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(obj),
            object_id=obj.pk,
            verb__in=MOVE_VERBS,
        )
        .select_related("actor")
        .first()
    )
    if entry is None or entry.actor is None:
        return _(
            "%(name)s was moved to “%(state)s” meanwhile. Nothing was changed."
        ) % {
            "name": obj,
            "state": state,
        }
    return _(
        "%(person)s moved %(name)s to “%(state)s” meanwhile. Nothing was changed."
    ) % {"person": entry.actor, "name": obj, "state": state}

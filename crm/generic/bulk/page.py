"""Bulk work in two steps: look at what would happen, then do it."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.core import signing
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.exceptions import UserVisibleError
from crm.generic.base import GenericPage
from crm.generic.bulk.batch import Outcome
from crm.generic.bulk.preview import Preview
from crm.generic.bulk.run import KIND, BulkRun
from crm.generic.selection import Selection
from crm.history.context import offer_undo
from crm.jobs import enqueue

if TYPE_CHECKING:
    from django import forms

    from crm.generic.bulk.actions import BulkAction

# So many rows are changed while the person waits; more are a job.
AT_ONCE = 200
SALT = "crm.generic.bulk"
MAX_AGE = datetime.timedelta(days=1)
# Two runs over rows that services lock in another order: the loser tries again.
TRIES = 3
CARRIED = {"csrfmiddlewaretoken", "query", "all", "ids", "pk", "step", "permit"}


class BulkPage(GenericPage):
    """One bulk action of one model."""

    template_name = "generic/bulk.html"
    action: ClassVar[BulkAction | None] = None
    http_method_names = ("get", "post", "options")

    @property
    def verb(self) -> str:
        """Return the right that the action takes."""
        return self.action.verb

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead back those who come without rows."""
        messages.info(request, _("Choose the rows first."))
        return redirect(self.pages.url("list"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask, show what would happen, or do it."""
        try:
            self.selection = Selection.of(request.POST)
            answer = self.action.respond(self.pages, request.user, self.selection)
            if answer is not None:
                return answer
            self.preview = Preview.of(
                self.pages, self.action, request.user, self.selection
            )
        except UserVisibleError as error:
            messages.warning(request, str(error))
            return redirect(self.list_url())
        return self.take_step(request.POST.get("step", ""))

    @property
    def title(self) -> str:
        """Return what is done, and with what."""
        return f"{self.action.label}: {self.names()['verbose_name_plural']}"

    def list_url(self) -> str:
        """Return the list where the rows were chosen."""
        selection = getattr(self, "selection", None) or Selection()
        return selection.list_url(self.pages)

    def take_step(self, step: str) -> HttpResponse:
        """Show the form, the preview or the result."""
        is_sent = step in ("preview", "apply", "change")
        data = self.request.POST if is_sent else None
        form = self.action.make_form(self.pages, self.request.user, data)
        if form is not None and (step == "change" or not form.is_valid()):
            return self.show(form, status=422 if form.errors else 200)
        if step == "apply":
            return self.apply(form)
        return self.show_preview(form)

    def show(
        self, form: forms.Form | None, status: int = 200, **context: Any
    ) -> HttpResponse:
        """Show the page of the action."""
        return self.render(
            {
                "action": self.action,
                "form": form,
                "preview": self.preview,
                "selection_fields": self.selection.fields().items(),
                "back_url": self.list_url(),
                "breadcrumbs": self.breadcrumbs(),
                "title": self.title,
                **context,
            },
            status=status,
        )

    def show_preview(self, form: forms.Form | None, **context: Any) -> HttpResponse:
        """Show what would change, with the way to do it."""
        return self.show(
            form,
            is_ready=self.preview.allowed.number > 0,
            changes=self.preview.changes(form),
            sample=self.preview.sample(form),
            sent=self.sent(),
            permit=self.make_permit(),
            **context,
        )

    def sent(self) -> list[tuple[str, str]]:
        """Return what was filled in, to be carried to the next step."""
        return [
            (name, value)
            for name, values in self.request.POST.lists()
            if name not in CARRIED
            for value in values
        ]

    # --- do it ------------------------------------------------------------------

    def make_permit(self) -> str:
        """Return what lets this preview be carried out, once, by this person."""
        allowed, chosen = self.preview.allowed, self.preview.chosen
        count = chosen if self.selection.ids is not None else allowed
        content = {
            "number": str(uuid.uuid4()),
            "at": timezone.now().isoformat(),
            "expected": count.number if count.is_exact else None,
        }
        return signing.dumps(content, salt=self.salt)

    @property
    def salt(self) -> str:
        """Return what binds a permit to the person and the action."""
        label = self.model._meta.label
        return f"{SALT}.{label}.{self.action.key}.{self.request.user.pk}"

    def make_run(self) -> BulkRun:
        """Return the run that the permit allows."""
        try:
            permit = signing.loads(
                self.request.POST.get("permit", ""), salt=self.salt, max_age=MAX_AGE
            )
        except signing.BadSignature as error:
            text = _("This preview is too old. Look at it again.")
            raise UserVisibleError(text) from error
        data = self.request.POST.copy()
        for name in CARRIED & set(data):
            del data[name]
        return BulkRun(
            self.pages,
            self.action,
            self.request.user,
            self.selection,
            data.urlencode(),
            uuid.UUID(permit["number"]),
            datetime.datetime.fromisoformat(permit["at"]),
            permit["expected"],
        )

    def apply(self, form: forms.Form | None) -> HttpResponse:
        """Change the rows at once, or by a job if there are many; never twice."""
        try:
            run = self.make_run()
        except UserVisibleError as error:
            return self.show_preview(form, error=str(error))
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    if run.is_known():
                        messages.info(self.request, _("This was done already."))
                        return redirect(self.list_url())
                    if self.preview.allowed.number > AT_ONCE:
                        return self.start_job(run)
                    outcome = Outcome()
                    run.step(0, outcome)
                    return self.show_outcome(run.finish(outcome), run)
            except OperationalError:
                if not left:
                    raise
        return redirect(self.list_url())

    def start_job(self, run: BulkRun) -> HttpResponse:
        """Hand the work to a worker and show its progress."""
        job = enqueue(
            KIND,
            owner=self.request.user,
            params=run.params(),
            dedupe_key=run.key,
            title=run.title,
        )
        return redirect(job.get_absolute_url())

    def show_outcome(self, outcome: Outcome, run: BulkRun) -> HttpResponse:
        """Go back to the list; stay where there is something to read."""
        if outcome.refused or outcome.left:
            return self.render(
                {
                    "action": self.action,
                    "result": run.result_of(outcome),
                    "back_url": self.list_url(),
                    "breadcrumbs": self.breadcrumbs(),
                    "title": self.title,
                },
                "generic/bulk_result.html",
            )
        if outcome.changed:
            text = ngettext(
                "%(count)s row was changed.",
                "%(count)s rows were changed.",
                outcome.changed,
            )
            text %= {"count": outcome.changed}
            offer_undo(self.request, text, run.number)
        else:
            messages.info(self.request, _("Nothing was changed."))
        return redirect(self.list_url())

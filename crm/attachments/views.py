"""Put files at rows, hand them out, take them away."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from crm.access import Verb
from crm.attachments import services
from crm.attachments.forms import AttachmentForm, AttachmentUpload
from crm.attachments.kinds import KINDS
from crm.attachments.panels import FilesPanel
from crm.exceptions import UserVisibleError
from crm.generic.detail import Part
from crm.generic.registry import registry
from crm.history.context import offer_undo
from crm.models import Attachment

# Whatever a file holds, it loads and runs nothing and is shown in no other page.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
# The browser's own viewer of PDF does not open in a sandbox. It is no page of ours:
# the type is fixed by the content, and nothing is loaded besides.
VIEWER = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@csrf_exempt
@require_POST
def attachment_add(request: HttpRequest, label: str, pk: int) -> HttpResponse:
    """Take a file; the limit on its size holds while it comes in."""
    request.upload_handlers = [AttachmentUpload(request)]
    return _add(request, label, pk)


@csrf_protect
def _add(request: HttpRequest, label: str, pk: int) -> HttpResponse:
    obj = services.row_of(label, pk, request.user, Verb.CHANGE)
    sent = request.POST, request.FILES
    # Known when all was read.
    form = AttachmentForm(*sent, refused=getattr(request, "upload_refused", False))
    if not form.is_valid():
        return _answer(request, obj, form)
    file = form.cleaned_data["file"]
    try:
        attachment, is_new = services.attach(
            obj=obj, content=file, name=file.name, kind=form.kind, actor=request.user
        )
    except UserVisibleError as error:
        form.add_error("file", str(error))
        return _answer(request, obj, form)
    if not is_new:
        text = _("This file is here already: %(name)s") % {"name": attachment.name}
        form.add_error("file", text)
        return _answer(request, obj, form)
    return _answer(request, obj)


def _answer(
    request: HttpRequest,
    obj: models.Model,
    form: AttachmentForm | None = None,
    gone: Attachment | None = None,
) -> HttpResponse:
    """Draw the panel anew to htmx; without it go back to the row, or say the error."""
    if not request.htmx and form is None:
        return redirect(registry.pages_of(type(obj)).url("detail", obj))
    panel = FilesPanel()
    context: dict[str, Any] = panel.get_context(request, obj, form)
    part = Part(panel, context)
    own = {"object": obj, "panel": panel, "part": part}
    if gone is not None:
        url = registry.pages_of(type(obj)).url("detail", obj)
        own |= {"gone": gone, "number": request.operation, "next": url}
    status = 422 if form is not None else 200
    if request.htmx:
        template = "generic/_part.html"
        return render(request, template, context | own, status=status)
    pages = registry.pages_of(type(obj))
    crumb = {"label": str(obj), "url": pages.url("detail", obj)}
    own["breadcrumbs"] = [crumb]
    return render(request, "generic/panel.html", own, status=status)


@require_GET
def attachment_download(request: HttpRequest, pk: int) -> FileResponse:
    """Hand out a file to be kept."""
    attachment, _obj = services.find(pk, request.user)
    return _send(attachment, as_attachment=True, policy=SANDBOX)


@require_GET
def attachment_view(request: HttpRequest, pk: int) -> FileResponse:
    """Hand out an image or a PDF to be looked at; nothing else is."""
    attachment, _obj = services.find(pk, request.user)
    kind = KINDS.get(attachment.content_type)
    if kind is None or not kind.opens:
        raise Http404
    policy = SANDBOX if kind.is_image else VIEWER
    return _send(attachment, as_attachment=False, policy=policy)


def _send(attachment: Attachment, *, as_attachment: bool, policy: str) -> FileResponse:
    if not default_storage.exists(attachment.path):
        raise Http404
    return FileResponse(
        default_storage.open(attachment.path),
        as_attachment=as_attachment,
        filename=attachment.name,
        content_type=attachment.content_type,
        headers={
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-cache",
        },
    )


@require_POST
def attachment_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file away from its row; it can be brought back."""
    attachment, obj = services.find(pk, request.user, Verb.CHANGE)
    services.detach(attachment=attachment, obj=obj, actor=request.user)
    if request.htmx:
        return _answer(request, obj, gone=attachment)
    offer_undo(request, _("%(name)s was deleted.") % {"name": attachment.name})
    return redirect(registry.pages_of(type(obj)).url("detail", obj))


urlpatterns = [
    path("files/<str:label>/<int:pk>/", attachment_add, name="attachment_add"),
    path("files/<int:pk>/", attachment_download, name="attachment_download"),
    path("files/<int:pk>/view/", attachment_view, name="attachment_view"),
    path("files/<int:pk>/remove/", attachment_remove, name="attachment_remove"),
]

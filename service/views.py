"""Doors to what a ticket's page can do besides editing its fields."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.access import Verb, get_visible_or_404, require
from crm.exceptions import UserVisibleError
from service import services
from service.choices import CategoryOrigin
from service.forms import AssignForm, CategoryForm, MessageForm
from service.models import Message, Ticket
from service.selectors import may_answer


@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the ticket to the agent who was posted."""
    ticket = get_visible_or_404(Ticket, request.user, pk, Verb.CHANGE)
    form = AssignForm(request.POST, user=request.user)
    if form.is_valid():
        owner = form.cleaned_data["owner"]
        services.assign_ticket(ticket=ticket, actor=request.user, owner=owner)
    else:
        messages.error(request, _("Choose an agent from the list."))
    return redirect(ticket)


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a ticket that nobody has to the person who asks for it."""
    ticket = get_visible_or_404(Ticket, request.user, pk)
    require(request.user, Verb.CHANGE, Ticket)
    try:
        services.take_ticket(ticket=ticket, actor=request.user)
    except UserVisibleError as error:
        messages.error(request, str(error))
    return redirect(ticket)


@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    """Add the message that was posted."""
    ticket = get_visible_or_404(Ticket, request.user, pk)
    require(request.user, Verb.ADD, Message)
    if not may_answer(request.user, ticket):
        raise PermissionDenied
    form = MessageForm(request.POST)
    if not form.is_valid():
        # A page of its own, because what was typed must not be lost.
        context = {
            "object": ticket,
            "form": form,
            "title": ticket,
            "submit_label": _("Send"),
        }
        return render(request, "generic/action_form.html", context, status=422)
    services.add_message(ticket=ticket, actor=request.user, **form.cleaned_data)
    return redirect(ticket)


@require_POST
def categorise(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a category for the ticket; ``suggested`` is what the model had said."""
    ticket = get_visible_or_404(Ticket, request.user, pk, Verb.CHANGE)
    form = CategoryForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Choose a category from the list."))
        return redirect(ticket)
    category = form.cleaned_data["category"]
    suggested = request.POST.get("suggested", "")
    if not suggested:
        origin = CategoryOrigin.PERSON
    elif suggested == str(category.pk):
        origin = CategoryOrigin.ACCEPTED
    else:
        origin = CategoryOrigin.CORRECTED
    services.set_category(
        ticket=ticket, actor=request.user, category=category, origin=origin
    )
    return redirect(ticket)

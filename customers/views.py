"""Doors to what a customer's page can do besides editing its fields."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.access import Verb, get_visible_or_404, require
from customers.forms import QuickLogForm
from customers.models import Customer, Interaction
from customers.panels import timeline_context
from customers.selectors import may_log
from customers.services import log_interaction


@require_POST
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down the call or note that was posted."""
    customer = get_visible_or_404(Customer, request.user, pk)
    require(request.user, Verb.ADD, Interaction)
    if not may_log(request.user, customer):
        raise PermissionDenied
    form = QuickLogForm(request.POST)
    if not form.is_valid():
        # A page of its own, because what was typed must not be lost.
        context = {
            "object": customer,
            "form": form,
            "title": _("Log a call or a note"),
            "submit_label": _("Add to the timeline"),
        }
        return render(request, "generic/action_form.html", context, status=422)
    log_interaction(customer=customer, actor=request.user, **form.cleaned_data)
    messages.success(request, _("It was added to the timeline."))
    return redirect(customer)


@require_GET
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a page of the timeline, alone to htmx and in the customer's page else."""
    customer = get_visible_or_404(Customer, request.user, pk)
    if not request.htmx:
        return redirect(f"{customer.get_absolute_url()}?{request.GET.urlencode()}")
    context = timeline_context(request, customer)
    return render(request, "customers/_timeline.html", context)

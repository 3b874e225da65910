"""Doors to what a customer's page can do besides editing its fields."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.access import Verb, can, get_visible_or_404, require
from customers.choices import PairState
from customers.forms import QuickLogForm
from customers.models import Customer, DuplicatePair, Interaction
from customers.panels import pairs_context, timeline_context
from customers.selectors import may_log, open_pairs_of
from customers.services import judge_pair, log_interaction, start_scan


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


@require_POST
def scan(request: HttpRequest) -> HttpResponse:
    """Queue a search for duplicates and show its progress."""
    require(request.user, Verb.RUN, DuplicatePair)
    job = start_scan(actor=request.user)
    if can(request.user, Verb.VIEW, job):
        return redirect(job)
    messages.info(
        request, _("Such a search waits already; its result will serve you too.")
    )
    return redirect("customers:duplicatepair_list")


@require_POST
def judge(request: HttpRequest, pk: int, state: PairState) -> HttpResponse:
    """Note that two customers are not one, or take that back."""
    pair = get_visible_or_404(DuplicatePair, request.user, pk, Verb.CHANGE)
    judge_pair(pair=pair, actor=request.user, state=state)
    if state == PairState.DISMISSED:
        said = _("Not a duplicate: it stays remembered. You can reopen the pair.")
    else:
        said = _("The pair is to be checked again.")
    # A customer's own page says whose it is; there the panel alone is shown anew.
    asked = request.POST.get("customer", "")
    customers = {str(one.pk): one for one in (pair.customer_a, pair.customer_b)}
    if asked not in customers:
        messages.success(request, said)
        return redirect(pair)
    customer = customers[asked]
    if not request.htmx:
        messages.success(request, said)
        return redirect(customer)
    context = pairs_context(
        request.user, customer, open_pairs_of(request.user, customer)
    )
    # What was just done can be taken back at the same place.
    context |= {"said": said, "judged": pair if state == PairState.DISMISSED else None}
    return render(request, "customers/_duplicates.html", context)

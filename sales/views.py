"""Doors to what can be done with leads, opportunities and orders, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.access import Verb, get_visible_or_404, require
from crm.exceptions import UserVisibleError
from crm.generic.edit import AddPage, EditPage
from crm.generic.focus import read_focus
from customers.models import Customer
from sales import services
from sales.choices import LeadState
from sales.forms import ConvertForm, ReasonForm, ReturnForm
from sales.models import Lead, Opportunity, Order
from sales.presenting import elsewhere, report
from sales.selectors import similar_customers
from sales.services.orders import is_fixed, returnable


def attempt(request: HttpRequest, act: Callable[[], Any]) -> Any:
    """Run a service; what it refuses is said in words and None comes back."""
    try:
        return act()
    except UserVisibleError as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return None


def ask(
    request: HttpRequest, obj: Model, form: Form, title: str, label: str
) -> HttpResponse:
    """Show a form for something that is done with a row."""
    context = {"object": obj, "form": form, "title": title, "submit_label": label}
    status = 422 if form.errors else 200
    return render(request, "generic/action_form.html", context, status=status)


# --- Orders ---------------------------------------------------------------------------


@require_POST
def move_order(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Move the order to the state of the address."""
    order = get_visible_or_404(Order, request.user, pk, Verb.CHANGE)
    attempt(
        request,
        lambda: services.move_order(order=order, actor=request.user, state=state),
    )
    return redirect(order)


@require_http_methods(["GET", "POST"])
def return_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what came back, then make the return."""
    order = get_visible_or_404(Order, request.user, pk, Verb.CHANGE)
    require(request.user, Verb.ADD, Order)
    lines = list(order.lines.select_related("product").order_by("line_no"))
    form = ReturnForm(
        request.POST if request.method == "POST" else None,
        lines=lines,
        left=returnable(order),
    )
    if not form.lines:
        messages.info(request, _("Nothing of this order is left to return."))
        return redirect(order)
    if form.is_bound and form.is_valid():
        back = attempt(
            request,
            lambda: services.make_return(
                order=order,
                quantities=form.quantities(),
                actor=request.user,
                notes=form.cleaned_data["notes"],
            ),
        )
        if back is not None:
            messages.success(
                request, _("The return was added. Confirm it to make it count.")
            )
            return redirect(back)
    title = _("Return goods of %(order)s") % {"order": order}
    return ask(request, order, form, title, _("Make the return"))


class OrderFormMixin:
    """What the forms of an order share: the running total of its lines."""

    template_name = "sales/order_form.html"

    def make_formset(self, instance: Order | None) -> Any:
        """Offer the lines while they can be changed."""
        if instance is not None and is_fixed(instance):
            return None
        return super().make_formset(instance)


class OrderAddPage(OrderFormMixin, AddPage):
    """Make an order."""


class OrderEditPage(OrderFormMixin, EditPage):
    """Change an order."""


# --- Leads ----------------------------------------------------------------------------


@require_POST
def work_on_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """Take up a new lead, or a lost one again."""
    lead = get_visible_or_404(Lead, request.user, pk, Verb.CHANGE)
    attempt(
        request,
        lambda: services.move_lead(
            lead=lead, actor=request.user, state=LeadState.WORKING
        ),
    )
    return redirect(lead)


@require_http_methods(["GET", "POST"])
def lose_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why, then close the lead."""
    lead = get_visible_or_404(Lead, request.user, pk, Verb.CHANGE)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"]
        attempt(
            request,
            lambda: services.lose_lead(lead=lead, actor=request.user, reason=reason),
        )
        return redirect(lead)
    title = _("Lose %(name)s") % {"name": lead}
    return ask(request, lead, form, title, _("Close the lead"))


@require_http_methods(["GET", "POST"])
def convert_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what the lead becomes, then convert it."""
    lead = get_visible_or_404(Lead, request.user, pk, Verb.CHANGE)
    require(request.user, Verb.ADD, Customer)
    similar = similar_customers(request.user, lead)
    initial = {"customer": similar[0].pk} if len(similar) == 1 else {}
    form = ConvertForm(
        request.POST if request.method == "POST" else None,
        actor=request.user,
        initial=initial,
    )
    if form.is_bound and form.is_valid():
        if form.cleaned_data["opportunity_name"]:
            require(request.user, Verb.ADD, Opportunity)
        done = attempt(
            request,
            lambda: services.convert_lead(
                lead=lead,
                actor=request.user,
                customer=form.cleaned_data["customer"],
                opportunity_name=form.cleaned_data["opportunity_name"],
                amount=form.cleaned_data.get("amount") or 0,
                currency=form.cleaned_data["currency"].upper(),
            ),
        )
        return redirect(done.opportunity or done.customer if done else lead)
    context = {
        "object": lead,
        "form": form,
        "title": _("Convert %(name)s") % {"name": lead},
        "submit_label": _("Convert"),
        "similar": similar,
    }
    status = 422 if form.errors else 200
    return render(request, "sales/convert_lead.html", context, status=status)


# --- Report ---------------------------------------------------------------------------


@require_GET
def sales_report(request: HttpRequest) -> HttpResponse:
    """Show what was sold and returned: altogether, by month and by country."""
    require(request.user, Verb.VIEW, Order)
    focus, form = read_focus(request, [Order])
    parts = report(focus)
    context = {
        "focus": focus,
        "focus_form": form,
        "parts": parts,
        "elsewhere": None if parts else elsewhere(focus, request.path),
    }
    return render(request, "sales/report.html", context)

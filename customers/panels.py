"""Parts of the customer's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can
from crm.addresses import address_of
from crm.generic.formats import words_of
from crm.generic.panels import Panel
from crm.generic.registry import register_related
from crm.models.users import full_name
from crm.reach import reachable
from customers.choices import InteractionKind, Kind
from customers.duplicates import lines_of, reasons_of, related_of
from customers.forms import QuickLogForm
from customers.models import Contact, Customer, DuplicatePair, Interaction
from customers.selectors import contacts_of, may_log, open_pairs_of
from customers.timeline import (
    TimelineEntry,
    TimelineSource,
    newest,
    register_timeline,
    sources_for,
    timeline,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

    from crm.models import User

register_related(Customer, Contact, "customer")
register_related(Customer, Interaction, "customer")

ICONS = {
    InteractionKind.CALL: "phone",
    InteractionKind.EMAIL: "mail",
    InteractionKind.MEETING: "users",
    InteractionKind.CHAT: "message",
    InteractionKind.WEB: "globe",
    InteractionKind.NOTE: "note",
}


NEWEST = newest(Interaction, "occurred_at", "pk", "subject", "kind", "body")


class InteractionsOnTimeline(TimelineSource):
    """Calls, mails, meetings and notes."""

    key = "interaction"
    label = _("Interactions")
    requires = Interaction

    def entries(
        self, user: User, customer: Customer, limit: int
    ) -> Iterable[TimelineEntry]:
        """Return the newest interactions."""
        kinds = words_of(Interaction, "kind")
        found = NEWEST.rows(user, customer.pk, limit=limit)
        for at, pk, subject, kind, body, *owner in found:
            yield TimelineEntry(
                at=at,
                title=subject,
                icon=ICONS[InteractionKind(kind)],
                url=address_of("customers:interaction_detail", pk),
                text=body,
                badge=kinds[kind],
                person=full_name(*owner),
            )


register_timeline(InteractionsOnTimeline())


class HeadPanel(Panel):
    """What one looks for first: phone, mail, address, since when."""

    title = _("At a glance")
    template = "customers/_head.html"
    order = 5
    in_peek = True


class TimelinePanel(Panel):
    """Everything that happened, newest first, and a quick way to add to it."""

    template = "customers/_timeline_panel.html"
    order = 20
    bare = True

    def get_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """Return one page of the timeline and the form for those who may log."""
        return timeline_context(request, obj) | {
            "log_form": QuickLogForm(auto_id="log_%s")
            if may_log(request.user, obj)
            else None
        }


def timeline_context(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """Return what the timeline's template needs, as the address asks."""
    kind = request.GET.get("kind", "")
    text = request.GET.get("older", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1
    sources = sources_for(request.user)
    if kind not in {source.key for source in sources}:
        kind = ""
    return {
        "customer": customer,
        "timeline": timeline(
            user=request.user, customer=customer, kind=kind, page=number
        ),
        "timeline_kind": kind,
        "timeline_sources": sources,
        "timeline_url": reverse("customers:customer_timeline", args=[customer.pk]),
    }


class ContactsPanel(Panel):
    """The people at a company."""

    title = _("Contacts")
    template = "customers/_contacts.html"
    column = "side"
    order = 30
    requires = Contact

    def visible(self, user: User, obj: Customer) -> bool:
        """Show it for companies."""
        return super().visible(user, obj) and obj.kind == Kind.COMPANY

    def get_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """Return the contacts, and the way to add one."""
        add_url = ""
        if can(request.user, Verb.ADD, Contact):
            add_url = f"{reverse('customers:contact_add')}?customer={obj.pk}"
        return {"contacts": contacts_of(request.user, obj), "add_url": add_url}


class TextPanel(Panel):
    """The text of an interaction."""

    title = _("Text")
    template = "customers/_interaction_text.html"
    order = 20

    def visible(self, user: User, obj: Interaction) -> bool:
        """Show it if something was written."""
        return bool(obj.body)


class DuplicatesPanel(Panel):
    """The customers that may be this one, where there are any."""

    title = _("Possible duplicates")
    template = "customers/_duplicates.html"
    column = "side"
    order = 6
    requires = DuplicatePair

    def visible(self, user: User, obj: Customer) -> bool:
        """Show it where there is something to judge."""
        if not super().visible(user, obj):
            return False
        self.pairs = open_pairs_of(user, obj)
        return bool(self.pairs)

    def get_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        """Return the other customers, each with the reasons."""
        return pairs_context(request.user, obj, self.pairs)


def pairs_context(
    user: User, customer: Customer, pairs: list[DuplicatePair]
) -> dict[str, Any]:
    """Return what the template of a customer's open pairs needs."""
    judged = reachable(user, Verb.CHANGE, DuplicatePair, pairs)
    found = [
        {
            "pair": pair,
            "other": pair.customer_b
            if pair.customer_a_id == customer.pk
            else pair.customer_a,
            "reasons": [one for one in reasons_of(pair, user) if one.speaks_for][:3],
            "may_judge": pair.pk in judged,
        }
        for pair in pairs
    ]
    return {"object": customer, "pairs": found}


class ComparisonPanel(Panel):
    """Two customers side by side."""

    title = _("Side by side")
    template = "customers/_comparison.html"
    order = 10
    edge_to_edge = True

    def get_context(self, request: HttpRequest, obj: DuplicatePair) -> dict[str, Any]:
        """Return the fields of both, and what belongs to each."""
        return {
            "one": obj.customer_a,
            "other": obj.customer_b,
            "lines": lines_of(request.user, obj.customer_a, obj.customer_b),
            "related": related_of(request.user, obj),
        }


class ReasonsPanel(Panel):
    """How probable it is that two customers are one, and why."""

    title = _("Why")
    template = "customers/_reasons.html"
    column = "side"
    order = 10
    in_peek = True

    def get_context(self, request: HttpRequest, obj: DuplicatePair) -> dict[str, Any]:
        """Return the reasons in words."""
        return {"reasons": reasons_of(obj, request.user)}

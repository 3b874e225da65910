"""Pages of the customers app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.access import Verb, can
from crm.audit import record
from crm.generic.actions import Action, AddAction
from crm.generic.bulk import BulkAction
from crm.generic.cards import Cards
from crm.generic.list import ListPage
from crm.generic.listing import Listing
from crm.generic.pages import FieldsPanel, Nav, Pages, register
from crm.generic.tables import DateColumn, MoneyColumn, PhoneColumn
from crm.models import User
from crm.search.declaration import Search
from customers import filters, forms, panels, tables
from customers.cards import card_of_contact, card_of_customer
from customers.choices import InteractionKind, PairState
from customers.imports import ContactImporter, CustomerImporter
from customers.models import Contact, Customer, DuplicatePair, Interaction
from customers.selectors import last_scan, may_log
from customers.services import DUPLICATES, judge_pair, save_contact

if TYPE_CHECKING:
    from django.http import HttpRequest

    from crm.generic.bulk.batch import Batch


@register
class CustomerPages(Pages):
    """Customers."""

    model = Customer
    path = "customers"
    table = tables.CustomerTable
    filters = filters.CustomerFilters
    form = forms.CustomerForm
    importer = CustomerImporter
    cards = Cards(card_of_customer)
    panels = [
        panels.HeadPanel,
        panels.TimelinePanel,
        panels.ContactsPanel,
        panels.DuplicatesPanel,
        FieldsPanel(
            [
                "owner",
                "source",
                "referred_by",
                "birth_date",
                "gender",
                MoneyColumn("annual_income"),
                MoneyColumn("acquisition_cost"),
                "tags",
                DateColumn("created_at"),
            ],
            column="side",
            order=60,
            hide_empty=True,
        ),
    ]
    actions = [
        AddAction(
            _("Log a call"),
            "customers:interaction_add",
            icon="phone",
            applies=may_log,
            values=lambda customer: {
                "customer": customer.pk,
                "kind": InteractionKind.CALL.value,
            },
        )
    ]
    nav = Nav(section="customers", order=10, icon="users")
    search = Search(
        name=("name",),
        email=("email",),
        phone=("phone",),
        facts=("email", "phone", "city"),
    )
    quick_fields = ("kind", "name", "phone", "email")
    similar_fields = ("name", "phone", "email")
    state_field = "kind"
    mergeable = True


@register
class ContactPages(Pages):
    """The people at customers."""

    model = Contact
    path = "contacts"
    table = tables.ContactTable
    filters = filters.ContactFilters
    form = forms.ContactForm
    importer = ContactImporter
    cards = Cards(card_of_contact, related=("customer",))
    panels = [
        FieldsPanel(
            [
                "customer",
                "job_title",
                PhoneColumn("phone"),
                "email",
                "is_primary",
                "notes",
            ]
        )
    ]
    nav = Nav(section="customers", order=20, icon="address-book")
    search = Search(
        name=("name",),
        email=("email",),
        phone=("phone",),
        related=("customer",),
        facts=("customer__name", "job_title", "email"),
    )
    quick_fields = ("customer", "name", "job_title", "phone", "email")
    similar_fields = ("name", "phone", "email")
    mergeable = True

    def save(self, form: Any, formset: Any, actor: User) -> Contact:
        """Keep one first contact per customer."""
        verb = "added" if form.is_new else "changed"
        changes = form.changes()
        contact = save_contact(contact=form.instance)
        record(actor, verb, contact, changes)
        return contact


@register
class InteractionPages(Pages):
    """What was said."""

    model = Interaction
    path = "interactions"
    table = tables.InteractionTable
    filters = filters.InteractionFilters
    form = forms.InteractionForm
    panels = [
        FieldsPanel(
            ["customer", "contact", "kind", "direction", "occurred_at", "owner"],
            title=_("Details"),
        ),
        panels.TextPanel,
    ]
    nav = Nav(section="customers", order=30, icon="message")
    search = Search(
        text=("subject",), related=("customer",), facts=("kind", "customer__name")
    )
    quick_fields = ("customer", "kind", "direction", "subject", "body")


class PairList(ListPage):
    """The list of pairs, with the button that looks for them."""

    template_name = "customers/duplicate_list.html"

    def get_context(self, listing: Listing) -> dict[str, Any]:
        """Add when customers were last compared, and who may do it again."""
        user = self.request.user
        running, ended = last_scan(DUPLICATES)
        return super().get_context(listing) | {
            "may_scan": can(user, Verb.RUN, self.model) and running is None,
            "scan": running,
            "scan_url": running.get_absolute_url()
            if running and can(user, Verb.VIEW, running)
            else "",
            "scanned_at": ended,
        }


class DismissPairs(BulkAction):
    """Note of many pairs that they are no duplicates."""

    key, label, icon = "dismiss", _("Not a duplicate"), "circle-x"
    note = _("They stay remembered: later searches do not show them again.")

    def apply_to(self, row: DuplicatePair, batch: Batch) -> bool:
        """Note it of one pair."""
        return judge_pair(pair=row, actor=batch.actor, state=PairState.DISMISSED)


def judgement(label: Any, move: str, applies_to: PairState, **look: str) -> Action:
    """Return the button that judges a pair of that state."""
    return Action(
        label,
        f"customers:duplicatepair_{move}",
        method="post",
        applies=lambda user, pair: pair.state == applies_to,
        **look,
    )


class MergeAction(Action):
    """A button that leads to where both customers of a pair are made one."""

    def url(self, request: HttpRequest, obj: DuplicatePair) -> str:
        """Return the address of the comparison, the elder customer first."""
        return f"{reverse(self.url_name)}?pk={obj.customer_a_id}&pk={obj.customer_b_id}"


@register
class DuplicatePairPages(Pages):
    """Customers that may be one."""

    model = DuplicatePair
    path = "customers/duplicates"
    table = tables.DuplicatePairTable
    filters = filters.DuplicatePairFilters
    list_view = PairList
    panels = [panels.ComparisonPanel, panels.ReasonsPanel]
    actions = [
        MergeAction(
            _("Merge"),
            "customers:customer_merge",
            verb=Verb.VIEW,
            icon="copy",
            applies=lambda user, pair: (
                can(user, Verb.DELETE, pair.customer_a)
                and can(user, Verb.DELETE, pair.customer_b)
            ),
        ),
        judgement(_("Not a duplicate"), "dismiss", PairState.OPEN, icon="circle-x"),
        judgement(_("Reopen"), "reopen", PairState.DISMISSED, icon="refresh"),
    ]
    bulk_actions = [DismissPairs()]
    nav = Nav(section="customers", order=15, icon="copy", label=_("Duplicates"))
    state_field = "state"
    deletable = False
    exportable = False

    def detail_queryset(self) -> Any:
        """Return the pairs with what is compared of both."""
        owners = ("customer_a__owner", "customer_b__owner")
        return self.queryset().select_related(*owners, "dismissed_by")

"""No way of writing changes a field that is kept back from its author."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.urls import reverse

from crm.access import FieldKeptBackError
from crm.admin import register_missing
from crm.exceptions import UserVisibleError
from crm.generic.bulk.actions import EditRows
from crm.generic.bulk.run import KIND
from crm.generic.registry import registry
from crm.generic.selection import Selection
from crm.history.context import acting
from crm.history.undo import preview, undo
from crm.jobs import enqueue, runner
from crm.models import FieldRule, Grant, Operation, Role, Tag, User
from crm.rights.admin import KeepsBack, RuledAdmin
from crm.testing.snapshot import all_rows, unchanged
from customers.models import Contact, Customer, DuplicatePair
from customers.services import save_contact
from customers.tests.recipes import make_contact, make_customer, make_pair
from sales.models import Lead, Opportunity, Order, StageChange
from sales.tests.recipes import make_lead, make_opportunity, make_order, stage
from service.models import Message, Ticket
from service.tests.recipes import make_category, make_ticket
from tests.test_bulk_jobs import run_of

pytestmark = pytest.mark.django_db
KINDS = (
    *("customers.customer", "customers.contact", "customers.duplicatepair"),
    *("sales.lead", "sales.opportunity", "sales.order"),
    *("service.ticket", "service.message"),
)


def rule(model, field, mode="read_only"):
    FieldRule.objects.create(
        role=Role.objects.get(code="representative"),
        model=model._meta.label_lower,
        field=field,
        mode=mode,
    )


@pytest.fixture
def ana(world):
    """Return Ana, whose role may do everything with every row: only rules hold her."""
    role = Role.objects.get(code="representative")
    for label in KINDS:
        for verb in ("view", "add", "change", "delete", "import", "export"):
            Grant.objects.update_or_create(
                role=role, model=label, verb=verb, defaults={"scope": "all"}
            )
    return world.ana


def fresh(person):
    """Return the person as the next request reads them, with the rules of now."""
    return User.objects.get(pk=person.pk)


def lost_lead(owner):
    return make_lead(owner, state="lost", lost_reason="Price")


# (model, field, how a row is made, address, what is sent)
ACTIONS = [
    (Lead, "state", make_lead, "sales:lead_work", {}),
    (Lead, "state", make_lead, "sales:lead_lose", {"reason": "Price"}),
    (Lead, "lost_reason", make_lead, "sales:lead_lose", {"reason": "Price"}),
    (Lead, "lost_reason", lost_lead, "sales:lead_work", {}),
    (Lead, "state", make_lead, "sales:lead_convert", {"currency": "EUR"}),
    (Lead, "customer", make_lead, "sales:lead_convert", {"currency": "EUR"}),
    (Lead, "state", make_lead, "sales:lead_move", {"state": "working"}),
    (Opportunity, "stage", make_opportunity, "sales:opportunity_move", {}),
    (Order, "state", make_order, "sales:order_confirm", {}),
    (Order, "state", make_order, "sales:order_cancel", {}),
    (Ticket, "state", make_ticket, "service:ticket_move", {"state": "solved"}),
    (Ticket, "category", make_ticket, "service:ticket_categorise", {}),
    (DuplicatePair, "state", make_pair, "customers:duplicatepair_dismiss", {}),
]


@pytest.mark.parametrize("mode", ["read_only", "hidden"])
@pytest.mark.parametrize(
    ("model", "field", "make", "name", "data"),
    ACTIONS,
    ids=[f"{one[3].partition(':')[2]}-{one[1]}" for one in ACTIONS],
)
def test_what_an_action_writes_is_refused(
    world, ana, model, field, make, name, data, mode
):
    row = make(ana)
    if field == "stage":
        data = {"stage": stage("won").pk}
    if field == "category":
        data = {"category": make_category().pk}
    url = reverse(name, args=[row.pk])
    rule(model, field, mode)
    browser = world.client("ana")
    tables = (Lead, Opportunity, StageChange, Order, Ticket, DuplicatePair, Customer)
    with unchanged(*tables):
        response = browser.post(url, data)
    assert response.status_code == 403
    # The same without the rule goes through: it was the rule that refused.
    FieldRule.objects.all().delete()
    before = model.objects.values_list(field, flat=True).get(pk=row.pk)
    assert world.client("ana").post(url, data).status_code in (200, 302)
    assert model.objects.values_list(field, flat=True).get(pk=row.pk) != before


def test_the_refusal_says_which_field(world, ana):
    rule(Order, "state")
    page = world.client("ana").post(f"/orders/{make_order(ana).pk}/confirm/")
    assert "does not change the field “State”" in page.content.decode()
    assert "Nothing was changed" in page.content.decode()


def test_a_button_that_would_be_refused_is_not_offered(world, ana):
    lead, order = make_lead(ana), make_order(ana)
    deal, ticket = make_opportunity(ana), make_ticket(ana)
    shown = {
        lead: f"/leads/{lead.pk}/work/",
        order: f"/orders/{order.pk}/confirm/",
        deal: f"/opportunities/{deal.pk}/move/",
        ticket: 'name="state" value="solved"',
    }
    for row, text in shown.items():
        page = world.client("ana").get(row.get_absolute_url()).content.decode()
        assert text in page, row
    for model, name in (
        (Lead, "state"),
        (Order, "state"),
        (Opportunity, "stage"),
        (Ticket, "state"),
    ):
        rule(model, name)
    for row, text in shown.items():
        page = world.client("ana").get(row.get_absolute_url()).content.decode()
        assert text not in page, row


def by_save(row):
    row.phone = "666"
    row.save()


def by_sql(row):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET phone = %s WHERE id = %s", ["666", row.pk]
        )


WAYS = {
    "save": by_save,
    "update": lambda row: Customer.objects.filter(pk=row.pk).update(phone="666"),
    "bulk_update": lambda row: Customer.objects.bulk_update(
        [Customer(pk=row.pk, phone="666")], ["phone"]
    ),
    "sql": by_sql,
    "tags": lambda row: row.tags.add(Tag.objects.get(name="vip")),
}


@pytest.mark.parametrize("kind", ["page", "bulk", "import", "merge", "admin"])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_writing_goes_past_it(world, ana, way, kind):
    row = make_customer(ana, phone="1")
    Tag.objects.create(name="vip")
    rule(Customer, "phone")
    rule(Customer, "tags")
    with (
        unchanged(Customer, Customer.tags.through),
        pytest.raises(FieldKeptBackError),
        transaction.atomic(),
        acting(kind, fresh(ana)),
    ):
        WAYS[way](row)
    # Another person, whose role keeps nothing back, and the program itself may.
    with acting(kind, fresh(world.ben)):
        WAYS[way](row)
    with acting("job", fresh(ana)):
        WAYS[way](make_customer(ana))


def test_what_is_not_kept_is_written_as_ever(world, ana):
    rule(Customer, "phone")
    row = make_customer(ana, phone="1")
    with acting("page", fresh(ana)):
        Customer.objects.filter(pk=row.pk).update(city="Bern", phone="1")
        row.refresh_from_db()
        row.save()
        new = make_customer(ana, phone="2")
    assert (row.city, row.phone, new.phone) == ("Bern", "1", "2")


def test_a_new_row_may_have_its_links(world, ana):
    rule(Customer, "tags")
    tag = Tag.objects.create(name="vip")
    with acting("page", fresh(ana)):
        row = make_customer(ana)
        row.tags.add(tag)
    assert row.tags.get() == tag


def test_the_guard_is_gone_with_the_operation(world, ana):
    rule(Customer, "phone")
    row = make_customer(ana, phone="1")
    for _time in range(2):
        with (
            pytest.raises(FieldKeptBackError),
            transaction.atomic(),
            acting("page", fresh(ana)),
        ):
            by_sql(row)
    by_sql(row)
    row.refresh_from_db()
    assert row.phone == "666"


# --- What follows from an act that is allowed -----------------------------------------


def test_answering_makes_a_ticket_wait_whose_state_one_may_not_choose(world, ana):
    rule(Ticket, "state")
    ticket = make_ticket(ana)
    url = reverse("service:ticket_reply", args=[ticket.pk])
    response = world.client("ana").post(url, {"body": "Sorry", "direction": "out"})
    assert response.status_code == 302
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert Message.objects.get().body == "Sorry"


def test_deleting_empties_what_pointed_to_the_row(world, ana):
    rule(Customer, "referred_by")
    gone = make_customer(ana)
    other = make_customer(ana, referred_by=gone)
    answer = world.client("ana").post(f"/customers/{gone.pk}/delete/", {"sure": "1"})
    assert answer.status_code == 302
    other.refresh_from_db()
    assert other.referred_by is None
    # And taking the deletion back ties the two again.
    result = undo(Operation.objects.latest("pk"), fresh(ana))
    other.refresh_from_db()
    assert (other.referred_by_id, result.left) == (gone.pk, [])


def test_a_second_first_contact_takes_the_place_of_the_first(world, ana):
    first = make_contact(ana, is_primary=True)
    rule(Contact, "is_primary")
    second = Contact(customer=first.customer, name="Nora", is_primary=True)
    with acting("page", fresh(ana)):
        save_contact(contact=second)
    first.refresh_from_db()
    assert (first.is_primary, second.is_primary) == (False, True)


def test_a_moment_that_the_program_sets_does_not_hold_up_an_action(world, ana):
    rule(Lead, "closed_at", "hidden")
    lead = make_lead(ana)
    url = reverse("sales:lead_lose", args=[lead.pk])
    assert world.client("ana").post(url, {"reason": "Price"}).status_code == 302
    lead.refresh_from_db()
    assert lead.closed_at is not None
    page = world.client("ana").get(lead.get_absolute_url()).content.decode()
    assert "Why lost" in page
    assert "<dt>Closed</dt>" not in page


def test_merging_moves_rows_but_no_value_that_is_kept(world, ana):
    into = make_customer(ana, name="Kept", phone="", city="")
    other = make_customer(ana, name="Gone", phone="777", city="Bern", custom={"a": 1})
    order = make_order(ana, customer=other)
    for name in ("phone", "custom"):
        rule(Customer, name, "hidden")
    rule(Order, "customer")
    browser = world.client("ana")
    url = f"/customers/merge/?pk={into.pk}&pk={other.pk}"
    data = {"pk": [into.pk, other.pk], "into": into.pk, "step": "merge"}
    seen = browser.get(url).context["seen"]
    answer = browser.post("/customers/merge/", data | {"seen": seen})
    assert answer.status_code == 302
    into.refresh_from_db()
    order.refresh_from_db()
    assert (into.phone, into.city, into.custom) == ("", "Bern", {})
    assert order.customer == into


def test_converting_asks_for_no_amount_that_is_kept(world, ana):
    rule(Opportunity, "amount", "hidden")
    lead, browser = make_lead(ana), world.client("ana")
    url = reverse("sales:lead_convert", args=[lead.pk])
    assert 'name="amount"' not in browser.get(url).content.decode()
    data = {"currency": "EUR", "opportunity_name": "Big", "amount": "5000"}
    assert browser.post(url, data).status_code == 302
    assert Opportunity.objects.get().amount == Decimal(0)


# --- Undo -----------------------------------------------------------------------------


def done_by(person, work):
    with acting("page", person) as number:
        work()
    return Operation.objects.get(number=number)


def test_undo_leaves_what_it_must_not_change_and_says_so(world, ana):
    mine, other = make_customer(ana, phone="1"), make_customer(ana, city="Bern")

    def work():
        Customer.objects.filter(pk=mine.pk).update(phone="2", city="Basel")
        Customer.objects.filter(pk=other.pk).update(city="Basel")

    done = done_by(ana, work)
    rule(Customer, "phone")
    before = all_rows()
    seen = preview(done, fresh(ana))
    assert [(one.object_id, one.reason) for one in seen.left] == [(mine.pk, "kept")]
    assert all_rows() == before
    # Not even where a later change is to be overruled.
    result = undo(done, fresh(ana), overrule=[f"customers.customer:{mine.pk}"])
    assert [one.reason for one in result.left] == ["kept"]
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.phone, mine.city, other.city) == ("2", "Basel", "Bern")


def test_what_undo_may_not_do_at_all_changes_nothing(world, ana):
    mine = make_customer(ana, phone="1")
    done = done_by(ana, lambda: Customer.objects.update(phone="2"))
    rule(Customer, "phone", "hidden")
    browser = world.client("ana")
    url = f"/operations/{done.number}/"
    page = browser.get(url).content.decode()
    assert "a field that your role does not change" in page
    with unchanged(Customer):
        assert browser.post(f"{url}undo/").status_code == 409
    with pytest.raises(UserVisibleError), unchanged(Customer):
        undo(done, fresh(ana))
    # Ben's role keeps nothing back.
    assert not undo(done, fresh(world.ben)).left
    mine.refresh_from_db()
    assert mine.phone == "1"


def test_undo_of_tags_follows_the_rule_of_tags(world, ana):
    tag, row = Tag.objects.create(name="vip"), make_customer(ana)

    def work():
        row.tags.add(tag)
        new = make_customer(ana, name="New")
        new.tags.add(tag)

    done = done_by(ana, work)
    rule(Customer, "tags")
    result = undo(done, fresh(ana))
    assert [one.reason for one in result.left] == ["kept"]
    assert not Customer.objects.filter(name="New").exists()
    assert row.tags.get() == tag


def test_a_deleted_row_comes_back_whole_and_its_hidden_values_stay_hidden(world, ana):
    row = make_customer(ana, phone="5550199")
    before = all_rows()
    rule(Customer, "phone", "hidden")
    browser = world.client("ana")
    browser.post(f"/customers/{row.pk}/delete/", {"sure": "1"})
    done = Operation.objects.latest("pk")
    for url in (f"/operations/{done.number}/", "/trash/?model=customers.customer"):
        page = browser.get(url).content.decode()
        assert row.name in page
        assert "5550199" not in page, url
    assert browser.post(f"/operations/{done.number}/undo/").status_code == 302
    assert all_rows() == before
    assert "5550199" not in browser.get(row.get_absolute_url()).content.decode()


# --- Jobs -----------------------------------------------------------------------------


def test_a_job_that_meets_the_guard_says_so(world, ana, monkeypatch):
    """A bulk action that writes past its form, as an app might declare one."""
    row = make_customer(ana, phone="1")
    rule(Customer, "phone")
    monkeypatch.setattr(EditRows, "apply", lambda self, batch: by_sql(batch.rows[0]))
    person = fresh(ana)
    run = run_of(person, Selection(ids=(row.pk,)), "mode_city=set&city=Bern")
    job = enqueue(KIND, owner=person, params=run.params())
    with unchanged(Customer):
        assert runner.run(job.pk) == "failed"
    job.refresh_from_db()
    assert "does not change the field “Phone”" in job.error


# --- Django's admin -------------------------------------------------------------------


@pytest.fixture
def staff(world, ana):
    """Return Ana's browser as technical staff with every permission of the admin."""
    User.objects.filter(pk=ana.pk).update(is_staff=True)
    ana.user_permissions.set(Permission.objects.all())
    return world.client("ana")


def test_every_admin_of_ours_keeps_to_the_rules():
    register_missing()
    for one in [admin.site._registry[model] for model in registry.pages]:
        assert isinstance(one, RuledAdmin), one
        for inline in one.inlines:
            assert issubclass(inline, KeepsBack), inline


def test_the_admin_hides_what_is_hidden(world, ana, staff):
    row = make_customer(ana, name="Secret Ltd", phone="5550199", kind="company")
    make_contact(ana, customer=row, email="kim@hidden.example")
    url = reverse("admin:customers_customer_change", args=[row.pk])
    listed = reverse("admin:customers_customer_changelist")
    contacts = reverse("admin:customers_contact_changelist")
    pages = (
        url,
        listed,
        contacts,
        reverse("admin:customers_customer_add"),
        reverse("admin:customers_customer_delete", args=[row.pk]),
        reverse("admin:customers_customer_history", args=[row.pk]),
    )
    for told in ("5550199", "kim@hidden.example"):
        assert told in staff.get(url).content.decode()
    found = staff.get(f"{listed}?q=5550199").content.decode()
    assert "Secret Ltd" in found
    rule(Customer, "phone", "hidden")
    rule(Customer, "kind", "hidden")
    rule(Contact, "email", "hidden")
    for page in pages:
        answer = staff.get(page)
        assert answer.status_code == 200, page
        for told in ("5550199", "kim@hidden.example", 'name="phone"', "kind__exact"):
            if page == contacts and told == 'name="phone"':
                continue
            assert told not in answer.content.decode(), (page, told)
    assert "Secret Ltd" not in staff.get(f"{listed}?q=5550199").content.decode()
    for asked in ("phone__startswith=555", "kind__exact=company"):
        assert staff.get(f"{listed}?{asked}").status_code == 400, asked
    assert staff.get(f"{contacts}?customer__phone__startswith=5").status_code == 400


def sent_to(form):
    """Return what a browser would send of an admin page's form."""
    data = {}
    for one in form.visible_fields() + form.hidden_fields():
        value = one.value()
        if value is not None and value is not False:
            data[one.html_name] = value
    return data


def test_the_admin_changes_nothing_that_is_kept(world, ana, staff):
    row = make_customer(ana, phone="1", city="Bern")
    rule(Customer, "phone", "read_only")
    rule(Customer, "email", "hidden")
    url = reverse("admin:customers_customer_change", args=[row.pk])
    page = staff.get(url)
    assert 'name="phone"' not in page.content.decode()
    assert ">1<" in page.content.decode()
    data = sent_to(page.context["adminform"].form)
    for formset in page.context["inline_admin_formsets"]:
        data |= sent_to(formset.formset.management_form)
    data |= {"city": "Basel", "phone": "666", "email": "a@b.example"}
    answer = staff.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    row.refresh_from_db()
    assert (row.phone, row.email, row.city) == ("1", "", "Basel")


def test_a_list_that_is_edited_in_the_admin_keeps_to_them_too(world, ana, staff):
    """Such a list is declared here: the guard below would refuse the whole of it."""

    class Editable(RuledAdmin):
        list_display = ("name", "city", "phone")
        list_editable = ("city", "phone")
        date_hierarchy = "birth_date"

    rule(Customer, "phone")
    rule(Customer, "birth_date", "hidden")
    request = staff.get("/admin/").wsgi_request
    found = Editable(Customer, admin.site).get_changelist_instance(request)
    assert list(found.list_editable) == ["city"]
    assert found.date_hierarchy is None

"""Fields kept back per role: in no answer of any address, and in no inference."""

import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from crm.access import hidden_fields, read_only_fields
from crm.generic.registry import registry
from crm.history.context import acting
from crm.models import FieldRule, Operation, Role, SavedView, User
from crm.testing.access_matrix import declared_rules, page_tests, routes, rule_of
from crm.testing.rights import grant
from crm.testing.snapshot import unchanged
from customers.models import Contact, Customer
from sales.models import Lead
from tests.kept_fields import body, rule

pytestmark = pytest.mark.django_db
PHONE, INCOME = "+49 30 77441199", Decimal("81234.56")
LIST = "/customers/"
# How the two values may be written in an answer.
SECRETS = ("77441199", "81234", "81,234")


@pytest.fixture
def secret(world):
    """Return a customer of Ana's, with a history, of whom she must not know two fields.

    Her role may do everything with customers, so that only the rules hold her back.
    """
    models = ("customers.customer", "customers.duplicatepair", "crm.change")
    grant("representative", models)
    # Her rights are read anew by each request, and here too once the rules are made.
    with acting("page", User.objects.get(pk=world.ana.pk)):
        row = Customer.objects.create(
            name="Secret Ltd",
            kind="company",
            phone="1",
            owner=world.ana,
            city="Bern",
            source="other",
        )
    browser = world.client("ana")
    version = row.updated_at.isoformat()
    saved = browser.post(
        f"{LIST}{row.pk}/edit/",
        {
            "name": row.name,
            "kind": row.kind,
            "phone": PHONE,
            "annual_income": str(INCOME),
            "currency": "EUR",
            "city": "Bern",
            "source": row.source,
            "owner": world.ana.pk,
            "row_version": version,
        },
    )
    assert saved.status_code == 302, saved.context["form"].errors
    row.refresh_from_db()
    assert (row.phone, row.annual_income) == (PHONE, INCOME)
    Customer.objects.create(
        name="Other Ltd", phone="2", owner=world.ana, source="other"
    )
    rule(Customer, "phone", "hidden")
    rule(Customer, "annual_income", "hidden")
    return row


def addresses(row, world):
    """Yield every address that can be asked for, of this row where it takes one."""
    rules = declared_rules()
    for route in routes():
        found = rule_of(route, rules)
        if found is None or "get" not in found.methods:
            continue
        if not route.parameters:
            yield reverse(route.name)
        elif found.model is Customer:
            yield route.url(found, row)
        elif found.model is not None:
            make = found.make or page_tests()[found.model]().make
            yield route.url(found, make(world.ana))


def asked(row):
    """Yield lists, files and parts that would show or use the two fields."""
    # Not the whole value: what somebody asks for is repeated to them.
    group = quote(json.dumps([["phone", "has", "7744119"]]))
    income = quote(json.dumps([["annual_income", "min", "81000"]]))
    yield f"{LIST}?columns=name,phone,annual_income"
    yield f"{LIST}?columns=name,annual_income&sort=-annual_income"
    yield f"{LIST}?group={group}"
    yield f"{LIST}?group={income}"
    yield f"{LIST}?panel=filters"
    yield f"{LIST}export/?columns=name,phone,annual_income"
    yield f"{LIST}export/?columns=name,phone,annual_income&format=xlsx"
    yield f"{LIST}bulk/export/?pk={row.pk}&columns=name,phone"
    yield f"{LIST}{row.pk}/cell/phone/"
    yield f"{LIST}{row.pk}/cell/annual_income/?shown"
    for key in ("head", "fields", "history", "timeline", "contacts"):
        yield f"{LIST}{row.pk}/panel/{key}/"
    other = Customer.objects.exclude(pk=row.pk).first()
    yield f"{LIST}merge/?pk={row.pk}&pk={other.pk}"
    yield "/contacts/?columns=name,customer__phone&sort=customer__phone"
    yield "/changes/?model=customers.customer"
    yield "/search/?q=Secret"
    yield "/search/suggest/?q=Secret"
    # What was done to it, what undoing that would do, and the administration's pages.
    changed = Operation.objects.filter(changes__model="customers.customer")
    for done in changed.filter(actor=row.owner).distinct():
        yield f"/operations/{done.number}/"
    yield "/trash/?model=customers.customer"
    for page in ("change", "delete", "history"):
        yield reverse(f"admin:customers_customer_{page}", args=[row.pk])
    listed = reverse("admin:customers_customer_changelist")
    yield listed
    yield f"{listed}?q=Secret"
    yield reverse("admin:customers_contact_changelist")


def test_the_secret_is_in_no_answer_of_any_address(world, secret):
    ana, ben = world.client("ana"), world.client("ben")
    # Ben's role hides nothing, so the sweep is able to find it.
    for url in (secret.get_absolute_url(), f"{LIST}export/?columns=phone&format=xlsx"):
        assert SECRETS[0] in body(ben.get(url)), url
    told = []
    User.objects.filter(pk=world.ana.pk).update(is_staff=True)
    world.ana.user_permissions.set(Permission.objects.all())
    for url in [*addresses(secret, world), *asked(secret)]:
        for part in ({}, {"HTTP_HX_REQUEST": "true"})[
            : 2 if "/customers/" in url else 1
        ]:
            response = ana.get(url, **part)
            assert response.status_code < 500, url
            if "/admin/" in url or "/operations/" in url:
                assert response.status_code == 200, url
            text = body(response)
            told += [f"{url}: {one}" for one in SECRETS if one in text]
    assert not told, "\n".join(told)


def test_the_secret_cannot_be_inferred(world, secret):
    """Filters, sorting, search and the answers to them are the same for any value."""
    ana = world.client("ana")

    def number(url):
        return ana.get(url).context["count"].number

    whole = number(LIST)
    assert whole >= 2
    names = [row.object.name for row in ana.get(LIST).context["rows"]]
    for order in ("phone", "-phone", "annual_income", "-annual_income"):
        url = f"{LIST}?columns=name,phone,annual_income&sort={order}"
        assert [one.object.name for one in ana.get(url).context["rows"]] == names
    for text in ("77441199", "+49 30 77441199"):
        assert number(f"{LIST}?q={quote(text)}") == 0
        found = ana.get(f"/search/?q={quote(text)}")
        assert "Secret Ltd" not in body(found)
        assert "Secret" not in body(ana.get(f"{LIST}choices/?q={quote(text)}"))
        assert "Secret" not in body(ana.get(f"{LIST}similar/?phone={quote(text)}"))
        assert "Secret" not in body(ana.get(f"/changes/?text={quote(text)}"))
    for key, operator in (("phone", "has"), ("annual_income", "min")):
        for value in ("77441199", "1"):
            group = quote(json.dumps([[key, operator, value]]))
            assert number(f"{LIST}?group={group}") == whole
    assert number(f"{LIST}?annual_income_min=99999999&phone=1") == whole
    # By the name she finds it as ever.
    assert number(f"{LIST}?q=Secret") == 1


def test_a_shared_view_that_filters_by_it_tells_nothing(world, secret):
    group = quote(json.dumps([["phone", "has", "77441199"]]))
    view = SavedView.objects.create(
        list_key="customers.customer",
        name="By phone",
        owner=world.ben,
        sharing="everyone",
        query=f"group={group}&columns=name,phone&sort=phone",
    )
    ana = world.client("ana")
    plain = ana.get(LIST).context["count"].number
    response = ana.get(f"{LIST}?view={view.pk}")
    assert response.context["count"].number == plain
    assert [one.key for one in response.context["headings"]] == ["name"]


def sent(row, **changes):
    return {
        "name": row.name,
        "kind": row.kind,
        "city": row.city,
        "owner": row.owner_id,
        "currency": row.currency,
        "source": row.source,
        "row_version": row.updated_at.isoformat(),
        **changes,
    }


@pytest.mark.parametrize("mode", ["hidden", "read_only"])
def test_no_post_changes_what_is_kept_back(world, secret, mode):
    FieldRule.objects.filter(field="phone").update(mode=mode)
    ana = world.client("ana")
    url = f"{LIST}{secret.pk}/"
    response = ana.post(f"{url}edit/", sent(secret, phone="666", city="Basel"))
    assert response.status_code == 302
    secret.refresh_from_db()
    assert (secret.phone, secret.city) == (PHONE, "Basel")
    with unchanged(Customer):
        assert ana.post(f"{url}cell/phone/", {"phone": "666"}).status_code == 404
        data = {"pk": secret.pk, "mode_phone": "set", "phone": "666", "step": "do"}
        ana.post(f"{LIST}bulk/edit/", data)
    other = Customer.objects.exclude(pk=secret.pk).first()
    into = {
        "pk": [secret.pk, other.pk],
        "into": secret.pk,
        "step": "merge",
        "from-phone": other.pk,
    }
    page = ana.get(f"{LIST}merge/?pk={secret.pk}&pk={other.pk}")
    assert "from-phone" not in body(page) or mode == "read_only"
    ana.post(f"{LIST}merge/", into | {"seen": page.context["seen"]})
    secret.refresh_from_db()
    assert secret.phone == PHONE


def test_a_read_only_field_is_seen_and_found(world, secret):
    FieldRule.objects.filter(field="phone").update(mode="read_only")
    ana = world.client("ana")
    assert SECRETS[0] in body(ana.get(secret.get_absolute_url()))
    assert ana.get(f"{LIST}?q=77441199").context["count"].number == 1
    form = ana.get(f"{LIST}{secret.pk}/edit/").context["form"]
    assert form.fields["phone"].disabled
    assert 'data-edit="phone"' not in body(ana.get(secret.get_absolute_url()))


def test_the_most_permissive_role_wins(world, secret):
    assert hidden_fields(world.ana, Customer) == {"phone", "annual_income"}
    world.ana.roles.add(Role.objects.get(code="sales_manager"))
    assert SECRETS[0] in body(world.client("ana").get(secret.get_absolute_url()))
    # A role that gives no right to the rows opens none of their fields.
    world.ana.roles.remove(Role.objects.get(code="sales_manager"))
    world.ana.roles.add(Role.objects.create(code="guest"))
    assert SECRETS[0] not in body(world.client("ana").get(secret.get_absolute_url()))


def test_rules_are_written_on_the_rights_page(world):
    dev, url = world.client("dev"), "/settings/rights/representative/"
    seen = json.dumps(json.loads(dev.get(url).context["seen"]))
    data = {"seen": seen, "new_field": "customers.customer#phone"}
    dev.post(url, data | {"new_mode": "hidden"})
    assert FieldRule.objects.get().mode == "hidden"
    Customer.objects.create(name="X", phone=PHONE, owner=world.ana)
    assert SECRETS[0] not in body(world.client("ana").get(LIST))
    # What a row is called after is shown everywhere: it cannot be hidden.
    seen = dev.get(url).context["seen"]
    data = {"seen": seen, "new_field": "service.ticket#subject", "new_mode": "hidden"}
    assert dev.post(url, data).status_code == 422
    dev.post(url, {"seen": seen, "r:customers.customer#phone": ""})
    assert not FieldRule.objects.exists()


def test_an_import_offers_no_such_column(world, secret):
    from crm.importing.importer import get_importer

    keys = {one.key for one in get_importer("customers").columns_for(world.ana)}
    assert "phone" not in keys
    assert "city" in keys
    keys = {one.key for one in get_importer("contacts").columns_for(world.ana)}
    assert "company_phone" not in keys
    assert read_only_fields(world.ben, Customer) == frozenset()


def test_every_form_can_do_without_each_field(world):
    """Whatever is kept back, the pages of every model open and say no nonsense."""
    from crm.rights.matrix import ruled_fields

    labels = [model._meta.label_lower for model in registry.pages]
    grant("representative", labels, ("view", "add", "change"))
    for pages in registry.pages.values():
        for name in ruled_fields(pages):
            rule(pages.model, name, "hidden")
    ana = world.client("ana")
    for pages in registry.pages.values():
        row = page_tests()[pages.model]().make(world.ana)
        urls = [pages.url("list"), pages.url("detail", row), pages.url("peek", row)]
        if pages.form is not None:
            urls += [pages.url("add"), pages.url("edit", row)]
        for url in urls:
            answer = ana.get(url, HTTP_HX_REQUEST="true" if "peek" in url else "")
            assert answer.status_code == 200, url


def test_contacts_keep_their_own_phone(world, secret):
    """A rule is about one model, not about every field of that name."""
    Contact.objects.create(customer=secret, name="Kim", phone="5550101")
    assert "5550101" in body(world.client("ana").get(secret.get_absolute_url()))


def test_tags_and_boards_keep_to_the_rules(world, secret):
    """What is written by other ways than the form is refused there, too."""
    rule(Customer, "tags", "hidden")
    rule(Lead, "state", "read_only")
    grant("representative", ["sales.lead"], ["change"])
    ana = world.client("ana")
    with unchanged(Customer):
        data = {"pk": secret.pk}
        assert ana.post(f"{LIST}bulk/tag/", data).status_code == 403
    lead = page_tests()[Lead]().make(world.ana)
    with unchanged(Lead):
        assert (
            ana.post(f"/leads/{lead.pk}/move/", {"state": "working"}).status_code == 403
        )


def test_a_file_cannot_fill_what_is_kept_back(world, secret):
    """The mapping is checked when the import begins, whatever was sent before."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from crm.importing import pipeline, services
    from crm.importing.errors import ImportRefused
    from crm.importing.importer import get_importer

    file = b"name,phone\nSecret Ltd,666\n"
    name = default_storage.save("imports/kept.csv", ContentFile(file))
    run = services.create_run(
        get_importer("customers"),
        file_path=name,
        file_name="kept.csv",
        owner=world.ana,
    )
    page = world.client("ana").get(f"/imports/{run.pk}/columns/")
    assert 'value="city"' in body(page)
    assert 'value="phone"' not in body(page)
    with unchanged(Customer), pytest.raises(ImportRefused, match="phone"):
        pipeline._plan(run, Path(default_storage.path(name)))
